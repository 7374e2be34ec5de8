import { expect, test } from '@jest/globals'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { type PackedShelf, packShelf, unpackMember } from '../../../reconcilers/steering/pack-shelf.ts'
import { findHolders, gather, putRecord, RECORD_WORDS, scatter } from '../../../reconcilers/steering/shelf.ts'
import { random } from './random.ts'

/** A shelf by itself, with a record of its own. */
function shelfAlone({ layout, spillBits, words }: PackedShelf) {
  const records = new Uint32Array(RECORD_WORDS)
  putRecord(records, 0, 0, layout, spillBits)
  return {
    holdersOf: (file: number) => findHolders(words, records, 0, file),
    unpackMember: (member: number) => unpackMember(words, records, 0, member),
  }
}

const FILES = 20_000

test.each([
  ['one in a thousand', [0.001, 0.001, 0.001, 0.001]],
  ['few, and one who holds nothing', [0.01, undefined, 0.02]],
  ['one alone', [0.05]],
  ['very different ones', [0.001, 0.9, 0.3, 0]],
  ['nearly all', [0.999, 1, 0.5, 1]],
] as [string, (number | undefined)[]][])('a shelf of %s knows exactly who holds what', (_, shares) => {
  const next = random(9)
  const sets = shares.map((share) => {
    if (share === undefined) return undefined
    const set = new FileSet()
    for (let i = 0; i < FILES; i++) if (next() / 2 ** 32 < share) set.add(i)
    // A block that is full and one that is empty, beside the others.
    for (let i = 4096; i < 5120; i++) set.add(i)
    for (let i = 8192; i < 9216; i++) set.delete(i)
    return set
  })
  const { holdersOf, unpackMember } = shelfAlone(packShelf(sets)!)
  const wrong = []
  for (let i = 0; i < FILES + 40_000; i++) {
    const who = sets.reduce((bits, set, m) => bits | (set?.has(i) ? 1 << m : 0), 0)
    if (holdersOf(i) !== who) wrong.push(i)
  }
  expect(wrong).toEqual([])
  sets.forEach((set, m) => {
    expect(unpackMember(m).equals(set ?? new FileSet())).toBe(true)
  })
  for (const odd of [-1, 2 ** 31, 2 ** 32 - 1, 1e9]) expect(holdersOf(odd)).toBe(0)
})

test('indices are scattered one to one, and found again', () => {
  for (const bits of [5, 6, 13, 16]) {
    const seen = new Set<number>()
    for (let i = 0; i < 2 ** bits; i++) {
      const scattered = scatter(i, bits)
      if (scattered >= 0 && scattered < 2 ** bits && gather(scattered, bits) === i) seen.add(scattered)
    }
    expect(seen.size).toBe(2 ** bits)
  }
})

test('of a set that fills the same lines, what has no room is found in the spill', () => {
  const bits = 16
  const crowded = Array.from({ length: 3000 }, (_, i) => gather(i, bits))
  const spread = Array.from({ length: 3000 }, (_, i) => gather(3000 + i * 20, bits))
  const { holdersOf, unpackMember } = shelfAlone(packShelf([FileSet.of(spread), FileSet.of([...crowded, 65_535])])!)
  const both = new Map<number, number>()
  for (const file of spread) both.set(file, 1)
  for (const file of [...crowded, 65_535]) both.set(file, (both.get(file) ?? 0) | 2)
  const wrong = Array.from({ length: 2 ** bits }, (_, i) => i).filter((i) => holdersOf(i) !== (both.get(i) ?? 0))
  expect(wrong).toEqual([])
  expect(unpackMember(0).equals(FileSet.of(spread))).toBe(true)
})

test('four appliances with three files in a hundred of a million take 150 KB at most', () => {
  const next = random(3)
  const sets = [0, 1, 2, 3].map(() => FileSet.of(Array.from({ length: 30_000 }, () => next() % 1_000_000)))
  expect(packShelf(sets)!.words.length).toBeLessThan(47_000)
  expect(packShelf([undefined, new FileSet()])).toBeUndefined()
})

test('single files, at the ends of words', () => {
  const edges = [0, 31, 32, 255, 256, 257, 1022, 1023, 1024, 1025, 2047, 2048]
  const { holdersOf } = shelfAlone(packShelf([undefined, FileSet.of(edges)])!)
  expect(Array.from({ length: 3000 }, (_, i) => i).filter((i) => holdersOf(i) === 2)).toEqual(edges)
})
