import { LINE_WORDS } from './line-arena.ts'

/** Appliances whose inventories are packed together. */
export const SHELF = 4

/** Files that a shelf can have: higher indices are held by nobody. */
export const MAX_FILES = 2 ** 28

const LINE_BITS = 512
const LINE_SHIFT = Math.log2(LINE_WORDS)

/**
 * How a shelf's lines are laid out: what up to four appliances of a site verifiably hold of one catalog, so that asking all of them for a file reads one
 * cache line, whose place follows from the file's index alone.
 *
 * Indices are scattered over 0 … 2^bits - 1 (`scatter`, one to one); `span` of the scattered numbers share a line. Of a number's rest within its line the
 * high bits are its bucket, the low bits are written out, with who holds the file:
 *
 *     bit 0           buckets    buckets + capacity                                        511
 *     │ for each bucket its files as ones, then a zero │ per file: low bits, who │ … │ more │
 *
 * Who: a bit per member, or nothing where only one member holds anything. Files for which a line has no room are in the spill behind the lines, a hash
 * table of words: scattered number << 4 | who, 0 where free.
 */
export interface Layout {
  /** Of the universe: 5 … 28. */
  readonly bits: number
  /** Scattered numbers per line. */
  readonly span: number
  readonly lines: number
  readonly buckets: number
  readonly lowBits: number
  readonly whoBits: number
  /** Who holds what is there, where `whoBits` is 0. */
  readonly lone: number
  /** Files of a line. */
  readonly capacity: number
}

/** Lines are filled to this part on average: of a hundred, eight need the spill, for half a file in a hundred. */
export const FILL = 0.8

/** The layout for so many files below 2^bits. `who`: bits of the members that hold any. */
export function layoutOf(files: number, bits: number, who: number): Layout {
  const alone = (who & (who - 1)) === 0
  const whoBits = alone ? 0 : 32 - Math.clz32(who)
  const universe = 2 ** bits
  // As Elias and Fano would: about one file per bucket.
  const lowBits = Math.max(0, Math.floor(Math.log2(universe / files)))
  const perBucket = universe / files / 2 ** lowBits
  const mean = (LINE_BITS - 1) / ((1 + lowBits + whoBits) / FILL + perBucket)
  const span = Math.min(universe, Math.max(1, Math.floor((universe / files) * mean)))
  return layoutFrom(bits, span, lowBits, whoBits, alone ? who : 0)
}

function layoutFrom(bits: number, span: number, lowBits: number, whoBits: number, lone: number): Layout {
  const buckets = Math.ceil(span / 2 ** lowBits)
  const capacity = Math.floor((LINE_BITS - 1 - buckets) / (1 + lowBits + whoBits))
  return { bits, span, lines: Math.ceil(2 ** bits / span), buckets, lowBits, whoBits, lone, capacity }
}

/**
 * Words of a shelf's record: its first line in an arena; the span; the rest of its layout, packed (five bits of `bits`, five of `lowBits`, three of `whoBits`,
 * four of `lone`, five of the spill's size, nine of where a line's entries begin); its lines, without the spill. All 0 where nobody holds anything.
 */
export const RECORD_WORDS = 4

/** Writes what `findHolders` and `layoutAt` go by. `spillBits`: the spill is of 2^spillBits words; 0: there is none. */
export function putRecord(records: Uint32Array, shelf: number, start: number, layout: Layout, spillBits: number): void {
  const { bits, span, lines, buckets, lowBits, whoBits, lone, capacity } = layout
  const at = shelf * RECORD_WORDS
  records[at] = start
  records[at + 1] = span
  records[at + 2] =
    bits | (lowBits << 5) | (whoBits << 10) | (lone << 13) | (spillBits << 17) | ((buckets + capacity) << 22)
  records[at + 3] = lines
}

/** The layout of a shelf, and how large its spill is. */
export function layoutAt(records: Uint32Array, shelf: number): Layout & { readonly spillBits: number } {
  const span = records[shelf * RECORD_WORDS + 1]!
  const packed = records[shelf * RECORD_WORDS + 2]!
  const layout = layoutFrom(packed & 31, span, (packed >>> 5) & 31, (packed >>> 10) & 7, (packed >>> 13) & 15)
  return { ...layout, spillBits: (packed >>> 17) & 31 }
}

/** Lines that a spill of 2^spillBits words takes. */
export const spillLines = (spillBits: number) => (spillBits === 0 ? 0 : Math.ceil(2 ** spillBits / LINE_WORDS))

/** Spreads indices over 0 … 2^bits - 1, one to one, so that lines fill evenly whatever is held. */
export function scatter(file: number, bits: number): number {
  const mask = (1 << bits) - 1
  let h = Math.imul(file, 0x9e3779b1) & mask
  h ^= h >>> ((bits + 1) >>> 1)
  return Math.imul(h, 0x85ebca6b) & mask
}

/** The index that `scatter` makes this number of. */
export function gather(scattered: number, bits: number): number {
  const mask = (1 << bits) - 1
  // The inverses of the two factors modulo 2^32.
  let h = Math.imul(scattered, 0xa5cb9243) & mask
  h ^= h >>> ((bits + 1) >>> 1)
  return Math.imul(h, 0x0e8b2f51) & mask
}

/** Where a number is in a spill of 2^spillBits words, or would be. */
export const spillSlot = (scattered: number, spillBits: number) => Math.imul(scattered, 0x9e3779b1) >>> (32 - spillBits)

