import { describe, expect, test } from '@jest/globals'
import { openApi } from '../../../apiserver/openapi/openapi.ts'
import { documentV2Protobuf } from '../../../apiserver/openapi/protobuf/document.ts'
import { customResource } from '../resource-infos.ts'

/** A message as [field number, value] pairs; what is in a length-delimited field only its reader knows. */
function fieldsOf(message: Buffer): [number, Buffer | bigint | number][] {
  const found: [number, Buffer | bigint | number][] = []
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++]
      if (byte === undefined) throw new Error('truncated')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const tag = Number(varint())
    const number = tag >> 3
    if ((tag & 7) === 0) found.push([number, varint()])
    else if ((tag & 7) === 1) {
      found.push([number, message.readDoubleLE(at)])
      at += 8
    } else {
      const length = Number(varint())
      found.push([number, message.subarray(at, at + length)])
      at += length
    }
  }
  if (at !== message.length) throw new Error('truncated')
  return found
}

/** Follows field numbers into a message; each the first of its number. */
function at(message: Buffer, ...path: readonly number[]): Buffer {
  return path.reduce((inside, number) => {
    const value = fieldsOf(inside).find(([of]) => of === number)?.[1]
    if (!Buffer.isBuffer(value)) throw new Error(`no message in field ${number}`)
    return value
  }, message)
}

const PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

test.each([PROTOBUF, PROTOBUF.replace('.v1.0', '@v1.0')])('is served to who asks for %s', (accept) => {
  const document = openApi([customResource()]).v2(accept)
  expect(document.contentType).toBe(PROTOBUF)
  expect(at(document.body, 1).toString()).toBe('2.0')
  expect(at(document.body, 2, 1).toString()).toBe('Kubernetes')
})

test('is not served to who prefers JSON', () => {
  expect(openApi([customResource()]).v2(`application/json, ${PROTOBUF}`).contentType).toBe('application/json')
})

describe('is encoded by gnostic’s field numbers', () => {
  const encoded = documentV2Protobuf({
    paths: {
      '/p': {
        get: {
          operationId: 'op',
          parameters: [
            { name: 'body', in: 'body', required: true, schema: { $ref: '#/definitions/T' } },
            { name: 'q', in: 'query', type: 'boolean', uniqueItems: true },
            { name: 'n', in: 'path', required: true, type: 'string' },
          ],
          responses: { 200: { description: 'OK', schema: { type: 'object' } } },
          'x-kubernetes-action': 'get',
        },
      },
    },
    definitions: {
      T: {
        type: 'object',
        required: ['a', ''],
        properties: { a: { type: 'array', items: { type: 'string', maxLength: 300 } }, b: { minimum: -0.5 } },
        additionalProperties: true,
        enum: [1],
        'x-kubernetes-group-version-kind': [{ group: '', kind: 'T' }],
      },
    },
    security: [{ BearerToken: [] }],
  })
  const operation = at(encoded, 8, 2, 2, 2)
  const schema = at(encoded, 9, 1, 2)

  test('operations', () => {
    expect(at(encoded, 8, 2, 1).toString()).toBe('/p')
    expect(at(operation, 5).toString()).toBe('op')
    const parameters = fieldsOf(operation).filter(([number]) => number === 8) as [number, Buffer][]
    expect(at(parameters[0]![1], 1, 1, 5, 1).toString()).toBe('#/definitions/T')
    expect(at(parameters[1]![1], 1, 2, 3, 6).toString()).toBe('boolean')
    expect(fieldsOf(at(parameters[1]![1], 1, 2, 3))).toContainEqual([20, 1n])
    expect(at(parameters[2]![1], 1, 2, 4, 5).toString()).toBe('string')
    expect(at(operation, 9, 1, 1).toString()).toBe('200')
    expect(at(operation, 9, 1, 2, 1, 2, 1, 22, 1).toString()).toBe('object')
    expect([at(operation, 13, 1).toString(), at(operation, 13, 2, 2).toString()]).toEqual([
      'x-kubernetes-action',
      '"get"\n',
    ])
  })

  test('schemas', () => {
    expect(at(encoded, 9, 1, 1).toString()).toBe('T')
    expect(at(schema, 22, 1).toString()).toBe('object')
    expect(
      fieldsOf(schema)
        .filter(([number]) => number === 19)
        .map(([, value]) => String(value)),
    ).toEqual(['a', ''])
    expect(at(schema, 25, 1, 1).toString()).toBe('a')
    expect(fieldsOf(at(schema, 25, 1, 2, 23, 1))).toContainEqual([11, 300n])
    const [, second] = fieldsOf(at(schema, 25)) as [number, Buffer][]
    expect(fieldsOf(at(second![1], 2))).toEqual([[9, -0.5]])
    expect(fieldsOf(at(schema, 21))).toEqual([[2, 1n]])
    expect(at(schema, 20, 2).toString()).toBe('1\n')
    expect(at(schema, 31, 2, 2).toString()).toBe('[{"group":"","kind":"T"}]\n')
  })

  test('security', () => {
    expect(at(encoded, 12, 1, 1).toString()).toBe('BearerToken')
    expect(at(encoded, 12, 1, 2)).toHaveLength(0)
  })
})
