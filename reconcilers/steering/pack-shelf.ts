import { FileSet } from '../blobs/file-set.ts'
import { LINE_WORDS } from './line-arena.ts'
import {
  findHolders,
  gather,
  type Layout,
  layoutAt,
  layoutOf,
  MAX_FILES,
  putRecord,
  RECORD_WORDS,
  readBits,
  scatter,
  spillLines,
  spillSlot,
} from './shelf.ts'

/** A shelf by itself, as `shelf.ts` draws it: its lines, then the spill. */
export interface PackedShelf {
  readonly layout: Layout
  readonly spillBits: number
  readonly words: Uint32Array
}

/** Packs the inventories of up to four appliances; undefined: it holds nothing. Returns undefined when nobody does. Files from `MAX_FILES` on are left out. */
export function packShelf(members: readonly (FileSet | undefined)[]): PackedShelf | undefined {
  const sets = members.map((files) => files?.words ?? NOTHING)
  const longest = Math.min(MAX_FILES / 32, Math.max(...sets.map((words) => words.length)))
  const union = new Uint32Array(longest)
  let who = 0
  let used = 0
  let files = 0
  sets.forEach((words, m) => {
    for (let w = 0; w < longest && w < words.length; w++) {
      if (words[w] === 0) continue
      union[w]! |= words[w]!
      who |= 1 << m
      used = Math.max(used, w + 1)
    }
  })
  for (let w = 0; w < used; w++) for (let word = union[w]!; word !== 0; word &= word - 1) files++
  if (files === 0) return undefined
  const layout = layoutOf(files, Math.max(5, Math.ceil(Math.log2(used * 32))), who)
  const sorted = sortByBucket(layout, union, used, files)
  return writeLines(layout, sorted, sets)
}

const NOTHING = new Uint32Array(0)

/** Calls `visit` with each set bit's index. */
function forEachFile(union: Uint32Array, used: number, visit: (file: number) => void): void {
  for (let w = 0; w < used; w++) {
    for (let word = union[w]!; word !== 0; word &= word - 1) visit(w * 32 + 31 - Math.clz32(word & -word))
  }
}

/** The scattered numbers by line, then bucket. */
function sortByBucket(
  { bits, span, lines, buckets, lowBits }: Layout,
  union: Uint32Array,
  used: number,
  files: number,
): Uint32Array {
  const start = new Uint32Array(lines * buckets + 1)
  const bucketOf = (scattered: number) => {
    const line = Math.trunc(scattered / span)
    return line * buckets + ((scattered - line * span) >>> lowBits)
  }
  forEachFile(union, used, (file) => {
    start[bucketOf(scatter(file, bits)) + 1]!++
  })
  for (let b = 1; b < start.length; b++) start[b]! += start[b - 1]!
  const sorted = new Uint32Array(files)
  forEachFile(union, used, (file) => {
    const scattered = scatter(file, bits)
    sorted[start[bucketOf(scattered)]!++] = scattered
  })
  return sorted
}

function writeLines(layout: Layout, sorted: Uint32Array, sets: readonly Uint32Array[]): PackedShelf {
  const { bits, span, lines, buckets, lowBits, whoBits, capacity } = layout
  const words = new Uint32Array(lines * LINE_WORDS)
  const spilled: number[] = []
  const lowMask = 2 ** lowBits - 1
  let line = -1
  let count = 0
  for (const scattered of sorted) {
    const at = Math.trunc(scattered / span)
    if (at !== line) count = 0
    line = at
    const from = line * LINE_WORDS
    const file = gather(scattered, bits)
    const who = whoHolds(sets, file)
    if (count === capacity) {
      words[from + LINE_WORDS - 1]! |= 1 << 31
      spilled.push(((scattered << 4) | who) >>> 0)
      continue
    }
    const rest = scattered - line * span
    putBits(words, from, (rest >>> lowBits) + count, 1, 1)
    const entry = (rest & lowMask) + (whoBits === 0 ? 0 : who * 2 ** lowBits)
    putBits(words, from, buckets + capacity + count * (lowBits + whoBits), lowBits + whoBits, entry)
    count++
  }
  return withSpill(layout, words, spilled)
}

function whoHolds(sets: readonly Uint32Array[], file: number): number {
  let who = 0
  for (let m = 0; m < sets.length; m++) who |= (((sets[m]![file >>> 5] ?? 0) >>> (file & 31)) & 1) << m
  return who
}

function putBits(words: Uint32Array, from: number, bit: number, width: number, value: number): void {
  const at = from + (bit >>> 5)
  const shift = bit & 31
  words[at]! |= value << shift
  if (shift + width > 32) words[at + 1]! |= value >>> (32 - shift)
}

/** A spill is half empty at least, so that a search ends soon. */
function withSpill(layout: Layout, lines: Uint32Array, spilled: readonly number[]): PackedShelf {
  if (spilled.length === 0) return { layout, spillBits: 0, words: lines }
  const spillBits = Math.ceil(Math.log2(spilled.length * 2))
  const words = new Uint32Array(lines.length + spillLines(spillBits) * LINE_WORDS)
  words.set(lines)
  const mask = 2 ** spillBits - 1
  for (const word of spilled) {
    let slot = spillSlot(word >>> 4, spillBits)
    while (words[lines.length + slot] !== 0) slot = (slot + 1) & mask
    words[lines.length + slot] = word
  }
  return { layout, spillBits, words }
}

/** What one member of the shelf of this record holds. */
export function unpackMember(words: Uint32Array, records: Uint32Array, shelf: number, member: number): FileSet {
  const { bits, span, lines, buckets, lowBits, whoBits, lone, capacity, spillBits } = layoutAt(records, shelf)
  const set = new Uint32Array(2 ** bits / 32)
  const width = lowBits + whoBits
  const first = records[shelf * RECORD_WORDS]!
  const add = (scattered: number) => {
    const file = gather(scattered, bits)
    set[file >>> 5]! |= 1 << (file & 31)
  }
  for (let line = 0; line < lines; line++) {
    const from = (first + line) * LINE_WORDS
    let bucket = 0
    for (let bit = 0; bucket < buckets; bit++) {
      if (readBits(words, from, bit, 1) === 0) {
        bucket++
        continue
      }
      const entry = readBits(words, from, buckets + capacity + (bit - bucket) * width, width)
      const who = whoBits === 0 ? lone : entry >>> lowBits
      const low = entry & (2 ** lowBits - 1)
      if (((who >>> member) & 1) === 1) add(line * span + bucket * 2 ** lowBits + low)
    }
  }
  const spill = (first + lines) * LINE_WORDS
  for (let slot = 0; spillBits > 0 && slot < 2 ** spillBits; slot++) {
    const word = words[spill + slot]!
    if (((word >>> member) & 1) === 1) add(word >>> 4)
  }
  return new FileSet(set)
}

/** A shelf by itself with a record of its own: what tests and tools ask. */
export function shelfAlone({ layout, spillBits, words }: PackedShelf) {
  const records = new Uint32Array(RECORD_WORDS)
  putRecord(records, 0, 0, layout, spillBits)
  return {
    holdersOf: (file: number) => findHolders(words, records, 0, file),
    unpackMember: (member: number) => unpackMember(words, records, 0, member),
  }
}
