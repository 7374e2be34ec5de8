import { LINE_WORDS } from './line-arena.ts'
import { type Layout, readBits } from './shelf.ts'

/**
 * Files of a shelf outside of its lines are keys: the scattered number << 4 | who, so that keys of a line are apart from those of any other.
 * This writes and reads the lines that `shelf.ts` draws, and sorts keys as lines want them.
 */

/** Sorts keys by line, as they come within it: those of line i are `sorted[ends[i - 1]] … sorted[ends[i] - 1]`. */
export function sortByLine({ span, lines }: Layout, keys: Uint32Array) {
  // A half more than the number never comes so near to a whole line that the product's rounding mattered: numbers are below 2^28.
  const share = 1 / span
  const ends = new Uint32Array(lines + 1)
  for (let i = 0; i < keys.length; i++) ends[((((keys[i]! >>> 4) + 0.5) * share) | 0) + 1]!++
  for (let line = 1; line <= lines; line++) ends[line]! += ends[line - 1]!
  const sorted = new Uint32Array(keys.length)
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    sorted[ends[(((key >>> 4) + 0.5) * share) | 0]!++] = key
  }
  return { sorted, ends }
}

/** Sorts keys `from` … `to` - 1, of the line whose numbers begin at `base`, by bucket, as they come within it. `starts`: a word per bucket and one more. */
export function sortByBucket(
  keys: Uint32Array,
  from: number,
  to: number,
  base: number,
  lowBits: number,
  starts: Uint32Array,
  sorted: Uint32Array,
): void {
  starts.fill(0)
  for (let i = from; i < to; i++) starts[(((keys[i]! >>> 4) - base) >>> lowBits) + 1]!++
  for (let b = 1; b < starts.length; b++) starts[b]! += starts[b - 1]!
  for (let i = from; i < to; i++) {
    const key = keys[i]!
    sorted[starts[((key >>> 4) - base) >>> lowBits]!++] = key
  }
}

/** Writes the line of these keys, which are sorted by bucket. Adds to `spilled` those for which it has no room. */
export function encodeLine(
  words: Uint32Array,
  from: number,
  { buckets, capacity, lowBits, whoBits }: Layout,
  base: number,
  keys: Uint32Array,
  count: number,
  spilled: number[],
): void {
  for (let w = from; w < from + LINE_WORDS; w++) words[w] = 0
  const width = lowBits + whoBits
  const lowMask = (1 << lowBits) - 1
  const whoMask = (1 << whoBits) - 1
  const there = Math.min(count, capacity)
  let at = from + ((buckets + capacity) >>> 5)
  let shift = (buckets + capacity) & 31
  // What has not filled its word yet.
  let open = 0
  for (let i = 0; i < there; i++) {
    const key = keys[i]!
    const rest = (key >>> 4) - base
    const bit = (rest >>> lowBits) + i
    words[from + (bit >>> 5)]! |= 1 << (bit & 31)
    const entry = (rest & lowMask) | ((key & whoMask) << lowBits)
    open |= entry << shift
    shift += width
    if (shift < 32) continue
    words[at]! |= open
    at++
    shift -= 32
    open = shift === 0 ? 0 : entry >>> (width - shift)
  }
  if (open !== 0) words[at]! |= open
  if (count <= capacity) return
  words[from + LINE_WORDS - 1]! |= 1 << 31
  for (let i = capacity; i < count; i++) spilled.push(keys[i]!)
}

/** Reads the keys of a line to the start of `keys`, by bucket. Returns how many there are: `capacity` at most. */
export function decodeLine(
  words: Uint32Array,
  from: number,
  { buckets, capacity, lowBits, whoBits, lone }: Layout,
  base: number,
  keys: Uint32Array,
): number {
  const entries = buckets + capacity
  const width = lowBits + whoBits
  const lowMask = (1 << lowBits) - 1
  let count = 0
  let place = entries
  for (let first = 0; first < entries; first += 32) {
    let left = words[from + (first >>> 5)]!
    if (entries - first < 32) left &= (1 << (entries - first)) - 1
    while (left !== 0) {
      const bucket = first + 31 - Math.clz32(left & -left) - count
      const entry = readBits(words, from, place, width)
      const who = whoBits === 0 ? lone : entry >>> lowBits
      keys[count++] = ((base + (bucket << lowBits) + (entry & lowMask)) << 4) | who
      place += width
      left &= left - 1
    }
  }
  return count
}
