import { mix } from '../hash.ts'

/**
 * Files of like density, for one class of demand. Density of a file is its demand per byte, `share / size`: what a byte of storage earns. Prices only ever
 * ask how a file's density compares with a cut-off, so files of nearly equal density can be decided on together.
 */
export interface Bands {
  /** What they were cut from. */
  readonly share: Float64Array
  readonly sizes: Float64Array
  /** How often each file index is stored, 0 where it is not to be placed, or `ONLY_ABOVE`: all that is said of bytes here is of all copies together, but `sizes` and `sizeAt`. */
  readonly copies: Uint8Array
  /** The last band holds the files that nobody asks for. */
  readonly count: number
  /** Band of each file index; `NO_BAND` for files that are not to be placed. */
  readonly of: Uint16Array
  /** Per band: share of the class's demand, bytes, and the highest density of a file in it (infinite where a file of 0 bytes is asked for). */
  readonly demand: Float64Array
  readonly bytes: Float64Array
  readonly top: Float64Array
  /**
   * File indices, the densest band first; those of band g are `order[start[g]]` to `order[start[g + 1] - 1]`, by their place in it. A file's position is where it
   * stands here.
   */
  readonly order: Uint32Array
  readonly start: Uint32Array
  /** By position, so that a pass over a band reads memory in order: share, bytes of a copy, copies, hash and place of each file. */
  readonly shareAt: Float64Array
  readonly sizeAt: Float64Array
  readonly copiesAt: Uint8Array
  readonly hashAt: Uint32Array
  readonly placeAt: Float64Array
}

/** What all classes share; columns by file index. */
export interface PlacedFiles {
  /** Bytes. */
  readonly sizes: Float64Array
  /** 32 bits of each file's identity. */
  readonly hashes: Uint32Array
  /** Where each file stands among others, 0–1, by hash. */
  readonly places: Float64Array
  /** File indices by rising place. */
  readonly byPlace: Uint32Array
}

const PLACE_SALT = 0x5bd1e995

export function placedFiles(sizes: Float64Array, hashes: Uint32Array): PlacedFiles {
  const count = sizes.length
  const places = new Float64Array(count)
  // Place and index in one number, for a numeric sort: 2^53 holds 32 bits of place beside two million indices, fewer bits beside more.
  const coarse = 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(1, count))) - 21)
  const keys = new Float64Array(count)
  for (let f = 0; f < count; f++) {
    const place = mix(hashes[f]! ^ PLACE_SALT)
    places[f] = place / 4294967296
    keys[f] = Math.floor(place / coarse) * count + f
  }
  keys.sort()
  return { sizes, hashes, places, byPlace: Uint32Array.from(keys, (key) => key % count) }
}

/** Log-density is cut this fine before neighbours are joined. */
const FINE = 1 << 16
/** Copies of a file that a parent may hold, but no appliance here has the room for. */
export const ONLY_ABOVE = 255
/** By copies: how many times its bytes a file takes. So much that no price would have it here, where it cannot be. */
export const STORED: Float64Array = Float64Array.from({ length: 256 }, (_, copies) =>
  copies === ONLY_ABOVE ? 1e6 : copies,
)
/** Of files that are not to be placed. */
export const NO_BAND = 0xffff

/**
 * Cuts the files into about `wanted` bands (at most 60,000), each with a like part of the demand, of the bytes and of the range of log-density together: so bands are
 * narrow where much is at stake. `copies`: how often each file is stored, 0 for those that are not to be placed. `share`: the part of the class's demanded bytes that each
 * file stands for, summing to 1. O(files).
 */
export function cutBands(files: PlacedFiles, share: Float64Array, copies: Uint8Array, wanted: number): Bands {
  const { sizes } = files
  const logs = new Float64Array(sizes.length)
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  let allBytes = 0
  for (let f = 0; f < sizes.length; f++) {
    if (!copies[f]) continue
    allBytes += sizes[f]!
    if (!(share[f]! > 0)) logs[f] = Number.NEGATIVE_INFINITY
    else if (sizes[f] === 0) logs[f] = Number.POSITIVE_INFINITY
    else {
      const log = Math.log(share[f]! / (sizes[f]! * STORED[copies[f]!]!))
      logs[f] = log
      if (log < low) low = log
      if (log > high) high = log
    }
  }
  const step = (high - low) / (FINE - 3)
  const fineOf = new Uint16Array(sizes.length).fill(NO_BAND)
  const mass = new Float64Array(FINE)
  for (let f = 0; f < sizes.length; f++) {
    if (!copies[f]) continue
    const fine = fineBand(logs[f]!, high, step)
    fineOf[f] = fine
    mass[fine]! += share[f]! + (allBytes > 0 ? sizes[f]! / allBytes : 0)
  }
  return collect(files, share, copies, fineOf, joined(mass, wanted))
}

