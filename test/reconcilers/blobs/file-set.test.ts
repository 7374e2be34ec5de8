import { describe, expect, test } from '@jest/globals'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { decodeFileSet } from '../../../reconcilers/blobs/file-set-blob.ts'

const range = (from: number, to: number, step = 1) =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step)

describe('a set of file indices survives the portable Roaring format', () => {
  const cases: { reason: string; indices: number[]; bytes?: number }[] = [
    { reason: 'empty', indices: [], bytes: 8 },
    { reason: 'one value is an array container', indices: [7], bytes: 8 + 4 + 4 + 2 },
    { reason: 'a full catalog is one run', indices: range(0, 60_000), bytes: 4 + 1 + 4 + 2 + 4 },
    { reason: 'scattered values above 4096 are a bitmap container', indices: range(0, 65_536, 3), bytes: 8 + 8 + 8192 },
    { reason: 'several containers with a gap', indices: [1, 5, 70_000, 70_001, 70_002, 400_000] },
    { reason: 'a run that ends at the last bit of a container', indices: range(65_000, 65_536) },
    { reason: 'a run across two containers', indices: range(65_000, 66_000) },
    { reason: 'runs in more than four containers carry offsets', indices: range(0, 6 * 65_536) },
    { reason: 'bit 31 of a word', indices: [31, 32, 63, 64] },
  ]
  for (const { reason, indices, bytes } of cases) {
    test(reason, () => {
      const encoded = FileSet.of(indices).toRoaring()
      if (bytes !== undefined) expect(encoded.byteLength).toBe(bytes)
      const decoded = FileSet.fromRoaring(encoded)
      expect([...decoded]).toEqual(indices)
      expect(decoded.size).toBe(indices.length)
    })
  }

  test('the bytes are those of the specification', () => {
    // cookie 12346, one container; key 0, cardinality-1 = 2; offset 16; values 1, 2, 300 (a run container would take 10 bytes)
    expect(Buffer.from(FileSet.of([1, 2, 300]).toRoaring()).toString('hex')).toBe(
      '3a30000001000000' + '00000200' + '10000000' + '010002002c01',
    )
  })
})

describe('bytes that are no Roaring bitmap are refused', () => {
  const good = FileSet.of(range(0, 10_000, 2)).toRoaring()
  const cases: [string, Uint8Array, RegExp][] = [
    ['nothing', new Uint8Array(0), /reaches to 4/],
    ['an unknown cookie', new Uint8Array([1, 2, 3, 4]), /unknown cookie/],
    ['truncated', good.subarray(0, good.length - 1), /reaches to/],
    // Cookie 12347, one container of runs; key 0; two runs, of 0 … 9 and of 9.
    [
      'runs that overlap',
      Buffer.from('3b300000' + '01' + '00000900' + '0200' + '00000900' + '09000000', 'hex'),
      /runs do not ascend/,
    ],
    ['too many containers', new Uint8Array([0x3a, 0x30, 0, 0, 0xff, 0xff, 0xff, 0x7f]), /at most 65536/],
  ]
  for (const [reason, bytes, message] of cases) {
    test(reason, () => expect(() => FileSet.fromRoaring(bytes)).toThrow(message))
  }
})

test('set operations', () => {
  const a = FileSet.of([1, 2, 40, 1000])
  const b = FileSet.of([2, 40, 41])
  expect([...a.union(b)]).toEqual([1, 2, 40, 41, 1000])
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const all = one.clone()
    all.addAll(other)
    expect([...all]).toEqual([1, 2, 40, 41, 1000])
  }
  expect([...a.difference(b)]).toEqual([1, 1000])
  expect([...b.difference(a)]).toEqual([41])
  expect([...a.intersection(b)]).toEqual([2, 40])
  expect(a.equals(FileSet.of([1000, 40, 2, 1]))).toBe(true)
  expect(a.equals(b)).toBe(false)
  const c = a.clone()
  c.delete(1000)
  expect(c.has(1000)).toBe(false)
  expect(a.has(1000)).toBe(true)
  expect(c.equals(FileSet.of([1, 2, 40]))).toBe(true)
  expect(new FileSet().isEmpty).toBe(true)
})

test.each([
  ['the last that may be', 511, undefined],
  ['beyond all catalogs', 512, 'reaches beyond 33554432'],
  ['as far as a bitmap goes', 65_535, 'reaches beyond 4294901760'],
])('an inventory of one file takes no gigabytes, however it is numbered: %s', (_, key, problem) => {
  const head = `${JSON.stringify({ weirSet: 1, catalog: `sha256:${'0'.repeat(64)}`, files: 1, bytes: 1 })}\n`
  const bitmap = Buffer.alloc(18)
  bitmap.writeUInt32LE(12346, 0)
  bitmap.writeUInt32LE(1, 4)
  bitmap.writeUInt16LE(key, 8)
  bitmap.writeUInt32LE(16, 12)
  bitmap.writeUInt16LE(65_535, 16)
  const decoded = () => decodeFileSet(Buffer.concat([Buffer.from(head), bitmap]))
  if (problem) expect(decoded).toThrow(problem)
  else expect(decoded().set.has(2 ** 25 - 1)).toBe(true)
})
