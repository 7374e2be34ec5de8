/** One step of a JSONPath, as Kubernetes' client-go understands it. */
export type PathNode =
  | { readonly type: 'field'; readonly name: string }
  | { readonly type: 'wildcard' }
  | { readonly type: 'recursive' }
  | { readonly type: 'array'; readonly slice: Slice }
  | { readonly type: 'union'; readonly paths: readonly (readonly PathNode[])[] }
  | {
      readonly type: 'filter'
      readonly left: readonly PathNode[]
      readonly operator: string
      readonly right: readonly PathNode[]
    }
  | { readonly type: 'literal'; readonly value: string | number | boolean }

/** `[start:end:step]`; `[n]` is n to n+1, which `single` tells from a slice that ends at 0. */
export interface Slice {
  readonly start?: number
  readonly end?: number
  readonly step?: number
  readonly single: boolean
}

export class JsonPathSyntaxError extends Error {
  override name = 'JsonPathSyntaxError'
}

const TERMINATORS = ' \t\r\n.,[]$@{}'
const COMPARISON = /^([^!<>=]+)([!<>=]+)(.+?)$/s
const SLICE = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/

/** Parses the inside of `{…}`. */
export function parseJsonPath(text: string): PathNode[] {
  return new Parser(text).parse()
}

class Parser {
  readonly #text: string
  #at = 0
  readonly #nodes: PathNode[] = []

  constructor(text: string) {
    this.#text = text
  }

  parse(): PathNode[] {
    while (this.#at < this.#text.length) this.#step()
    return this.#nodes
  }

  #step(): void {
    const rest = this.#text.slice(this.#at)
    const char = rest.charAt(0)
    if (rest.startsWith('[?(')) this.#filter()
    else if (rest.startsWith('..')) this.#recursive()
    else if (char === ' ' || char === '@' || char === '$') this.#at++
    else if (char === '[') this.#array()
    else if (char === '"' || char === "'") this.#quoted(char)
    else if (char === '.') {
      this.#at++
      this.#field()
    } else if (/[-+\d]/.test(char)) this.#number()
    else if (/[\p{L}\p{Nd}_]/u.test(char)) this.#word()
    else throw new JsonPathSyntaxError(`unrecognized character in action: ${char}`)
  }

  #recursive(): void {
    if (this.#nodes.at(-1)?.type === 'recursive') throw new JsonPathSyntaxError('invalid multiple recursive descent')
    this.#at += 2
    this.#nodes.push({ type: 'recursive' })
    if (/[\p{L}\p{Nd}_]/u.test(this.#text.charAt(this.#at))) this.#field()
  }

  /** A name up to the next terminator; a backslash takes the next character as it is. */
  #field(): void {
    const start = this.#at
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at)
      if (char === '\\') this.#at++
      else if (TERMINATORS.includes(char)) break
      this.#at++
    }
    const name = this.#text.slice(start, this.#at)
    this.#nodes.push(name === '*' ? { type: 'wildcard' } : { type: 'field', name: name.replaceAll('\\', '') })
  }

  #word(): void {
    const start = this.#at
    while (this.#at < this.#text.length && !TERMINATORS.includes(this.#text.charAt(this.#at))) this.#at++
    const word = this.#text.slice(start, this.#at)
    if (word !== 'true' && word !== 'false') throw new JsonPathSyntaxError(`unrecognized identifier ${word}`)
    this.#nodes.push({ type: 'literal', value: word === 'true' })
  }

  #number(): void {
    const [text = ''] = /^[-+]?[.\d]*/.exec(this.#text.slice(this.#at)) ?? []
    if (text === '' || Number.isNaN(Number(text))) throw new JsonPathSyntaxError(`cannot parse number ${text}`)
    this.#at += text.length
    this.#nodes.push({ type: 'literal', value: Number(text) })
  }

  #quoted(quote: string): void {
    const start = this.#at++
    while (this.#at < this.#text.length) {
      const char = this.#text.charAt(this.#at++)
      if (char === quote && this.#text.charAt(this.#at - 2) !== '\\') {
        this.#nodes.push({ type: 'literal', value: unquote(this.#text.slice(start + 1, this.#at - 1)) })
        return
      }
    }
    throw new JsonPathSyntaxError('unterminated quoted string')
  }

  #array(): void {
    const end = this.#text.indexOf(']', this.#at)
    if (end < 0) throw new JsonPathSyntaxError('unterminated array')
    const inside = this.#text.slice(this.#at + 1, end)
    this.#at = end + 1
    const parts = inside.split(',')
    if (parts.length > 1) {
      this.#nodes.push({ type: 'union', paths: parts.map((part) => parseJsonPath(`[${part.trim()}]`)) })
      return
    }
    const key = /^'([^']*)'$/.exec(inside)
    if (key) this.#nodes.push(...parseJsonPath(`.${key[1]}`))
    else this.#nodes.push({ type: 'array', slice: parseSlice(inside === '*' ? ':' : inside) })
  }

  /** The closing parenthesis is the first one outside of the one quoted text that a filter may have. */
  #filter(): void {
    const start = this.#at + 3
    let quote = ''
    let closed = false
    for (let i = start; i < this.#text.length; i++) {
      const char = this.#text.charAt(i)
      if (quote === '' && (char === '"' || char === "'")) quote = char
      else if (char === quote && this.#text.charAt(i - 1) !== '\\') closed = true
      else if (char === ')' && (quote !== '') === closed) {
        if (this.#text.charAt(i + 1) !== ']') throw new JsonPathSyntaxError('unclosed array expect ]')
        this.#nodes.push(parseFilter(this.#text.slice(start, i)))
        this.#at = i + 2
        return
      }
    }
    throw new JsonPathSyntaxError('unterminated filter')
  }
}

function parseFilter(text: string): PathNode {
  const [, left, operator, right] = COMPARISON.exec(text) ?? []
  if (left === undefined || operator === undefined || right === undefined) {
    return { type: 'filter', left: parseJsonPath(text), operator: 'exists', right: [] }
  }
  return { type: 'filter', left: parseJsonPath(left), operator, right: parseJsonPath(right) }
}

function parseSlice(text: string): Slice {
  const found = SLICE.exec(text)
  if (!found) throw new JsonPathSyntaxError(`invalid array index ${text}`)
  const numberOf = (part: string): number | undefined => {
    if (part === '') return undefined
    if (part === '-') throw new JsonPathSyntaxError(`array index ${part} is not a number`)
    return Number(part)
  }
  const start = numberOf(found[1] ?? '')
  const step = numberOf((found[3] ?? '').slice(1))
  if (found[2] === undefined) {
    return {
      ...(start !== undefined && { start }),
      end: (start ?? 0) + 1,
      ...(step !== undefined && { step }),
      single: true,
    }
  }
  const end = numberOf(found[2].slice(1))
  return {
    ...(start !== undefined && { start }),
    ...(end !== undefined && { end }),
    ...(step !== undefined && { step }),
    single: false,
  }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\u0007', b: '\b', f: '\f', v: '\v' }

function unquote(text: string): string {
  return text.replace(/\\(u[\da-fA-F]{4}|x[\da-fA-F]{2}|.)/gs, (_, code: string) =>
    code.length > 1 ? String.fromCodePoint(Number.parseInt(code.slice(1), 16)) : (ESCAPES[code] ?? code),
  )
}