/** 0: empty files that are asked for; FINE - 2: what nobody asks for; the others by falling density. */
function fineBand(log: number, high: number, step: number): number {
  if (log === Number.POSITIVE_INFINITY) return 0
  if (log === Number.NEGATIVE_INFINITY) return FINE - 2
  return step > 0 ? 1 + Math.min(FINE - 4, Math.floor((high - log) / step)) : 1
}

/** The band of each fine band: neighbours are joined until they have their part of the mass. */
function joined(mass: Float64Array, wanted: number): Uint16Array {
  const bandOf = new Uint16Array(FINE)
  const part = 3 / Math.max(1, wanted - 2)
  let band = 0
  let sum = 0
  let empty = true
  for (let fine = 0; fine < FINE - 2; fine++) {
    const more = mass[fine]! + 1 / FINE
    if (!empty && mass[fine]! > 0 && (sum + more > part || fine === 1)) {
      band++
      sum = 0
    }
    bandOf[fine] = band
    sum += more
    if (mass[fine]! > 0) empty = false
  }
  bandOf[FINE - 2] = band + 1
  return bandOf
}

function collect(
  { sizes, hashes, places, byPlace }: PlacedFiles,
  share: Float64Array,
  copies: Uint8Array,
  fineOf: Uint16Array,
  bandOf: Uint16Array,
): Bands {
  const count = bandOf[FINE - 2]! + 1
  const of = new Uint16Array(sizes.length).fill(NO_BAND)
  const demand = new Float64Array(count)
  const bytes = new Float64Array(count)
  const top = new Float64Array(count)
  const start = new Uint32Array(count + 1)
  for (let f = 0; f < sizes.length; f++) {
    if (!copies[f]) continue
    const band = bandOf[fineOf[f]!]!
    of[f] = band
    demand[band]! += share[f]!
    bytes[band]! += sizes[f]! * STORED[copies[f]!]!
    start[band + 1]!++
    const density = share[f]! > 0 ? share[f]! / (sizes[f]! * STORED[copies[f]!]!) : 0
    if (density > top[band]!) top[band] = density
  }
  for (let band = 0; band < count; band++) start[band + 1]! += start[band]!
  const next = start.slice(0, count)
  const order = new Uint32Array(start[count]!)
  for (const f of byPlace) if (copies[f]) order[next[of[f]!]!++] = f
  const [shareAt, sizeAt, placeAt] = [share, sizes, places].map((column) => {
    const at = new Float64Array(order.length)
    for (let p = 0; p < order.length; p++) at[p] = column[order[p]!]!
    return at
  }) as [Float64Array, Float64Array, Float64Array]
  const hashAt = new Uint32Array(order.length)
  const copiesAt = new Uint8Array(order.length)
  for (let p = 0; p < order.length; p++) {
    hashAt[p] = hashes[order[p]!]!
    copiesAt[p] = copies[order[p]!]!
  }
  return {
    share,
    sizes,
    copies,
    count,
    of,
    demand,
    bytes,
    top,
    order,
    start,
    shareAt,
    sizeAt,
    copiesAt,
    hashAt,
    placeAt,
  }
}

/** The first position from `start` whose value is not below `limit`; `end` where there is none. Values rise. */
export function firstFrom(values: Float64Array, limit: number, start: number, end: number): number {
  let [low, high] = [start, end]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! < limit) low = middle + 1
    else high = middle
  }
  return low
}

/** The place of a file among those of its band that the trunk holds, or among those that it does not, 0–1. */
export function placeWithin(place: number, held: number): number {
  return place < held ? place / held : (place - held) / (1 - held)
}
