import type { JsonValue } from '../../../crds/metadata.ts'
import type { Span } from '../span.ts'
import { blockScalar } from './block-scalar.ts'
import { doubleQuoted, singleQuoted } from './quoted.ts'
import { otherReading, plainScalar } from './scalars.ts'

/** Where a value is, and where what is in it is; made only when somebody asks. */
export interface PlainNode extends Span {
  readonly isList?: boolean
  /** By key, or by index. */
  readonly entries?: ReadonlyMap<string | number, PlainEntry>
}

export interface PlainEntry {
  /** Where its name is; lists have none. */
  readonly key?: Span
  readonly node: PlainNode
}

export type PlainResult =
  | {
      readonly ok: true
      readonly value: JsonValue
      readonly start: number
      /** Texts that kubectl reads as something else. */
      readonly ambiguous: readonly Span[]
      readonly node: PlainNode | undefined
    }
  /** The text goes beyond what is read here, or is wrong, at this offset. */
  | { readonly ok: false; readonly stoppedAt: number }

/** Deeper than any manifest; what is nested more is for the careful reader to refuse. */
const MAX_DEPTH = 100
/** YAML bounds keys to 1,024 characters; the careful reader says so. */
const MAX_KEY = 1000

const LF = 10
const CR = 13
const SPACE = 32
const DOUBLE = 34
const HASH = 35
const SINGLE = 39
const COMMA = 44
const DASH = 45
const COLON = 58
const OPEN_LIST = 91
const CLOSE_LIST = 93
const OPEN_MAP = 123
const CLOSE_MAP = 125
const BYTE_ORDER_MARK = 0xfeff

