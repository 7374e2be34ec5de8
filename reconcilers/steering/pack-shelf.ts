import { FileSet } from '../blobs/file-set.ts'
import { popCount } from '../blobs/pop-count.ts'
import { LINE_WORDS } from './line-arena.ts'
import { decodeLine, encodeLine, sortByBucket, sortByLine } from './line-codec.ts'
import {
  gather,
  type Layout,
  layoutAt,
  layoutOf,
  MAX_FILES,
  RECORD_WORDS,
  SHELF,
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

/**
 * Packs the inventories of up to four appliances; undefined: it holds nothing. Returns undefined when nobody does. Files from `MAX_FILES` on are left out.
 * `grows`: the spill is twice as large, so that there is room for some per cent more.
 */
export function packShelf(members: readonly (FileSet | undefined)[], grows = false): PackedShelf | undefined {
  const sets = members.map((files) => files?.words.subarray(0, MAX_FILES / 32) ?? NOTHING)
  let who = 0
  let used = 0
  sets.forEach((words, m) => {
    let end = words.length
    while (end > 0 && words[end - 1] === 0) end--
    if (end > 0) who |= 1 << m
    used = Math.max(used, end)
  })
  if (used === 0) return undefined
  const [a, b, c, d] = Array.from({ length: SHELF }, (_, m) => longAs(sets[m] ?? NOTHING, used))
  let files = 0
  for (let w = 0; w < used; w++) files += popCount(a![w]! | b![w]! | c![w]! | d![w]!)
  const layout = layoutOf(files, Math.max(5, Math.ceil(Math.log2(used * 32))), who)
  return writeLines(layout, keysOf(a!, b!, c!, d!, used, layout.bits, files), grows)
}

const NOTHING = new Uint32Array(0)

/** So many words at least. */
function longAs(words: Uint32Array, count: number): Uint32Array {
  if (words.length >= count) return words
  const longer = new Uint32Array(count)
  longer.set(words)
  return longer
}

/** The keys of what anybody holds, by index. */
function keysOf(
  a: Uint32Array,
  b: Uint32Array,
  c: Uint32Array,
  d: Uint32Array,
  used: number,
  bits: number,
  files: number,
): Uint32Array {
  const keys = new Uint32Array(files)
  let n = 0
  for (let w = 0; w < used; w++) {
    const first = a[w]!
    const second = b[w]!
    const third = c[w]!
    const fourth = d[w]!
    for (let left = first | second | third | fourth; left !== 0; left &= left - 1) {
      const bit = 31 - Math.clz32(left & -left)
      const who =
        ((first >>> bit) & 1) |
        (((second >>> bit) & 1) << 1) |
        (((third >>> bit) & 1) << 2) |
        (((fourth >>> bit) & 1) << 3)
      keys[n++] = (scatter(w * 32 + bit, bits) << 4) | who
    }
  }
  return keys
}

function writeLines(layout: Layout, keys: Uint32Array, grows: boolean): PackedShelf {
  const { span, lines, buckets, lowBits } = layout
  const { sorted, ends } = sortByLine(layout, keys)
  const words = new Uint32Array(lines * LINE_WORDS)
  const spilled: number[] = []
  const starts = new Uint32Array(buckets + 1)
  let longest = 0
  for (let line = 0, first = 0; line < lines; line++) {
    longest = Math.max(longest, ends[line]! - first)
    first = ends[line]!
  }
  const ofLine = new Uint32Array(longest)
  for (let line = 0, first = 0; line < lines; line++) {
    const end = ends[line]!
    sortByBucket(sorted, first, end, line * span, lowBits, starts, ofLine)
    encodeLine(words, line * LINE_WORDS, layout, line * span, ofLine, end - first, spilled)
    first = end
  }
  if (spilled.length === 0) return { layout, spillBits: 0, words }
  // Half empty at least, so that a search ends soon.
  const spillBits = Math.ceil(Math.log2(spilled.length * (grows ? 4 : 2)))
  const all = new Uint32Array(words.length + spillLines(spillBits) * LINE_WORDS)
  all.set(words)
  writeSpill(all, words.length, spillBits, spilled)
  return { layout, spillBits, words: all }
}

/** Writes a spill of 2^spillBits words, more than there are keys. */
export function writeSpill(words: Uint32Array, from: number, spillBits: number, spilled: readonly number[]): void {
  words.fill(0, from, from + 2 ** spillBits)
  const mask = 2 ** spillBits - 1
  for (const key of spilled) {
    let slot = spillSlot(key >>> 4, spillBits)
    while (words[from + slot] !== 0) slot = (slot + 1) & mask
    words[from + slot] = key
  }
}

/** The keys in the spill of this record, in order. */
export function readSpill(words: Uint32Array, records: Uint32Array, shelf: number): Uint32Array {
  const { lines, spillBits } = layoutAt(records, shelf)
  if (spillBits === 0) return NOTHING
  const from = (records[shelf * RECORD_WORDS]! + lines) * LINE_WORDS
  return words
    .slice(from, from + 2 ** spillBits)
    .filter((word) => word !== 0)
    .sort()
}

/**
 * What one member of the shelf of this record holds, and how many files there are on it. `spilled`: the keys for which its lines have no room, where they are
 * not yet in the spill.
 */
export function readMember(
  words: Uint32Array,
  records: Uint32Array,
  shelf: number,
  member: number,
  spilled: ArrayLike<number> = readSpill(words, records, shelf),
): { readonly set: FileSet; readonly files: number } {
  const layout = layoutAt(records, shelf)
  const { bits, span, lines, capacity } = layout
  const set = new Uint32Array(2 ** bits / 32)
  const keys = new Uint32Array(capacity)
  const first = records[shelf * RECORD_WORDS]!
  let files = spilled.length
  for (let line = 0; line < lines; line++) {
    const count = decodeLine(words, (first + line) * LINE_WORDS, layout, line * span, keys)
    files += count
    addTo(set, keys, count, member, bits)
  }
  addTo(set, spilled, spilled.length, member, bits)
  return { set: new FileSet(set), files }
}

/** What each member of the shelf of this record holds, read in one go; `spilled` as for `readMember`. */
export function readMembers(
  words: Uint32Array,
  records: Uint32Array,
  shelf: number,
  spilled: ArrayLike<number> = readSpill(words, records, shelf),
): FileSet[] {
  const layout = layoutAt(records, shelf)
  const { bits, span, lines, capacity } = layout
  const sets = Array.from({ length: SHELF }, () => new Uint32Array(2 ** bits / 32))
  const keys = new Uint32Array(capacity)
  const first = records[shelf * RECORD_WORDS]!
  for (let line = 0; line < lines; line++) {
    const count = decodeLine(words, (first + line) * LINE_WORDS, layout, line * span, keys)
    addAll(sets, keys, count, bits)
  }
  addAll(sets, spilled, spilled.length, bits)
  return sets.map((set) => new FileSet(set))
}

/** Adds the files that a member holds. Without a branch, as nobody can foresee which these are. */
function addTo(set: Uint32Array, keys: ArrayLike<number>, count: number, member: number, bits: number): void {
  for (let i = 0; i < count; i++) {
    const key = keys[i]!
    const file = gather(key >>> 4, bits)
    set[file >>> 5]! |= ((key >>> member) & 1) << (file & 31)
  }
}

/** Adds files to the sets of those that hold them. As `addTo`. */
function addAll([a, b, c, d]: readonly Uint32Array[], keys: ArrayLike<number>, count: number, bits: number): void {
  for (let i = 0; i < count; i++) {
    const key = keys[i]!
    const file = gather(key >>> 4, bits)
    const w = file >>> 5
    a![w]! |= (key & 1) << (file & 31)
    b![w]! |= ((key >>> 1) & 1) << (file & 31)
    c![w]! |= ((key >>> 2) & 1) << (file & 31)
    d![w]! |= ((key >>> 3) & 1) << (file & 31)
  }
}

/** What one member of the shelf of this record holds. */
export const unpackMember = (words: Uint32Array, records: Uint32Array, shelf: number, member: number): FileSet =>
  readMember(words, records, shelf, member).set
