import { FileSet } from '../blobs/file-set.ts'

/** Appliances whose inventories are packed together. */
export const SHELF = 4

/** Files per entry of the directory, and per block: an entry is of four blocks. */
const ENTRY = 1024
const BLOCK = 256
const BLOCK_WORDS = BLOCK / 32

/** From so many files on a block is written as half a byte for each of its 256, which is no longer than a list would be. */
const DENSE = 85
const DENSE_BYTES = BLOCK / 2

/**
 * What up to four appliances of a site verifiably hold of one catalog, packed for asking all of them at once: asking touches two cache lines. Word 0
 * says how many entries of 1,024 files the directory has; each is two words: at which byte its blocks begin, and how many files each of its four
 * blocks has, a byte each. A block is a sorted list of bytes, one per file that anybody holds, then half a byte each saying who. Immutable: a new
 * shelf replaces it whole.
 */
export type Shelf = Uint32Array

/** Packs the inventories of up to four appliances; undefined: it holds nothing. Returns undefined when nobody does. */
export function packShelf(members: readonly (FileSet | undefined)[]): Shelf | undefined {
  const sets = members.map((files) => files?.words ?? NOTHING)
  let used = Math.max(...sets.map((words) => words.length))
  while (used > 0 && sets.every((words) => (words[used - 1] ?? 0) === 0)) used--
  if (used === 0) return undefined
  const entries = Math.ceil((used * 32) / ENTRY)
  const union = new Uint32Array((entries * ENTRY) / 32)
  for (const words of sets) for (let w = 0; w < used && w < words.length; w++) union[w]! |= words[w]!
  const counts = new Uint8Array(entries * 4)
  let bytes = 0
  for (let b = 0; b < counts.length; b++) {
    let count = 0
    for (let w = b * BLOCK_WORDS; w < (b + 1) * BLOCK_WORDS; w++) {
      for (let word = union[w]!; word !== 0; word &= word - 1) count++
    }
    counts[b] = Math.min(count, DENSE)
    bytes += bytesOf(counts[b]!)
  }
  const start = (1 + 2 * entries) * 4
  const packed = new Uint32Array(Math.ceil((start + bytes) / 4))
  // Bytes are put into words by a view: whoever reads and whoever writes is the same machine.
  const view = new Uint8Array(packed.buffer)
  packed[0] = entries
  let at = start
  for (let b = 0; b < counts.length; b++) {
    const entry = 1 + 2 * (b >>> 2)
    if ((b & 3) === 0) packed[entry] = at
    packed[entry + 1]! |= counts[b]! << (8 * (b & 3))
    putBlock(view, at, counts[b]!, union, sets, b * BLOCK_WORDS)
    at += bytesOf(counts[b]!)
  }
  return packed
}

const NOTHING = new Uint32Array(0)

/** Bytes of a block of so many files. */
const bytesOf = (count: number) => (count >= DENSE ? DENSE_BYTES : count + ((count + 1) >>> 1))

function putBlock(
  view: Uint8Array,
  at: number,
  count: number,
  union: Uint32Array,
  sets: readonly Uint32Array[],
  from: number,
): void {
  let i = 0
  for (let w = from; w < from + BLOCK_WORDS; w++) {
    for (let word = union[w]!; word !== 0; word &= word - 1) {
      const bit = word & -word
      const file = (w - from) * 32 + 31 - Math.clz32(bit)
      let who = 0
      for (let m = 0; m < sets.length; m++) if (((sets[m]![w] ?? 0) & bit) !== 0) who |= 1 << m
      const place = count >= DENSE ? file : i
      if (count < DENSE) view[at + i] = file
      const half = count >= DENSE ? at : at + count
      view[half + (place >>> 1)]! |= who << (4 * (place & 1))
      i++
    }
  }
}

/** Who holds the file of that index: a bit per member. Of any index that is no file's, nobody. */
export function holdersOf(shelf: Shelf, file: number): number {
  const entry = file >>> 10
  if (entry >= shelf[0]!) return 0
  const counts = shelf[2 + 2 * entry]!
  const shift = (file >>> 5) & 24
  const count = (counts >>> shift) & 255
  if (count === 0) return 0
  let at = shelf[1 + 2 * entry]!
  for (let s = 0; s < shift; s += 8) at += bytesOf((counts >>> s) & 255)
  const low = file & (BLOCK - 1)
  if (count >= DENSE) return halfAt(shelf, at, low)
  for (let i = 0; i < count; i++) {
    const there = (shelf[(at + i) >>> 2]! >>> (8 * ((at + i) & 3))) & 255
    if (there >= low) return there === low ? halfAt(shelf, at + count, i) : 0
  }
  return 0
}

/** Reads where the blocks of a file's entry begin: see `touchShelf`. */
export function touchBlock(shelf: Shelf, file: number): number {
  return shelf[1 + 2 * (file >>> 10)] ?? 0
}

/** The i-th half byte from byte `at` on. */
function halfAt(shelf: Shelf, at: number, i: number): number {
  const byte = at + (i >>> 1)
  return (shelf[byte >>> 2]! >>> (8 * (byte & 3) + 4 * (i & 1))) & 15
}

/** What one member of a shelf holds. */
export function unpackMember(shelf: Shelf, member: number): FileSet {
  const words = new Uint32Array((shelf[0]! * ENTRY) / 32)
  const view = new Uint8Array(shelf.buffer, shelf.byteOffset, shelf.byteLength)
  for (let entry = 0; entry < shelf[0]!; entry++) {
    let at = shelf[1 + 2 * entry]!
    for (let b = 0; b < 4; b++) {
      const count = (shelf[2 + 2 * entry]! >>> (8 * b)) & 255
      const dense = count >= DENSE
      const half = dense ? at : at + count
      for (let i = 0; i < (dense ? BLOCK : count); i++) {
        if (((view[half + (i >>> 1)]! >>> (4 * (i & 1) + member)) & 1) === 0) continue
        const file = entry * ENTRY + b * BLOCK + (dense ? i : view[at + i]!)
        words[file >>> 5]! |= 1 << (file & 31)
      }
      at += bytesOf(count)
    }
  }
  return new FileSet(words)
}
