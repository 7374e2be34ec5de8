import { FileSet } from '../blobs/file-set.ts'
import { popCount } from '../blobs/pop-count.ts'

/** Files per entry of the directory, and per block: an entry is of four blocks. */
const ENTRY = 1024
const BLOCK = 256

/** Words of a bitmap of a block, and the number of bytes that it takes: a list of so many files would be no shorter. */
const BLOCK_WORDS = BLOCK / 32
const DENSE = BLOCK / 8

/**
 * What one appliance verifiably holds of one catalog, packed for asking. Word 0 says how many entries of 1,024 files the directory has; each is two
 * words: at which byte its blocks begin, and how long each of its four blocks is, a byte each. A block of 256 files is a sorted list of bytes, or,
 * where that would be longer, a bitmap of 32 bytes. Three files in a hundred take 38 KB of a million, where a bitmap takes 125 KB, and asking touches
 * two cache lines. Immutable: a new inventory replaces it whole.
 */
export type Inventory = Uint32Array

/** Packs an inventory. */
export function packInventory({ words }: FileSet): Inventory {
  let used = words.length
  while (used > 0 && words[used - 1] === 0) used--
  const entries = Math.ceil((used * 32) / ENTRY)
  const counts = new Uint16Array(entries * 4)
  let bytes = 0
  for (let b = 0; b < counts.length; b++) {
    const end = Math.min(used, (b + 1) * BLOCK_WORDS)
    let count = 0
    for (let w = b * BLOCK_WORDS; w < end; w++) if (words[w] !== 0) count += popCount(words[w]!)
    counts[b] = count
    bytes += Math.min(count, DENSE)
  }
  const start = (1 + 2 * entries) * 4
  const packed = new Uint32Array(Math.ceil((start + bytes) / 4))
  packed[0] = entries
  let at = start
  for (let b = 0; b < counts.length; b++) {
    const entry = 1 + 2 * (b >>> 2)
    if ((b & 3) === 0) packed[entry] = at
    const size = Math.min(counts[b]!, DENSE)
    packed[entry + 1]! |= size << (8 * (b & 3))
    const end = Math.min(used, (b + 1) * BLOCK_WORDS)
    if (size === DENSE) putBitmap(packed, at, words, b * BLOCK_WORDS, end)
    else if (size > 0) putList(packed, at, words, b * BLOCK_WORDS, end)
    at += size
  }
  return packed
}

/** Bytes are put into words the lowest first, whatever the machine does. */
function putByte(packed: Uint32Array, at: number, byte: number): void {
  packed[at >>> 2]! |= byte << (8 * (at & 3))
}

function putBitmap(packed: Uint32Array, at: number, words: Uint32Array, from: number, to: number): void {
  for (let w = from; w < to; w++) {
    for (let i = 0; i < 4; i++) putByte(packed, at + 4 * (w - from) + i, (words[w]! >>> (8 * i)) & 255)
  }
}

function putList(packed: Uint32Array, at: number, words: Uint32Array, from: number, to: number): void {
  let next = at
  for (let w = from; w < to; w++) {
    for (let word = words[w]!; word !== 0; word &= word - 1) {
      putByte(packed, next++, (w - from) * 32 + 31 - Math.clz32(word & -word))
    }
  }
}

/** Whether the file of that index is held. Any index that is no file's is not. */
export function holds(inventory: Inventory, file: number): boolean {
  const entry = file >>> 10
  if (entry >= inventory[0]!) return false
  const sizes = inventory[2 + 2 * entry]!
  const shift = (file >>> 5) & 24
  const size = (sizes >>> shift) & 255
  if (size === 0) return false
  // The bytes below the block's are the sizes of those before it: their sum comes out on top.
  const before = Math.imul(sizes & ((1 << shift) - 1), 0x01010101) >>> 24
  let at = inventory[1 + 2 * entry]! + before
  const low = file & (BLOCK - 1)
  if (size === DENSE) {
    at += low >>> 3
    return ((inventory[at >>> 2]! >>> (8 * (at & 3))) & (1 << (low & 7))) !== 0
  }
  for (const end = at + size; at < end; at++) {
    const there = (inventory[at >>> 2]! >>> (8 * (at & 3))) & 255
    if (there >= low) return there === low
  }
  return false
}

/** The files of a packed inventory. */
export function unpackInventory(inventory: Inventory): FileSet {
  const files = new FileSet(new Uint32Array((inventory[0]! * ENTRY) / 32))
  for (let file = 0; file < inventory[0]! * ENTRY; file++) if (holds(inventory, file)) files.add(file)
  return files
}
