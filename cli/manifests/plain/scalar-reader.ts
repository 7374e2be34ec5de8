import type { JsonValue } from '../../../crds/metadata.ts'
import { blockScalar } from './block-scalar.ts'
import { COLON, CR, Cursor, DASH, DOUBLE, HASH, LF, SINGLE, SPACE, STOP } from './cursor.ts'
import { doubleQuoted, singleQuoted } from './quoted.ts'
import { otherReading, plainScalar } from './scalars.ts'

/** YAML bounds keys to 1,024 characters; the careful reader says so. */
const MAX_KEY = 1000

/** What a plain scalar may start with here: letters, digits, `_ . / + $ ( ) < = ^ ; ~ \`, and everything beyond ASCII. */
export const STARTS_PLAIN = new Uint8Array(128)
for (const c of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+$()<=^;~\\')
  STARTS_PLAIN[c.charCodeAt(0)] = 1

/** Reads what has no parts: keys, and texts, numbers and the like of one line; and block texts. */
export class ScalarReader extends Cursor {
  /** A key's text. Keys that are there twice, and those that mean something else, are not for here. */
  protected key(start: number, end: number, map: Readonly<Record<string, JsonValue>>): string {
    const first = this.text.charCodeAt(start)
    const quoted = first === DOUBLE || first === SINGLE
    const key = quoted ? this.unquoted(start, end, first) : this.text.slice(start, end)
    if (end - start > MAX_KEY || map[key] !== undefined || key === '__proto__') throw STOP
    if (quoted) return key
    // Null is no key, << merges, and 0x1 is the same key as 1.
    const value = plainScalar(key)
    if (value === null || key === '<<' || (typeof value !== 'string' && String(value) !== key)) throw STOP
    if (typeof value === 'string' && (key.length < 4 || first < 58)) this.#noteAmbiguous(key, start, end)
    return key
  }

  protected blockScalar(column: number): JsonValue {
    const read = blockScalar(this.text, this.pos, this.end, column)
    if (!read) throw STOP
    if (this.trace) this.node = { start: this.pos, end: read.next }
    this.pos = read.next
    this.nextLine()
    return read.value
  }

  /** A plain scalar to the end of its line. */
  protected plain(): JsonValue {
    const text = this.text
    const start = this.pos
    let first = text.charCodeAt(start)
    // A minus belongs to a number or a word.
    if (first === DASH) first = start + 1 < this.end ? text.charCodeAt(start + 1) : LF
    if (first < 128 && STARTS_PLAIN[first] !== 1) throw STOP
    let at = start
    for (; at < this.end; at++) {
      const c = text.charCodeAt(at)
      if (c > COLON) continue
      if (c === COLON && this.isEmpty(at + 1)) throw STOP
      if (c === HASH && text.charCodeAt(at - 1) === SPACE) break
      if (c < SPACE) {
        if (c === LF || (c === CR && text.charCodeAt(at + 1) === LF)) break
        this.pos = at
        throw STOP
      }
    }
    let end = at
    while (text.charCodeAt(end - 1) === SPACE) end--
    return this.scalar(start, end)
  }

  protected scalar(start: number, end: number): JsonValue {
    const source = this.text.slice(start, end)
    const value = plainScalar(source)
    if (value === undefined || value === '<<') throw STOP
    if (typeof value === 'string' && (value.length < 4 || value.charCodeAt(0) < 58))
      this.#noteAmbiguous(value, start, end)
    this.pos = end
    if (this.trace) this.node = { start, end }
    return value
  }

  protected quoted(quote: number): string {
    const start = this.pos
    const close = this.closing(quote)
    if (close < 0) throw STOP
    const value = this.unquoted(start, close + 1, quote)
    this.pos = close + 1
    if (this.trace) this.node = { start, end: close + 1 }
    return value
  }

  /** The quote that closes the one here, on the same line. */
  protected closing(quote: number): number {
    const text = this.text
    for (let at = this.pos + 1; at < this.end; at++) {
      const c = text.charCodeAt(at)
      if (c === quote) {
        if (quote === DOUBLE || text.charCodeAt(at + 1) !== SINGLE) return at
        at++
      } else if (c === 92 && quote === DOUBLE) at++
      else if (c === LF || c === CR) return -1
    }
    return -1
  }

  protected unquoted(start: number, end: number, quote: number): string {
    const inner = this.text.slice(start + 1, end - 1)
    const value = quote === DOUBLE ? doubleQuoted(inner) : singleQuoted(inner)
    if (value === undefined) throw STOP
    return value
  }

  #noteAmbiguous(text: string, start: number, end: number): void {
    if (otherReading(text) !== undefined) this.ambiguous.push({ start, end })
  }
}
