import type { Span } from '../span.ts'
import type { PlainNode } from './plain-node.ts'

export const LF = 10
export const CR = 13
export const SPACE = 32
export const DOUBLE = 34
export const HASH = 35
export const SINGLE = 39
export const COMMA = 44
export const DASH = 45
export const COLON = 58
export const OPEN_LIST = 91
export const CLOSE_LIST = 93
export const OPEN_MAP = 123
export const CLOSE_MAP = 125

/** Deeper than any manifest; what is nested more is for the careful reader to refuse. */
export const MAX_DEPTH = 100

/** Thrown to give up; nobody reads it. */
export const STOP = new Error('beyond plain YAML')

/** A place in a document, and how to get on from there: over lines, spaces and comments. */
export class Cursor {
  pos: number
  /** Where the document's value starts. */
  rootStart: number
  readonly ambiguous: Span[]
  /** Where the value read last is; only with `trace`. */
  node: PlainNode | undefined
  protected readonly text: string
  protected readonly end: number
  /** Whether it is noted where everything is. */
  protected readonly trace: boolean
  protected lineStart: number
  /** Column of the first thing on the line that `pos` is at; -1 at the end of the document. */
  protected indent: number
  protected depth: number
  /** Within a flow collection that is the whole document, where JSON indents as it likes. */
  protected json: boolean

  // Documents are many and small: what has fields with values of their own is made more slowly.
  constructor(text: string, start: number, end: number, trace: boolean) {
    this.text = text
    this.end = end
    this.trace = trace
    this.pos = start
    this.rootStart = start
    this.lineStart = start
    this.indent = -1
    this.depth = 0
    this.json = false
    this.ambiguous = []
    this.node = undefined
  }

  protected char(): number {
    return this.pos < this.end ? this.text.charCodeAt(this.pos) : LF
  }

  /** From the start of a line on, to the first thing that is neither blank nor a comment. */
  protected nextLine(): void {
    const text = this.text
    const end = this.end
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
        this.lineStart = start
        this.indent = at - start
        return
      }
    }
    this.pos = end
    this.indent = -1
  }

  /** Spaces and maybe a comment to the end of the line; then, as a rule, to the next thing. Anything else there is too much. */
  protected lineEnd(advance = true): void {
    const text = this.text
    const end = this.end
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
    if (advance) this.nextLine()
  }

  /** Whether a list item starts here. */
  protected isDash(): boolean {
    if (this.text.charCodeAt(this.pos) !== DASH) return false
    const next = this.pos + 1 < this.end ? this.text.charCodeAt(this.pos + 1) : LF
    return next === SPACE || next === LF || next === CR
  }

  /** Whether there is white space, or the end. */
  protected isEmpty(at: number): boolean {
    if (at >= this.end) return true
    const c = this.text.charCodeAt(at)
    return c === SPACE || c === LF || c === CR || c === 9
  }

  protected skipSpaces(): void {
    const text = this.text
    while (text.charCodeAt(this.pos) === SPACE && this.pos < this.end) this.pos++
  }

  /** Whether only a comment may come on this line. */
  protected atLineEnd(): boolean {
    if (this.pos >= this.end) return true
    const c = this.text.charCodeAt(this.pos)
    if (c === HASH) {
      // It is a comment only behind a space; `lineEnd` wants to see that space.
      this.pos--
      return true
    }
    return c === LF || c === CR
  }
}
