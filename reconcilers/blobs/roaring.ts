import { popCount } from './pop-count.ts'

/**
 * The portable Roaring bitmap format (https://github.com/RoaringBitmap/RoaringFormatSpec), to and from dense 32-bit words.
 * A chunk of 2^16 values becomes whichever of array, bitmap and run container is smallest, so that any Roaring library reads
 * what Weir writes, and a catalog held whole takes a few bytes.
 */

const COOKIE_NO_RUNS = 12346
const COOKIE_RUNS = 12347
const NO_OFFSET_THRESHOLD = 4
const WORDS_PER_CHUNK = 2048
const ARRAY_MAX = 4096
const BITMAP_BYTES = 8192

interface Container {
  readonly key: number
  readonly cardinality: number
  readonly runs: number
  readonly kind: 'array' | 'bitmap' | 'run'
  readonly bytes: number
}

export function encodeRoaring(words: Uint32Array): Uint8Array {
  const containers: Container[] = []
  for (let start = 0; start < words.length; start += WORDS_PER_CHUNK) {
    const container = describe(words.subarray(start, start + WORDS_PER_CHUNK), start / WORDS_PER_CHUNK)
    if (container) containers.push(container)
  }
  const count = containers.length
  const hasRuns = containers.some((c) => c.kind === 'run')
  const hasOffsets = !hasRuns || count >= NO_OFFSET_THRESHOLD
  const headerBytes = (hasRuns ? 4 + Math.ceil(count / 8) : 8) + count * 4 + (hasOffsets ? count * 4 : 0)
  const out = new Uint8Array(headerBytes + containers.reduce((sum, c) => sum + c.bytes, 0))
  const view = new DataView(out.buffer)

  let at = 0
  if (hasRuns) {
    view.setUint32(0, (COOKIE_RUNS | ((count - 1) << 16)) >>> 0, true)
    containers.forEach((c, i) => {
      if (c.kind === 'run') out[4 + (i >> 3)]! |= 1 << (i & 7)
    })
    at = 4 + Math.ceil(count / 8)
  } else {
    view.setUint32(0, COOKIE_NO_RUNS, true)
    view.setUint32(4, count, true)
    at = 8
  }
  for (const c of containers) {
    view.setUint16(at, c.key, true)
    view.setUint16(at + 2, c.cardinality - 1, true)
    at += 4
  }
  if (hasOffsets) {
    let offset = headerBytes
    for (const c of containers) {
      view.setUint32(at, offset, true)
      at += 4
      offset += c.bytes
    }
  }
  for (const c of containers) {
    const chunk = words.subarray(c.key * WORDS_PER_CHUNK, (c.key + 1) * WORDS_PER_CHUNK)
    writeContainer(view, at, chunk, c)
    at += c.bytes
  }
  return out
}

function describe(chunk: Uint32Array, key: number): Container | undefined {
  let cardinality = 0
  let runs = 0
  let carry = 0
  for (let i = 0; i < chunk.length; i++) {
    const word = chunk[i]!
    cardinality += popCount(word)
    // A run starts at each set bit whose lower neighbour is clear.
    runs += popCount(word & ~((word << 1) | carry))
    carry = word >>> 31
  }
  if (cardinality === 0) return undefined
  const runBytes = 2 + runs * 4
  const plainBytes = cardinality <= ARRAY_MAX ? cardinality * 2 : BITMAP_BYTES
  if (runBytes < plainBytes) return { key, cardinality, runs, kind: 'run', bytes: runBytes }
  return { key, cardinality, runs, kind: cardinality <= ARRAY_MAX ? 'array' : 'bitmap', bytes: plainBytes }
}

function writeContainer(view: DataView, at: number, chunk: Uint32Array, container: Container): void {
  if (container.kind === 'bitmap') {
    for (let i = 0; i < chunk.length; i++) view.setUint32(at + i * 4, chunk[i]!, true)
    return
  }
  if (container.kind === 'array') {
    let to = at
    forEachBit(chunk, (value) => {
      view.setUint16(to, value, true)
      to += 2
    })
    return
  }
  view.setUint16(at, container.runs, true)
  let to = at + 2
  let start = -1
  let previous = -2
  const close = () => {
    if (start < 0) return
    view.setUint16(to, start, true)
    view.setUint16(to + 2, previous - start, true)
    to += 4
  }
  forEachBit(chunk, (value) => {
    if (value !== previous + 1) {
      close()
      start = value
    }
    previous = value
  })
  close()
}

