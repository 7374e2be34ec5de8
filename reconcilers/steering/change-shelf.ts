import { LINE_WORDS } from './line-arena.ts'
import { decodeLine, encodeLine, sortByBucket, sortByLine } from './line-codec.ts'
import { readSpill, writeSpill } from './pack-shelf.ts'
import { type Layout, layoutAt, RECORD_WORDS, scatter } from './shelf.ts'

/** Of a line, so many times as many keys as it has room for are merged; more come only of sets made to crowd it. */
const CROWDED = 4

/** Of a spill, so much may be in use before the shelf is packed anew: a search ends soon still. */
const FULL_SPILL = 0.75

/** Files more than there are for which trying to find room is not worth it. */
const MORE_FILES = 0.15

/** What became of a shelf: how many files there are on it now, and those that its lines have no room for. */
export interface Changed {
  readonly files: number
  readonly spilled: readonly number[]
  /** Whether `spilled` has to be written. */
  readonly isSpillStale: boolean
}

/**
 * Takes up what a member holds now, `after`, in place of `before`, line by line where something changes. `files`: how many there are on the shelf. Undefined,
 * and nothing has been done: it does not go with the layout. Of what it returns, the spill is to be written by `putSpill`, or the shelf to be packed anew.
 */
export function changeLines(
  words: Uint32Array,
  records: Uint32Array,
  shelf: number,
  member: number,
  before: Uint32Array,
  after: Uint32Array,
  files: number,
): Changed | undefined {
  const layout = layoutAt(records, shelf)
  const flips = flipsOf(layout, member, before, after, files)
  if (!flips) return undefined
  const old = readSpill(words, records, shelf)
  const { sorted, ends } = sortByLine(layout, flips)
  if (isCrowded(layout, ends, old)) return undefined
  const { span, lines, capacity, buckets, lowBits } = layout
  const first = records[shelf * RECORD_WORDS]!
  const keys = new Uint32Array((CROWDED + 1) * capacity)
  const byBucket = new Uint32Array(keys.length)
  const starts = new Uint32Array(buckets + 1)
  const spilled: number[] = []
  let isSpillStale = false
  let count = files
  let next = 0
  let from = 0
  for (let line = 0; line < lines; line++) {
    const to = ends[line]!
    if (from === to) continue
    const base = line * span
    while (next < old.length && old[next]! >>> 4 < base) spilled.push(old[next++]!)
    const at = (first + line) * LINE_WORDS
    let n = decodeLine(words, at, layout, base, keys)
    const spilledBefore = next
    while (next < old.length && old[next]! >>> 4 < base + span) keys[n++] = old[next++]!
    const there = n
    while (from < to) keys[n++] = sorted[from++]!
    sortByBucket(keys, 0, n, base, lowBits, starts, byBucket)
    const left = flip(byBucket, n, base, lowBits)
    encodeLine(words, at, layout, base, byBucket, left, spilled)
    count += left - there
    isSpillStale ||= next > spilledBefore || left > capacity
  }
  while (next < old.length) spilled.push(old[next++]!)
  return { files: count, spilled, isSpillStale }
}

/** Writes the spill of a shelf that has been changed. False, and nothing has been done: there is no room. */
export function putSpill(
  words: Uint32Array,
  records: Uint32Array,
  shelf: number,
  { spilled, isSpillStale }: Changed,
): boolean {
  if (!isSpillStale) return true
  const { lines, spillBits } = layoutAt(records, shelf)
  if (spillBits === 0) return spilled.length === 0
  if (spilled.length > 2 ** spillBits * FULL_SPILL) return false
  writeSpill(words, (records[shelf * RECORD_WORDS]! + lines) * LINE_WORDS, spillBits, spilled)
  return true
}

/** Keys of the files that a member has more or less than before; undefined where the layout cannot have them. */
function flipsOf(
  { bits, whoBits, lone }: Layout,
  member: number,
  before: Uint32Array,
  after: Uint32Array,
  files: number,
): Uint32Array | undefined {
  const used = 2 ** bits / 32
  for (let w = used; w < after.length; w++) if (after[w] !== 0) return undefined
  let more = 0
  let fewer = 0
  for (let w = 0; w < used; w++) {
    const now = after[w] ?? 0
    for (let left = now & ~before[w]!; left !== 0; left &= left - 1) more++
    for (let left = before[w]! & ~now; left !== 0; left &= left - 1) fewer++
  }
  const who = 1 << member
  const canHold = whoBits === 0 ? lone === who : member < whoBits
  if ((more > 0 && !canHold) || more - fewer > files * MORE_FILES) return undefined
  const flips = new Uint32Array(more + fewer)
  let n = 0
  for (let w = 0; w < used; w++) {
    for (let left = (after[w] ?? 0) ^ before[w]!; left !== 0; left &= left - 1) {
      flips[n++] = (scatter(w * 32 + 31 - Math.clz32(left & -left), bits) << 4) | who
    }
  }
  return flips
}

/** Whether a line that changes would have more keys, at some time, than are merged. */
function isCrowded({ span, lines, capacity }: Layout, ends: Uint32Array, spilled: Uint32Array): boolean {
  let next = 0
  for (let line = 0, from = 0; line < lines; line++) {
    const flips = ends[line]! - from
    from = ends[line]!
    if (flips === 0) continue
    while (next < spilled.length && spilled[next]! >>> 4 < line * span) next++
    const first = next
    while (next < spilled.length && spilled[next]! >>> 4 < (line + 1) * span) next++
    if (flips + next - first > CROWDED * capacity) return true
  }
  return false
}

/** Merges keys of the same number, of which the later ones say who holds the file no more or has come to: by bucket, as they are. Returns how many are left. */
function flip(keys: Uint32Array, count: number, base: number, lowBits: number): number {
  let n = 0
  for (let i = 0; i < count; i++) {
    const key = keys[i]!
    const number = key >>> 4
    const bucket = (number - base) >>> lowBits
    let j = n - 1
    while (j >= 0 && keys[j]! >>> 4 !== number && ((keys[j]! >>> 4) - base) >>> lowBits === bucket) j--
    if (j >= 0 && keys[j]! >>> 4 === number) keys[j]! ^= key & 15
    else keys[n++] = key
  }
  let left = 0
  for (let i = 0; i < n; i++) if ((keys[i]! & 15) !== 0) keys[left++] = keys[i]!
  return left
}
