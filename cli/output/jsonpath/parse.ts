import { JsonPathError, type JsonPathNode } from './node.ts'

/**
 * Parses a JSONPath template in kubectl's dialect (`{range .items[*]}{.metadata.name}{"\n"}{end}`).
 * Throws JsonPathError in kubectl's words. Source: https://kubernetes.io/docs/reference/kubectl/jsonpath/
 */
export function parseTemplate(template: string): JsonPathNode[] {
  return new Parser(template).template()
}

class Parser {
  readonly #input: string
  #at = 0

  constructor(input: string) {
    this.#input = input
  }

  template(): JsonPathNode[] {
    const nodes: JsonPathNode[] = []
    while (this.#at < this.#input.length) {
      const open = this.#input.indexOf('{', this.#at)
      const end = open < 0 ? this.#input.length : open
      if (end > this.#at) nodes.push({ type: 'text', text: this.#input.slice(this.#at, end) })
      this.#at = end
      if (open < 0) break
      this.#at++
      nodes.push({ type: 'list', nodes: this.#action() })
    }
    return nodes
  }

  #action(): JsonPathNode[] {
    const nodes: JsonPathNode[] = []
    for (;;) {
      const rest = this.#input.slice(this.#at)
      if (rest.startsWith('}')) {
        this.#at++
        return nodes
      }
      if (rest.startsWith('[?(')) nodes.push(this.#filter())
      else if (rest.startsWith('..')) nodes.push(...this.#recursive(nodes.at(-1)))
      else {
        const c = rest[0]
        if (c === undefined || c === '\n' || c === '\r') throw new JsonPathError('unclosed action')
        if (c === ' ' || c === '@' || c === '$') this.#at++
        else if (c === '[') nodes.push(...this.#array())
        else if (c === '"' || c === "'") nodes.push({ type: 'text', text: this.#quoted(c) })
        else if (c === '.') {
          this.#at++
          nodes.push(this.#field())
        } else if (/[-+0-9]/.test(c)) nodes.push(this.#number())
        else if (/[\p{L}\p{N}_]/u.test(c)) nodes.push(this.#identifier())
        else
          throw new JsonPathError(
            `unrecognized character in action: U+${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')} '${c}'`,
          )
      }
    }
  }

  #field(): JsonPathNode {
    const match = /^(?:\\[\s\S]|[^\s.,[\]$@{}\\])*/.exec(this.#input.slice(this.#at))![0]
    this.#at += match.length
    return match === '*' ? { type: 'wildcard' } : { type: 'field', name: match.replaceAll('\\', '') }
  }

  #recursive(previous: JsonPathNode | undefined): JsonPathNode[] {
    if (previous?.type === 'recursive') throw new JsonPathError('invalid multiple recursive descent')
    this.#at += 2
    const next = this.#input[this.#at]
    return [{ type: 'recursive' }, ...(next && /[\p{L}\p{N}_]/u.test(next) ? [this.#field()] : [])]
  }

  #number(): JsonPathNode {
    const text = /^[-+]?[0-9.]*/.exec(this.#input.slice(this.#at))![0]
    this.#at += text.length
    const value = Number(text)
    if (text === '' || Number.isNaN(value)) throw new JsonPathError(`cannot parse number ${text}`)
    return { type: 'value', value, float: text.includes('.') }
  }

  #identifier(): JsonPathNode {
    const name = /^[^\s.,[\]$@{}]*/.exec(this.#input.slice(this.#at))![0]
    this.#at += name.length
    if (name === 'true' || name === 'false') return { type: 'value', value: name === 'true', float: false }
    return { type: 'identifier', name }
  }

  #quoted(quote: string): string {
    let end = this.#at + 1
    for (; this.#input[end] !== quote || this.#input[end - 1] === '\\'; end++) {
      if (end >= this.#input.length || this.#input[end] === '\n') throw new JsonPathError('unterminated quoted string')
    }
    const text = this.#input.slice(this.#at + 1, end)
    this.#at = end + 1
    return unquote(text)
  }

  #array(): JsonPathNode[] {
    const end = this.#input.slice(this.#at).search(/[\]\n]/)
    if (end < 0 || this.#input[this.#at + end] === '\n') throw new JsonPathError('unterminated array')
    const text = this.#input.slice(this.#at + 1, this.#at + end)
    this.#at += end + 1
    return subscript(text)
  }

  #filter(): JsonPathNode {
    const start = this.#at + 3
    let quote = ''
    let at = start
    for (; ; at++) {
      const c = this.#input[at]
      if (c === undefined || c === '\n') throw new JsonPathError('unterminated filter')
      if (quote === '' && (c === '"' || c === "'")) quote = c
      else if (c === quote && this.#input[at - 1] !== '\\') quote = ''
      else if (c === ')' && quote === '') break
    }
    if (this.#input[at + 1] !== ']') throw new JsonPathError('unclosed array expect ]')
    const text = this.#input.slice(start, at)
    this.#at = at + 2
    const comparison = /^([^!<>=]+)([!<>=]+)(.+?)$/.exec(text)
    if (!comparison) return { type: 'filter', left: parseAction(text), operator: 'exists', right: [] }
    const [, left = '', operator = '', right = ''] = comparison
    return { type: 'filter', left: parseAction(left), operator, right: parseAction(right) }
  }
}

function parseAction(text: string): readonly JsonPathNode[] {
  const [list] = parseTemplate(`{${text}}`)
  return list?.type === 'list' ? list.nodes : []
}

/** What stands between `[` and `]`. */
function subscript(text: string): JsonPathNode[] {
  const parts = text.split(',')
  if (parts.length > 1) return [{ type: 'union', branches: parts.map((part) => parseAction(`[${part.trim()}]`)) }]
  const key = /^'([^']*)'$/.exec(text)
  if (key) return [...parseAction(`.${key[1]}`)]
  const slice = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/.exec(text === '*' ? ':' : text)
  if (!slice) throw new JsonPathError(`invalid array index ${text}`)
  const [, from = '', to, step] = slice
  const bound = (value: string | undefined) => (value === undefined || value === '' ? undefined : Number(value))
  const numbers = [bound(from), bound(to?.slice(1)), bound(step?.slice(1))] as const
  if (numbers.some((n) => Number.isNaN(n))) throw new JsonPathError(`array index ${text} is not a number`)
  return [
    {
      type: 'slice',
      single: to === undefined,
      ...(numbers[0] === undefined ? {} : { from: numbers[0] }),
      ...(numbers[1] === undefined ? {} : { to: numbers[1] }),
      ...(numbers[2] === undefined ? {} : { step: numbers[2] }),
    },
  ]
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
}

/** Go's string escapes. */
function unquote(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([\s\S]))/g,
    (whole, x, u, long, octal, c) => {
      const hex = x ?? u ?? long
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8))
      const known = ESCAPES[c as string]
      if (known === undefined) throw new JsonPathError(`unquote string ${whole} error invalid syntax`)
      return known
    },
  )
}
