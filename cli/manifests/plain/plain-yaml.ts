import type { JsonValue } from '../../../crds/metadata.ts'
import type { Span } from '../span.ts'
import { COLON, CR, DOUBLE, HASH, LF, MAX_DEPTH, OPEN_LIST, OPEN_MAP, SINGLE, SPACE, STOP } from './cursor.ts'
import { FlowReader } from './flow-reader.ts'
import type { PlainEntry, PlainNode } from './plain-node.ts'
import { STARTS_PLAIN } from './scalar-reader.ts'

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

const BYTE_ORDER_MARK = 0xfeff

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

/** Reads a document, and the block maps and lists in it. */
class PlainParser extends FlowReader {
  document(): JsonValue {
    if (this.text.charCodeAt(this.pos) === BYTE_ORDER_MARK) throw STOP
    this.#marker()
    this.nextLine()
    if (this.indent < 0) throw STOP
    this.rootStart = this.pos
    const c = this.text.charCodeAt(this.pos)
    let value: JsonValue
    if (c === OPEN_MAP || c === OPEN_LIST) {
      this.json = true
      value = this.flow(-1)
      this.lineEnd()
    } else value = this.#block(this.indent)
    if (this.indent >= 0) throw STOP
    return value
  }

  /** `---` alone on a line, before anything else but comments. */
  #marker(): void {
    const text = this.text
    const from = this.pos
    this.nextLine()
    if (this.indent !== 0 || !text.startsWith('---', this.pos)) {
      this.pos = from
      this.lineStart = from
      return
    }
    this.pos += 3
    const c = this.char()
    if (c === SPACE || c === LF || c === CR || this.pos >= this.end) this.lineEnd(false)
    else throw STOP
  }

  /** A map or list that starts on this line, at this column. */
  #block(column: number): JsonValue {
    if (++this.depth > MAX_DEPTH) throw STOP
    const value = this.isDash() ? this.#list(column) : this.#map(column)
    this.depth--
    return value
  }

  #map(column: number): JsonValue {
    const start = this.pos
    const map: Record<string, JsonValue> = {}
    const entries = this.trace ? new Map<string | number, PlainEntry>() : undefined
    do {
      const keyStart = this.pos
      const keyEnd = this.#keyEnd()
      if (keyEnd < 0) throw STOP
      const name = this.key(keyStart, keyEnd, map)
      this.skipSpaces()
      map[name] = this.atLineEnd() ? this.#below(column, true) : this.#inline(column)
      entries?.set(name, { key: { start: keyStart, end: keyEnd }, node: this.node! })
      if (this.indent > column) throw STOP
    } while (this.indent === column && !this.isDash())
    if (entries) this.node = { start, end: this.node!.end, entries }
    return map
  }

  #list(column: number): JsonValue {
    const start = this.pos
    const list: JsonValue[] = []
    const entries = this.trace ? new Map<string | number, PlainEntry>() : undefined
    do {
      this.pos++
      this.skipSpaces()
      if (this.atLineEnd()) list.push(this.#below(column, false))
      else if (this.isDash() || this.#startsMap()) list.push(this.#block(this.pos - this.lineStart))
      else list.push(this.#inline(column))
      entries?.set(list.length - 1, { node: this.node! })
      if (this.indent > column) throw STOP
    } while (this.indent === column && this.isDash())
    if (entries) this.node = { start, end: this.node!.end, entries, isList: true }
    return list
  }

  /** What stands on the lines below a key or dash with nothing behind it. The items of a key's list may be as far left as the key. */
  #below(column: number, ofKey: boolean): JsonValue {
    const at = this.pos
    this.lineEnd()
    if (this.indent > column || (ofKey && this.indent === column && this.isDash())) return this.#block(this.indent)
    if (this.trace) this.node = { start: at, end: at }
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
    const text = this.text
    const end = this.end
    const first = this.char()
    if (first === DOUBLE || first === SINGLE) {
      const close = this.closing(first)
      if (close < 0 || text.charCodeAt(close + 1) !== COLON || !this.isEmpty(close + 2)) return -1
      this.pos = close + 2
      return close + 1
    }
    if (first < 128 && STARTS_PLAIN[first] !== 1) return -1
    for (let at = this.pos; at < end; at++) {
      const c = text.charCodeAt(at)
      if (c === COLON) {
        if (!this.isEmpty(at + 1)) continue
        let keyEnd = at
        while (text.charCodeAt(keyEnd - 1) === SPACE) keyEnd--
        this.pos = at + 1
        return keyEnd
      }
      if (c < SPACE || (c === HASH && text.charCodeAt(at - 1) === SPACE)) return -1
    }
    return -1
  }

  /** A value on the line of its key or dash; leaves `pos` at the next thing. `column`: of what it belongs to. */
  #inline(column: number): JsonValue {
    const start = this.pos
    const first = this.text.charCodeAt(start)
    if (first === 124 || first === 62) return this.blockScalar(column)
    let value: JsonValue
    if (first === OPEN_MAP || first === OPEN_LIST) value = this.flow(column)
    else if (first === DOUBLE || first === SINGLE) value = this.quoted(first)
    else value = this.plain()
    this.lineEnd()
    return value
  }
}
