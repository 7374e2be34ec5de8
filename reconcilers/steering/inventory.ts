import type { FileSet } from '../blobs/file-set.ts'
import { popCount } from '../blobs/pop-count.ts'

/** Files per block, and words of its bitmap. */
const BLOCK = 1024
const BLOCK_WORDS = BLOCK / 32

/** How a block is written, in bits 24… of its directory word; below these, where it begins. A word of 0: the block holds nothing. */
const DENSE = 11
const FULL = 12
const AT = 0xffffff

/** A sparse block begins with the number of its files. */
const COUNT_BITS = 10

/**
 * What one appliance verifiably holds of one catalog, packed for asking: how many blocks of 1,024 files there are, a word for each, then the blocks. A block is the
 * Elias–Fano code of its indices (kind 1 + number of low bits), or a bitmap where that is no longer. Three files in a hundred take 33 KB of a
 * million, where a bitmap takes 125 KB. Immutable: a new inventory replaces it whole.
 * Source: Vigna, "Quasi-succinct indices", WSDM 2013.
 */
export type Inventory = Uint32Array

/** Packs an inventory. */
export function packInventory({ words }: FileSet): Inventory {
  const blocks = Math.ceil(words.length / BLOCK_WORDS)
  const counts = new Uint16Array(blocks)
  let length = 1 + blocks
  for (let b = 0; b < blocks; b++) {
    const end = Math.min(words.length, (b + 1) * BLOCK_WORDS)
    let count = 0
    for (let w = b * BLOCK_WORDS; w < end; w++) count += popCount(words[w]!)
    counts[b] = count
    length += BLOCK_SIZES[count]!
  }
  const packed = new Uint32Array(length)
  packed[0] = blocks
  let at = 1 + blocks
  for (let b = 0; b < blocks; b++) {
    const count = counts[b]!
    const kind = BLOCK_KINDS[count]!
    const size = BLOCK_SIZES[count]!
    packed[1 + b] = kind === 0 ? 0 : ((kind << 24) | at) >>> 0
    const block = words.subarray(b * BLOCK_WORDS, (b + 1) * BLOCK_WORDS)
    if (kind === DENSE) packed.set(block, at)
    else if (size > 0) packSparse(packed, at, block, count, kind - 1)
    at += size
  }
  return packed
}

/** By how many files a block holds: the kind that is shortest, and its words. */
const BLOCK_KINDS = new Uint8Array(BLOCK + 1)
const BLOCK_SIZES = new Uint8Array(BLOCK + 1)
for (let count = 1; count < BLOCK; count++) {
  BLOCK_KINDS[count] = DENSE
  BLOCK_SIZES[count] = BLOCK_WORDS
  for (let low = 0; low < 10; low++) {
    const size = Math.ceil((COUNT_BITS + count + (BLOCK >> low) + count * low) / 32)
    if (size >= BLOCK_SIZES[count]!) continue
    BLOCK_KINDS[count] = low + 1
    BLOCK_SIZES[count] = size
  }
}
BLOCK_KINDS[BLOCK] = FULL

/** Count; then for each value of the high bits a one per file and a zero; then the low bits of each file. */
function packSparse(packed: Uint32Array, at: number, block: Uint32Array, count: number, low: number): void {
  const start = at * 32
  packed[at] = count
  let unary = start + COUNT_BITS
  let lows = unary + count + (BLOCK >> low)
  let bucket = 0
  for (let w = 0; w < block.length; w++) {
    for (let word = block[w]!; word !== 0; word &= word - 1) {
      const file = w * 32 + 31 - Math.clz32(word & -word)
      unary += (file >>> low) - bucket
      bucket = file >>> low
      packed[unary >>> 5]! |= 1 << (unary & 31)
      unary++
      const value = file & ((1 << low) - 1)
      packed[lows >>> 5]! |= value << (lows & 31)
      if ((lows & 31) + low > 32) packed[(lows >>> 5) + 1]! |= value >>> (32 - (lows & 31))
      lows += low
    }
  }
}

/** Whether the file of that index is held. Any index that is no file's is not. */
export function holds(inventory: Inventory, file: number): boolean {
  const block = file >>> 10
  if (block >= inventory[0]!) return false
  const entry = inventory[1 + block]!
  if (entry === 0) return false
  const kind = entry >>> 24
  if (kind === FULL) return true
  const at = entry & AT
  if (kind === DENSE) return (inventory[at + ((file >>> 5) & 31)]! & (1 << (file & 31))) !== 0
  return holdsSparse(inventory, at, kind - 1, file & (BLOCK - 1))
}

function holdsSparse(inventory: Inventory, at: number, low: number, file: number): boolean {
  const count = inventory[at]! & ((1 << COUNT_BITS) - 1)
  const bucket = file >>> low
  // The files of a bucket come after as many zeros as there are buckets before it.
  let position = at * 32 + COUNT_BITS
  const unary = position
  if (bucket > 0) {
    let zeros = bucket
    let word = position >>> 5
    let bits = ~inventory[word]! & (-1 << COUNT_BITS)
    for (;;) {
      const here = popCount(bits)
      if (here >= zeros) break
      zeros -= here
      word++
      bits = ~inventory[word]!
    }
    while (--zeros > 0) bits &= bits - 1
    position = word * 32 + 32 - Math.clz32(bits & -bits)
  }
  const value = file & ((1 << low) - 1)
  let lows = unary + count + (BLOCK >> low) + (position - unary - bucket) * low
  while ((inventory[position >>> 5]! >>> (position & 31)) & 1) {
    const shift = lows & 31
    let there = inventory[lows >>> 5]! >>> shift
    if (shift + low > 32) there |= inventory[(lows >>> 5) + 1]! << (32 - shift)
    if ((there & ((1 << low) - 1)) === value) return true
    position++
    lows += low
  }
  return false
}