/** The first word of the line that a scattered number is in. Less than 2^30: an arena has 2^26 lines at most. */
function lineAt(records: Uint32Array, at: number, scattered: number): number {
  return (records[at]! + ((scattered / records[at + 1]!) | 0)) << LINE_SHIFT
}

/** Reads a record ahead of use: see `touchSite`. */
export const touchRecord = (records: Uint32Array | undefined, shelf: number) =>
  records === undefined ? 0 : (records[shelf * RECORD_WORDS + 2] ?? 0)

/** Reads the line of a file, for nothing but that it is on its way from memory while something else is done: see `touchSite`. */
export function touchLine(words: Uint32Array, records: Uint32Array, shelf: number, file: number): number {
  const at = shelf * RECORD_WORDS
  const bits = (records[at + 2] ?? 0) & 31
  if (bits === 0 || file >>> bits !== 0) return 0
  return words[lineAt(records, at, scatter(file, bits))]!
}

/**
 * Who holds the file of that index: a bit per member. Of any index that is no file's, nobody. Numbers are kept to 31 bits, by `|` instead of `+` where a line's
 * words are meant: the compiler would otherwise have to allow for larger ones, and calculate with floating point.
 */
export function findHolders(words: Uint32Array, records: Uint32Array, shelf: number, file: number): number {
  const at = (shelf * RECORD_WORDS) | 0
  const packed = (records[at + 2] ?? 0) | 0
  const bits = packed & 31
  // A record of a shelf with nothing has no bits.
  if (bits === 0 || file >>> bits !== 0) return 0
  const h = scatter(file, bits)
  const span = records[at + 1]! | 0
  const line = (h / span) | 0
  const rest = (h - Math.imul(line, span)) | 0
  const lowBits = (packed >>> 5) & 31
  const whoBits = (packed >>> 10) & 7
  const from = (records[at]! + line) << LINE_SHIFT
  const bucket = rest >>> lowBits
  const entries = packed >>> 22
  const width = lowBits + whoBits
  const lowMask = (1 << lowBits) - 1
  const low = rest & lowMask
  let bit = afterZeros(words, from, bucket, entries >>> 5)
  let place = (entries + Math.imul(bit - bucket, width)) | 0
  // Most buckets have one file at most, or none: what would be the first is read before it is known whether there is one.
  let entry = readBits(words, from, place, width)
  while (((words[from | (bit >>> 5)]! >>> (bit & 31)) & 1) === 1) {
    if ((entry & lowMask) === low) return whoBits === 0 ? (packed >>> 13) & 15 : entry >>> lowBits
    bit = (bit + 1) | 0
    place = (place + width) | 0
    entry = readBits(words, from, place, width)
  }
  // The line's last bit: whether more of its files are in the spill.
  if ((words[from | 15]! | 0) >= 0) return 0
  return findSpilled(words, (records[at]! + records[at + 3]!) * LINE_WORDS, (packed >>> 17) & 31, h)
}

/**
 * The bit after the n-th zero of a line, which is among its first `last` + 1 words; 0 for none. Without branches that depend on what is there: the
 * processor cannot foresee them, and what it has begun to read from memory on a wrong guess is of no use. `(x - y) >> 31` is all ones where x < y.
 */
function afterZeros(words: Uint32Array, from: number, zeros: number, last: number): number {
  let left = zeros | 0
  let word = 0
  let on = -1
  for (let i = 0; i < last; i++) {
    const count = ones(~words[from | i]!)
    on &= (count - left) >> 31
    left = (left - (count & on)) | 0
    word = (word - on) | 0
  }
  // The left-th one of a word: halves, quarters and so on are counted once, and each step takes the half that it is in.
  const v = ~words[from | word]!
  const pairs = v - ((v >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  const bytes = (fours + (fours >>> 4)) & 0x0f0f0f0f
  let count = (bytes + (bytes >>> 8)) & 0xff
  let beyond = (count - left) >> 31
  let at = beyond & 16
  left = (left - (count & beyond)) | 0
  count = (bytes >>> at) & 15
  beyond = (count - left) >> 31
  at |= beyond & 8
  left = (left - (count & beyond)) | 0
  count = (fours >>> at) & 15
  beyond = (count - left) >> 31
  at |= beyond & 4
  left = (left - (count & beyond)) | 0
  count = (pairs >>> at) & 3
  beyond = (count - left) >> 31
  at |= beyond & 2
  left = (left - (count & beyond)) | 0
  count = (v >>> at) & 1
  at = (at + (((count - left) >> 31) & 1)) | 0
  return ((word << 5) + at + 1 + ((zeros - 1) >> 31)) | 0
}

/** How many bits are set. */
function ones(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555)
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333)
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** `width` bits of a line, 32 at most, from `bit` on. */
export function readBits(words: Uint32Array, from: number, bit: number, width: number): number {
  if (width === 0) return 0
  const at = (from + (bit >>> 5)) | 0
  const shift = bit & 31
  let value = words[at]! >>> shift
  if (shift + width > 32) value |= words[(at + 1) | 0]! << (32 - shift)
  return width === 32 ? value >>> 0 : value & ((1 << width) - 1)
}

function findSpilled(words: Uint32Array, from: number, spillBits: number, scattered: number): number {
  if (spillBits === 0) return 0
  const mask = (1 << spillBits) - 1
  for (let slot = spillSlot(scattered, spillBits); ; slot = (slot + 1) & mask) {
    const word = words[from + slot]!
    if (word === 0) return 0
    if (word >>> 4 === scattered) return word & 15
  }
}
