import { goneLine, identityOf, readCatalogLine } from './catalog.ts'
import { linesOf } from './lines.ts'

/** The media type of a delta. */
export const DELTA_TYPE = 'application/vnd.weir.catalog-delta'

const NEWLINE = 0x0a
const NULL_LINE = new TextEncoder().encode('null\n')
type Op = '=' | 'x' | '0' | '-'

/** Lines handed on at a time, so that who applies a delta can let others have their turn. */
const LINES_AT_ONCE = 10_000
/** The same, in characters, for lines that are added. */
const ADDED_AT_ONCE = 1 << 20

/**
 * How one version of a catalog becomes another, line by line of the blobs. Text: a header `{"weirCatalogDelta":1,"from":"sha256:…","to":"sha256:…"}`, then one operation
 * a line: `=N` keeps the next N lines, `xN` puts in their place what each was (files that were removed; see `goneLine`), `0N` puts
 * `null` there, `-N` leaves them out, and `+LINE` adds one. Indices are stable, so that
 * of two versions of a million files the lines that differ are all that is said.
 *
 * Feed it both versions' lines from the start: after each step it says which it wants the next of.
 */
export class CatalogDelta {
  readonly #pieces: string[]
  readonly #maxChars: number
  #chars = 0
  #op: Op | undefined
  #count = 0
  #isHeader = true

  /** `maxChars`: a longer delta is of no use. */
  constructor(from: string, to: string, maxChars: number) {
    this.#pieces = [`${JSON.stringify({ weirCatalogDelta: 1, from, to })}\n`]
    this.#maxChars = maxChars
  }

  /** Whether it has become too long: then it is left. */
  get isTooLong(): boolean {
    return this.#chars > this.#maxChars
  }

  /** Looks at a line of each version, `undefined` after the last one; says which have been dealt with. */
  step(old: string | undefined, now: string | undefined): 'both' | 'old' | 'now' {
    if (now === undefined) return this.#say('-', 'old')
    if (old === undefined) return this.#add(now, 'now')
    const isHeader = this.#isHeader
    this.#isHeader = false
    if (old === now) return this.#say('=', 'both')
    if (now === 'null') return this.#say('0', 'both')
    if (now.startsWith(GONE)) {
      if (now === goneLineOf(old)) return this.#say('x', 'both')
      this.#say('-', 'old')
      return this.#add(now, 'both')
    }
    // Without its index it was renumbered: indices of removed files are given up, all others keep their order.
    if (isGone(old) && isBack(old, now)) {
      this.#say('-', 'old')
      return this.#add(now, 'both')
    }
    if (isGone(old) || (!isHeader && writtenIdentityOf(old) !== writtenIdentityOf(now))) return this.#say('-', 'old')
    this.#say('-', 'old')
    return this.#add(now, 'both')
  }

  /** The delta, once both versions have been gone through. */
  text(): string {
    this.#flush()
    return this.#pieces.join('')
  }

  #say<T>(op: Op, done: T): T {
    if (this.#op !== op) this.#flush()
    this.#op = op
    this.#count++
    return done
  }

  #add<T>(line: string, done: T): T {
    this.#flush()
    this.#push(`+${line}\n`)
    return done
  }

  #flush(): void {
    if (this.#op !== undefined) this.#push(`${this.#op}${this.#count}\n`)
    this.#op = undefined
    this.#count = 0
  }

  #push(piece: string): void {
    this.#pieces.push(piece)
    this.#chars += piece.length
  }
}

const GONE = '{"gone":'
const isGone = (line: string) => line === 'null' || line.startsWith(GONE)

/** The line that a file's line becomes when it is removed; undefined where it is no file's. */
function goneLineOf(line: string): string | undefined {
  try {
    const { file } = readCatalogLine(line)
    return file ? goneLine(identityOf(file)) : undefined
  } catch {
    return undefined
  }
}

/** Whether a file is the one that was removed. */
const isBack = (old: string, now: string) => old === goneLineOf(now)

/** Path, size and digest of a file's line as they are written: what keeps its index. */
function writtenIdentityOf(line: string): string {
  const at = line.indexOf('"sha256":"')
  return at < 0 ? line : line.slice(0, at + 75)
}

/**
 * The bytes of the version that a delta leads to, in pieces. `from`: digest of `old`. Throws a RangeError where the delta is malformed or of another version; whether the
 * bytes are right is for who puts them together to check, by their digest.
 */
export function* applyCatalogDelta(old: Uint8Array, from: string, delta: Uint8Array): Generator<Uint8Array> {
  const encoder = new TextEncoder()
  let at = 0
  /** Passes over lines; returns where they began. */
  const pass = (lines: number): number => {
    const start = at
    for (let i = 0; i < lines; i++) {
      const end = old.indexOf(NEWLINE, at)
      if (end < 0) throw new RangeError('catalog delta: it speaks of more lines than there are')
      at = end + 1
    }
    return start
  }
  let isHeader = true
  /** Lines that follow one another are one piece. */
  let added = ''
  for (const line of linesOf(delta)) {
    if (isHeader) {
      checkHeader(line, from)
      isHeader = false
      continue
    }
    if (line.startsWith('+')) {
      added += `${line.slice(1)}\n`
      if (added.length < ADDED_AT_ONCE) continue
    }
    if (added !== '') yield encoder.encode(added)
    added = ''
    if (line.startsWith('+')) continue
    const [, op, digits] = /^([=x0-])([1-9]\d{0,9})$/.exec(line) ?? []
    if (op === undefined) throw new RangeError(`catalog delta: ${JSON.stringify(line.slice(0, 100))} is no operation`)
    for (let left = Number(digits); left > 0; left -= LINES_AT_ONCE) {
      const lines = Math.min(left, LINES_AT_ONCE)
      const start = pass(lines)
      if (op === '=') yield old.subarray(start, at)
      else if (op === '0') yield nulls(lines)
      else if (op === 'x') yield tombstones(old.subarray(start, at))
    }
  }
  if (isHeader) throw new RangeError('catalog delta: it is empty')
  if (added !== '') yield encoder.encode(added)
}

function checkHeader(line: string, from: string): void {
  let header: { readonly weirCatalogDelta?: unknown; readonly from?: unknown } | null
  try {
    header = JSON.parse(line) as typeof header
  } catch {
    throw new RangeError('catalog delta: the first line is not JSON')
  }
  if (header?.weirCatalogDelta !== 1) throw new RangeError('catalog delta: not a delta of version 1')
  if (header.from !== from) throw new RangeError(`catalog delta: it is of ${String(header.from)}, not of ${from}`)
}

/** Lines as they are once their files were removed. */
function tombstones(lines: Uint8Array): Uint8Array {
  const text = Array.from(linesOf(lines), (line) => `${goneLineOf(line) ?? 'null'}\n`)
  return new TextEncoder().encode(text.join(''))
}

function nulls(lines: number): Uint8Array {
  const out = new Uint8Array(lines * NULL_LINE.length)
  for (let i = 0; i < lines; i++) out.set(NULL_LINE, i * NULL_LINE.length)
  return out
}