/** Calls `visit` with the position of each bit that is set, ascending. */
export function forEachBit(words: Uint32Array, visit: (position: number) => void): void {
  for (let i = 0; i < words.length; i++) {
    for (let word = words[i]!; word !== 0; word &= word - 1) visit(i * 32 + 31 - Math.clz32(word & -word))
  }
}

/** Reads a bitmap in the portable format, of positions below `limit`. Throws a RangeError that says what is wrong, before it takes memory. */
export function decodeRoaring(bytes: Uint8Array, limit = 2 ** 32): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const need = (at: number, length: number) => {
    if (at + length > bytes.byteLength) {
      throw new RangeError(`roaring bitmap: ${bytes.byteLength} bytes, but a container reaches to ${at + length}`)
    }
  }
  need(0, 4)
  const cookie = view.getUint32(0, true)
  let count: number
  let at: number
  let runFlags: Uint8Array | undefined
  if ((cookie & 0xffff) === COOKIE_RUNS) {
    count = (cookie >>> 16) + 1
    const flagBytes = Math.ceil(count / 8)
    need(4, flagBytes)
    runFlags = bytes.subarray(4, 4 + flagBytes)
    at = 4 + flagBytes
  } else if (cookie === COOKIE_NO_RUNS) {
    need(4, 4)
    count = view.getUint32(4, true)
    at = 8
  } else {
    throw new RangeError(`roaring bitmap: unknown cookie ${cookie}`)
  }
  if (count > 65536) throw new RangeError(`roaring bitmap: ${count} containers, at most 65536 are possible`)
  need(at, count * 4)
  const header = at
  at += count * 4
  if (!runFlags || count >= NO_OFFSET_THRESHOLD) at += count * 4

  const lastKey = count > 0 ? view.getUint16(header + (count - 1) * 4, true) : -1
  if (lastKey * 65_536 >= limit)
    throw new RangeError(`roaring bitmap: reaches beyond ${lastKey * 65_536}, and ${limit} positions are possible`)
  const words = new Uint32Array((lastKey + 1) * WORDS_PER_CHUNK)
  let previousKey = -1
  for (let i = 0; i < count; i++) {
    const key = view.getUint16(header + i * 4, true)
    if (key <= previousKey) throw new RangeError('roaring bitmap: container keys do not ascend')
    previousKey = key
    const cardinality = view.getUint16(header + i * 4 + 2, true) + 1
    const chunk = words.subarray(key * WORDS_PER_CHUNK, (key + 1) * WORDS_PER_CHUNK)
    if (runFlags && (runFlags[i >> 3]! & (1 << (i & 7))) !== 0) {
      need(at, 2)
      const runs = view.getUint16(at, true)
      need(at + 2, runs * 4)
      let previousEnd = -1
      for (let r = 0; r < runs; r++) {
        const start = view.getUint16(at + 2 + r * 4, true)
        // Runs that say the same over and over would keep whoever reads them busy for minutes.
        if (start <= previousEnd) throw new RangeError('roaring bitmap: runs do not ascend')
        const end = start + view.getUint16(at + 4 + r * 4, true)
        if (end > 65535) throw new RangeError('roaring bitmap: a run leaves its container')
        setRun(chunk, start, end)
        previousEnd = end
      }
      at += 2 + runs * 4
    } else if (cardinality <= ARRAY_MAX) {
      need(at, cardinality * 2)
      for (let v = 0; v < cardinality; v++) {
        const value = view.getUint16(at + v * 2, true)
        chunk[value >>> 5]! |= 1 << (value & 31)
      }
      at += cardinality * 2
    } else {
      need(at, BITMAP_BYTES)
      for (let w = 0; w < WORDS_PER_CHUNK; w++) chunk[w] = view.getUint32(at + w * 4, true)
      at += BITMAP_BYTES
    }
  }
  return words
}

/** Sets the bits from `start` to `end`, both included: a word at a time, as a few bytes may say that there are millions. */
function setRun(words: Uint32Array, start: number, end: number): void {
  const [first, last] = [start >>> 5, end >>> 5]
  const [head, tail] = [-1 << (start & 31), -1 >>> (31 - (end & 31))]
  if (first === last) {
    words[first]! |= head & tail
    return
  }
  words[first]! |= head
  words.fill(0xffffffff, first + 1, last)
  words[last]! |= tail
}