/** What a plain scalar may start with here: letters, digits, `_ . / + $ ( ) < = ^ ; ~ \`, and everything beyond ASCII. */
const STARTS_PLAIN = new Uint8Array(128)
for (const c of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+$()<=^;~\\')
  STARTS_PLAIN[c.charCodeAt(0)] = 1

/** Thrown to give up; nobody reads it. */
const STOP = new Error('beyond plain YAML')

/**
 * Reads one document of the YAML that manifests are written in: block maps and lists, plain and quoted scalars of one line, block texts,
 * flow collections (so JSON too), comments. It gives exactly what the careful reader gives for it, some twenty times faster, and gives up
 * at anything else (anchors, tags, tabs, texts over several lines, …) and at every mistake. `trace`: note where everything is, too.
 */
export function readPlainYaml(text: string, start: number, end: number, trace = false): PlainResult {
  const parser = new PlainParser(text, start, end, trace)
  try {
    const value = parser.document()
    return { ok: true, value, start: parser.rootStart, ambiguous: parser.ambiguous, node: parser.node }
  } catch (error) {
    if (error !== STOP) throw error
    return { ok: false, stoppedAt: parser.pos }
  }
}

class PlainParser {
  readonly #text: string
  readonly #end: number
  readonly #trace: boolean
  pos: number
  rootStart = 0
  readonly ambiguous: Span[] = []
  /** Where the value read last is; only with `trace`. */
  node: PlainNode | undefined
  #lineStart: number
  /** Column of the first thing on the line that `pos` is at; -1 at the end of the document. */
  #indent = -1
  #depth = 0
  /** Within a flow collection that is the whole document, where JSON indents as it likes. */
  #json = false

  constructor(text: string, start: number, end: number, trace: boolean) {
    this.#text = text
    this.#end = end
    this.#trace = trace
    this.pos = start
    this.#lineStart = start
  }

  document(): JsonValue {
    if (this.#text.charCodeAt(this.pos) === BYTE_ORDER_MARK) throw STOP
    this.#marker()
    this.#nextLine()
    if (this.#indent < 0) throw STOP
    this.rootStart = this.pos
    const c = this.#text.charCodeAt(this.pos)
    let value: JsonValue
    if (c === OPEN_MAP || c === OPEN_LIST) {
      this.#json = true
      value = this.#flow(-1)
      this.#lineEnd()
    } else value = this.#block(this.#indent)
    if (this.#indent >= 0) throw STOP
    return value
  }

  /** `---` alone on a line, before anything else but comments. */
  #marker(): void {
    const text = this.#text
    const from = this.pos
    this.#nextLine()
    if (this.#indent !== 0 || !text.startsWith('---', this.pos)) {
      this.pos = from
      this.#lineStart = from
      return
    }
    this.pos += 3
    const c = this.#char()
    if (c === SPACE || c === LF || c === CR || this.pos >= this.#end) this.#lineEnd(false)
    else throw STOP
  }

  #char(): number {
    return this.pos < this.#end ? this.#text.charCodeAt(this.pos) : LF
  }

  /** From the start of a line on, to the first thing that is neither blank nor a comment. */
  #nextLine(): void {
    const text = this.#text
    const end = this.#end
    let at = this.pos
    while (at < end) {
      const start = at
      let c = text.charCodeAt(at)
      while (c === SPACE && at < end) c = text.charCodeAt(++at)
      if (at >= end) break
      if (c === HASH) {
        at = text.indexOf('\n', at) + 1
        if (at === 0) break
      } else if (c === LF) at++
      else if (c === CR && text.charCodeAt(at + 1) === LF) at += 2
      else {
        this.pos = at
        this.#lineStart = start
        this.#indent = at - start
        return
      }
    }
    this.pos = end
    this.#indent = -1
  }

  /** Spaces and maybe a comment to the end of the line; then, as a rule, to the next thing. Anything else there is too much. */
  #lineEnd(advance = true): void {
    const text = this.#text
    const end = this.#end
    let at = this.pos
    let c = at < end ? text.charCodeAt(at) : LF
    if (c === SPACE) {
      while (at < end && c === SPACE) c = text.charCodeAt(++at)
      if (at >= end) c = LF
      else if (c === HASH) {
        at = text.indexOf('\n', at)
        if (at < 0 || at > end) at = end
        c = LF
      }
    }
    if (c === CR && text.charCodeAt(at + 1) === LF) at++
    else if (c !== LF) {
      this.pos = at
      throw STOP
    }
    this.pos = Math.min(at + 1, end)
    if (advance) this.#nextLine()
  }

  /** A map or list that starts on this line, at this column. */
  #block(column: number): JsonValue {
    if (++this.#depth > MAX_DEPTH) throw STOP
    const value = this.#isDash() ? this.#list(column) : this.#map(column)
    this.#depth--
    return value
  }

  /** Whether a list item starts here. */
  #isDash(): boolean {
    if (this.#text.charCodeAt(this.pos) !== DASH) return false
    const next = this.pos + 1 < this.#end ? this.#text.charCodeAt(this.pos + 1) : LF
    return next === SPACE || next === LF || next === CR
  }

  #map(column: number): JsonValue {
    const start = this.pos
    const map: Record<string, JsonValue> = {}
    const entries = this.#trace ? new Map<string | number, PlainEntry>() : undefined
    do {
      const keyStart = this.pos
      const keyEnd = this.#keyEnd()
      if (keyEnd < 0) throw STOP
      const name = this.#key(keyStart, keyEnd, map)
      this.#skipSpaces()
      map[name] = this.#atLineEnd() ? this.#below(column, true) : this.#inline(column)
      entries?.set(name, { key: { start: keyStart, end: keyEnd }, node: this.node! })
      if (this.#indent > column) throw STOP
    } while (this.#indent === column && !this.#isDash())
    if (entries) this.node = { start, end: this.node!.end, entries }
    return map
  }

  #list(column: number): JsonValue {
    const start = this.pos
    const list: JsonValue[] = []
    const entries = this.#trace ? new Map<string | number, PlainEntry>() : undefined
    do {
      this.pos++
      this.#skipSpaces()
      if (this.#atLineEnd()) list.push(this.#below(column, false))
      else if (this.#isDash() || this.#startsMap()) list.push(this.#block(this.pos - this.#lineStart))
      else list.push(this.#inline(column))
      entries?.set(list.length - 1, { node: this.node! })
      if (this.#indent > column) throw STOP
    } while (this.#indent === column && this.#isDash())
    if (entries) this.node = { start, end: this.node!.end, entries, isList: true }
    return list
  }

  /** What stands on the lines below a key or dash with nothing behind it. The items of a key's list may be as far left as the key. */
  #below(column: number, ofKey: boolean): JsonValue {
    const at = this.pos
    this.#lineEnd()
    if (this.#indent > column || (ofKey && this.#indent === column && this.#isDash())) return this.#block(this.#indent)
    if (this.#trace) this.node = { start: at, end: at }
    return null
  }

  #startsMap(): boolean {
    const from = this.pos
    const end = this.#keyEnd()
    this.pos = from
    return end >= 0
  }

  /** Where the key that starts here ends, with `pos` behind its colon; -1 where there is none. */
  #keyEnd(): number {
    const text = this.#text
    const end = this.#end
    const first = this.#char()
    if (first === DOUBLE || first === SINGLE) {
      const close = this.#closing(first)
      if (close < 0 || text.charCodeAt(close + 1) !== COLON || !this.#isEmpty(close + 2)) return -1
      this.pos = close + 2
      return close + 1
    }
    if (first < 128 && STARTS_PLAIN[first] !== 1) return -1
    for (let at = this.pos; at < end; at++) {
      const c = text.charCodeAt(at)
      if (c === COLON) {
        if (!this.#isEmpty(at + 1)) continue
        let keyEnd = at
        while (text.charCodeAt(keyEnd - 1) === SPACE) keyEnd--
        this.pos = at + 1
        return keyEnd
      }
      if (c < SPACE || (c === HASH && text.charCodeAt(at - 1) === SPACE)) return -1
    }
    return -1
  }

  /** Whether there is white space, or the end. */
  #isEmpty(at: number): boolean {
    if (at >= this.#end) return true
    const c = this.#text.charCodeAt(at)
    return c === SPACE || c === LF || c === CR || c === 9
  }

  /** A key's text. Keys that are there twice, and those that mean something else, are not for here. */
  #key(start: number, end: number, map: Readonly<Record<string, JsonValue>>): string {
    const first = this.#text.charCodeAt(start)
    const quoted = first === DOUBLE || first === SINGLE
    const key = quoted ? this.#unquoted(start, end, first) : this.#text.slice(start, end)
    if (end - start > MAX_KEY || map[key] !== undefined || key === '__proto__') throw STOP
    if (quoted) return key
    // Null is no key, << merges, and 0x1 is the same key as 1.
    const value = plainScalar(key)
    if (value === null || key === '<<' || (typeof value !== 'string' && String(value) !== key)) throw STOP
    if (typeof value === 'string' && (key.length < 4 || first < 58)) this.#noteAmbiguous(key, start, end)
    return key
  }

  #noteAmbiguous(text: string, start: number, end: number): void {
    if (otherReading(text) !== undefined) this.ambiguous.push({ start, end })
  }

  #skipSpaces(): void {
    const text = this.#text
    while (text.charCodeAt(this.pos) === SPACE && this.pos < this.#end) this.pos++
  }

  /** Whether only a comment may come on this line. */
  #atLineEnd(): boolean {
    if (this.pos >= this.#end) return true
    const c = this.#text.charCodeAt(this.pos)
    if (c === HASH) {
      // It is a comment only behind a space; `lineEnd` wants to see that space.
      this.pos--
      return true
    }
    return c === LF || c === CR
  }

  /** A value on the line of its key or dash; leaves `pos` at the next thing. `column`: of what it belongs to. */
  #inline(column: number): JsonValue {
    const start = this.pos
    const first = this.#text.charCodeAt(start)
    if (first === 124 || first === 62) return this.#blockScalar(column)
    let value: JsonValue
    if (first === OPEN_MAP || first === OPEN_LIST) value = this.#flow(column)
    else if (first === DOUBLE || first === SINGLE) value = this.#quoted(first)
    else value = this.#plain()
    this.#lineEnd()
    return value
  }

  #blockScalar(column: number): JsonValue {
    const read = blockScalar(this.#text, this.pos, this.#end, column)
    if (!read) throw STOP
    if (this.#trace) this.node = { start: this.pos, end: read.next }
    this.pos = read.next
    this.#nextLine()
    return read.value
  }

  /** A plain scalar to the end of its line. */
  #plain(): JsonValue {
    const text = this.#text
    const start = this.pos
    let first = text.charCodeAt(start)
    // A minus belongs to a number or a word.
    if (first === DASH) first = start + 1 < this.#end ? text.charCodeAt(start + 1) : LF
    if (first < 128 && STARTS_PLAIN[first] !== 1) throw STOP
    let at = start
    for (; at < this.#end; at++) {
      const c = text.charCodeAt(at)
      if (c > COLON) continue
      if (c === COLON && this.#isEmpty(at + 1)) throw STOP
      if (c === HASH && text.charCodeAt(at - 1) === SPACE) break
      if (c < SPACE) {
        if (c === LF || (c === CR && text.charCodeAt(at + 1) === LF)) break
        this.pos = at
        throw STOP
      }
    }
    let end = at
    while (text.charCodeAt(end - 1) === SPACE) end--
    return this.#scalar(start, end)
  }

  #scalar(start: number, end: number): JsonValue {
    const source = this.#text.slice(start, end)
    const value = plainScalar(source)
    if (value === undefined || value === '<<') throw STOP
    if (typeof value === 'string' && (value.length < 4 || value.charCodeAt(0) < 58))
      this.#noteAmbiguous(value, start, end)
    this.pos = end
    if (this.#trace) this.node = { start, end }
    return value
  }

  #quoted(quote: number): string {
    const start = this.pos
    const close = this.#closing(quote)
    if (close < 0) throw STOP
    const value = this.#unquoted(start, close + 1, quote)
    this.pos = close + 1
    if (this.#trace) this.node = { start, end: close + 1 }
    return value
  }

  /** The quote that closes the one here, on the same line. */
  #closing(quote: number): number {
    const text = this.#text
    for (let at = this.pos + 1; at < this.#end; at++) {
      const c = text.charCodeAt(at)
      if (c === quote) {
        if (quote === DOUBLE || text.charCodeAt(at + 1) !== SINGLE) return at
        at++
      } else if (c === 92 && quote === DOUBLE) at++
      else if (c === LF || c === CR) return -1
    }
    return -1
  }

  #unquoted(start: number, end: number, quote: number): string {
    const inner = this.#text.slice(start + 1, end - 1)
    const value = quote === DOUBLE ? doubleQuoted(inner) : singleQuoted(inner)
    if (value === undefined) throw STOP
    return value
  }

  /** A flow collection; leaves `pos` behind it. Its lines must stand right of `column`. */
  #flow(column: number): JsonValue {
    if (++this.#depth > MAX_DEPTH) throw STOP
    const value = this.#text.charCodeAt(this.pos) === OPEN_MAP ? this.#flowMap(column) : this.#flowList(column)
    this.#depth--
    return value
  }

  #flowMap(column: number): JsonValue {
    const start = this.pos++
    const map: Record<string, JsonValue> = {}
    const entries = this.#trace ? new Map<string | number, PlainEntry>() : undefined
    let c = this.#flowSpace(column)
    while (c !== CLOSE_MAP) {
      const keyStart = this.pos
      const keyEnd = this.#flowKey(c)
      const name = this.#key(keyStart, keyEnd, map)
      map[name] = this.#flowValue(this.#flowSpace(column), column)
      entries?.set(name, { key: { start: keyStart, end: keyEnd }, node: this.node! })
      c = this.#flowNext(column, CLOSE_MAP)
    }
    this.pos++
    if (entries) this.node = { start, end: this.pos, entries }
    return map
  }

  #flowList(column: number): JsonValue {
    const start = this.pos++
    const list: JsonValue[] = []
    const entries = this.#trace ? new Map<string | number, PlainEntry>() : undefined
    let c = this.#flowSpace(column)
    while (c !== CLOSE_LIST) {
      list.push(this.#flowValue(c, column))
      entries?.set(list.length - 1, { node: this.node! })
      c = this.#flowNext(column, CLOSE_LIST)
    }
    this.pos++
    if (entries) this.node = { start, end: this.pos, entries, isList: true }
    return list
  }

  /** To what comes after a comma, or to what closes. */
  #flowNext(column: number, close: number): number {
    const c = this.#flowSpace(column)
    if (c === close) return c
    if (c !== COMMA) throw STOP
    this.pos++
    return this.#flowSpace(column)
  }

  /** Over white space; gives the character there. */
  #flowSpace(column: number): number {
    const text = this.#text
    while (this.pos < this.#end) {
      const c = text.charCodeAt(this.pos)
      if (c === LF || (c === CR && text.charCodeAt(this.pos + 1) === LF)) {
        this.pos += c === LF ? 1 : 2
        this.#lineStart = this.pos
        if (!this.#json) this.#flowIndent(column)
      } else if (c === SPACE || (c === 9 && this.#json)) this.pos++
      else return c
    }
    throw STOP
  }

  #flowIndent(column: number): void {
    this.#skipSpaces()
    const c = this.#char()
    if (c !== LF && c !== CR && this.pos - this.#lineStart <= column) throw STOP
  }

  /** A key in a flow map: where it ends, with `pos` behind its colon. */
  #flowKey(first: number): number {
    if (first === DOUBLE || first === SINGLE) {
      const close = this.#closing(first)
      if (close < 0 || this.#text.charCodeAt(close + 1) !== COLON) throw STOP
      this.pos = close + 2
      return close + 1
    }
    const end = this.#flowPlainEnd()
    if (this.#text.charCodeAt(end) !== COLON) throw STOP
    this.pos = end + 1
    let keyEnd = end
    while (this.#text.charCodeAt(keyEnd - 1) === SPACE) keyEnd--
    return keyEnd
  }

  #flowValue(first: number, column: number): JsonValue {
    if (first === OPEN_MAP || first === OPEN_LIST) return this.#flow(column)
    if (first === DOUBLE || first === SINGLE) return this.#quoted(first)
    const start = this.pos
    let end = this.#flowPlainEnd()
    if (this.#text.charCodeAt(end) === COLON) throw STOP
    while (this.#text.charCodeAt(end - 1) === SPACE) end--
    return this.#scalar(start, end)
  }

  /** Where a plain scalar within a flow collection ends: at a comma, bracket, line end, or at a colon that makes it a key. */
  #flowPlainEnd(): number {
    const text = this.#text
    const start = this.pos
    let first = text.charCodeAt(start)
    if (first === DASH) first = text.charCodeAt(start + 1)
    if (first < 128 && STARTS_PLAIN[first] !== 1) throw STOP
    for (let at = start; at < this.#end; at++) {
      const c = text.charCodeAt(at)
      if (c === COMMA || c === CLOSE_LIST || c === CLOSE_MAP || c === LF) return at
      if (c === CR && text.charCodeAt(at + 1) === LF) return at
      if (c === OPEN_LIST || c === OPEN_MAP || c === HASH || c < SPACE) throw STOP
      if (c === COLON) {
        if (this.#isEmpty(at + 1)) return at
        const next = text.charCodeAt(at + 1)
        if (next === COMMA || next === OPEN_LIST || next === CLOSE_LIST || next === OPEN_MAP || next === CLOSE_MAP)
          throw STOP
      }
    }
    throw STOP
  }
}
