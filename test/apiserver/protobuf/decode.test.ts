import { describe, expect, test } from '@jest/globals'
import { decodeProtobuf } from '../../../apiserver/protobuf/decode.ts'
import { ProtobufError } from '../../../apiserver/protobuf/wire.ts'
import type { JsonObject, JsonValue } from '../../../crds/metadata.ts'
// Objects as client-go encodes them: `protobuf` (base64) and `json` are the same object by its two serializers.
import corpus from './client-go.json' with { type: 'json' }

/** What Go's JSON writes of fields that are absent, and readers drop: null times, empty structs. */
function withoutEmpty(value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((v) => withoutEmpty(v as JsonValue) ?? {})
  if (typeof value !== 'object' || value === null) return value ?? undefined
  const kept = Object.entries(value as JsonObject)
    .map(([k, v]) => [k, withoutEmpty(v)] as const)
    .filter(([, v]) => v !== undefined && !(typeof v === 'object' && Object.keys(v as object).length === 0))
  return Object.fromEntries(kept)
}

test.each(corpus)('$name reads as it does in JSON', ({ protobuf, json }) => {
  const decoded = decodeProtobuf(Buffer.from(protobuf, 'base64'))
  expect(withoutEmpty(decoded)).toEqual(withoutEmpty(json as unknown as JsonObject))
})

describe('what is no message of a kind that is known is refused, and never hangs', () => {
  const [first] = corpus
  const whole = Buffer.from(first!.protobuf, 'base64')

  test.each([
    ['no magic', Buffer.from('nonsense')],
    ['nothing', Buffer.alloc(0)],
    ['nothing but magic', Buffer.from('k8s\0')],
  ])('%s', (_, bytes) => {
    expect(() => decodeProtobuf(bytes)).toThrow(ProtobufError)
  })

  test('cut off anywhere, it is an error or an object', () => {
    for (let size = 0; size < whole.length; size++) {
      try {
        expect(typeof decodeProtobuf(whole.subarray(0, size))).toBe('object')
      } catch (err) {
        expect(err).toBeInstanceOf(ProtobufError)
      }
    }
  })

  test('with any byte wrong, it is an error or an object', () => {
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole)
      bytes[at] = bytes[at]! ^ 0xff
      try {
        expect(typeof decodeProtobuf(bytes)).toBe('object')
      } catch (err) {
        expect(err).toBeInstanceOf(ProtobufError)
      }
    }
  })
})
