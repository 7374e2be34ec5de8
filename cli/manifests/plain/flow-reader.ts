import type { JsonValue } from '../../../crds/metadata.ts'
import {
  CLOSE_LIST,
  CLOSE_MAP,
  COLON,
  COMMA,
  CR,
  DASH,
  DOUBLE,
  HASH,
  LF,
  MAX_DEPTH,
  OPEN_LIST,
  OPEN_MAP,
  SINGLE,
  SPACE,
  STOP,
} from './cursor.ts'
import type { PlainEntry } from './plain-node.ts'
import { ScalarReader, STARTS_PLAIN } from './scalar-reader.ts'

/** Reads flow collections, `{…}` and `[…]`, and so JSON. */
export class FlowReader extends ScalarReader {
  /** A flow collection; leaves `pos` behind it. Its lines must stand right of `column`. */
  protected flow(column: number): JsonValue {
    if (++this.depth > MAX_DEPTH) throw STOP
    const value = this.text.charCodeAt(this.pos) === OPEN_MAP ? this.#flowMap(column) : this.#flowList(column)
    this.depth--
    return value
  }

  #flowMap(column: number): JsonValue {
    const start = this.pos++
    const map: Record<string, JsonValue> = {}
    const entries = this.trace ? new Map<string | number, PlainEntry>() : undefined
    let c = this.#flowSpace(column)
    while (c !== CLOSE_MAP) {
      const keyStart = this.pos
      const keyEnd = this.#flowKey(c)
      const name = this.key(keyStart, keyEnd, map)
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
    const entries = this.trace ? new Map<string | number, PlainEntry>() : undefined
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
    const text = this.text
    while (this.pos < this.end) {
      const c = text.charCodeAt(this.pos)
      if (c === LF || (c === CR && text.charCodeAt(this.pos + 1) === LF)) {
        this.pos += c === LF ? 1 : 2
        this.lineStart = this.pos
        if (!this.json) this.#flowIndent(column)
      } else if (c === SPACE || (c === 9 && this.json)) this.pos++
      else return c
    }
    throw STOP
  }

  #flowIndent(column: number): void {
    this.skipSpaces()
    const c = this.char()
    if (c !== LF && c !== CR && this.pos - this.lineStart <= column) throw STOP
  }

  /** A key in a flow map: where it ends, with `pos` behind its colon. */
  #flowKey(first: number): number {
    if (first === DOUBLE || first === SINGLE) {
      const close = this.closing(first)
      if (close < 0 || this.text.charCodeAt(close + 1) !== COLON) throw STOP
      this.pos = close + 2
      return close + 1
    }
    const end = this.#flowPlainEnd()
    if (this.text.charCodeAt(end) !== COLON) throw STOP
    this.pos = end + 1
    let keyEnd = end
    while (this.text.charCodeAt(keyEnd - 1) === SPACE) keyEnd--
    return keyEnd
  }

  #flowValue(first: number, column: number): JsonValue {
    if (first === OPEN_MAP || first === OPEN_LIST) return this.flow(column)
    if (first === DOUBLE || first === SINGLE) return this.quoted(first)
    const start = this.pos
    let end = this.#flowPlainEnd()
    if (this.text.charCodeAt(end) === COLON) throw STOP
    while (this.text.charCodeAt(end - 1) === SPACE) end--
    return this.scalar(start, end)
  }

  /** Where a plain scalar within a flow collection ends: at a comma, bracket, line end, or at a colon that makes it a key. */
  #flowPlainEnd(): number {
    const text = this.text
    const start = this.pos
    let first = text.charCodeAt(start)
    if (first === DASH) first = text.charCodeAt(start + 1)
    if (first < 128 && STARTS_PLAIN[first] !== 1) throw STOP
    for (let at = start; at < this.end; at++) {
      const c = text.charCodeAt(at)
      if (c === COMMA || c === CLOSE_LIST || c === CLOSE_MAP || c === LF) return at
      if (c === CR && text.charCodeAt(at + 1) === LF) return at
      if (c === OPEN_LIST || c === OPEN_MAP || c === HASH || c < SPACE) throw STOP
      if (c === COLON) {
        if (this.isEmpty(at + 1)) return at
        const next = text.charCodeAt(at + 1)
        if (next === COMMA || next === OPEN_LIST || next === CLOSE_LIST || next === OPEN_MAP || next === CLOSE_MAP)
          throw STOP
      }
    }
    throw STOP
  }
}
