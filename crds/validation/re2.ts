/**
 * Regular expressions in RE2's syntax, which schemas and CEL use, run by JavaScript's engine: the pattern is parsed as Go's
 * regexp/syntax parses it (so the same patterns are refused, in the same words) and written out as an equal JavaScript one.
 * What differs is only time: JavaScript backtracks where RE2 would not.
 */

export type Re2 = { readonly ok: true; readonly regexp: RegExp } | { readonly ok: false; readonly error: string }

const cache = new Map<string, Re2>()
const CACHE_LIMIT = 4096

/** Compiles a pattern, once. `error` starts with `error parsing regexp:`, as Go's does. */
export function compileRe2(pattern: string): Re2 {
  const known = cache.get(pattern)
  if (known) return known
  if (cache.size >= CACHE_LIMIT) cache.clear()
  const compiled = translate(pattern)
  cache.set(pattern, compiled)
  return compiled
}

function translate(pattern: string): Re2 {
  try {
    return { ok: true, regexp: new RegExp(new Translator(pattern).run(), 'u') }
  } catch (error) {
    if (error instanceof Re2Error) return { ok: false, error: error.message }
    if (error instanceof SyntaxError) return { ok: false, error: `error parsing regexp: ${error.message}` }
    throw error
  }
}

class Re2Error extends Error {
  constructor(problem: string, part: string) {
    super(`error parsing regexp: ${problem}: \`${part}\``)
  }
}

interface Flags {
  readonly i: boolean
  readonly m: boolean
  readonly s: boolean
  readonly U: boolean
}

const REPEAT_LIMIT = 1000
const SPACE = '\\t\\n\\f\\r '
const WORD = '0-9A-Za-z_'

const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: WORD,
  xdigit: '0-9A-Fa-f',
}

/** `(?flags-flags` and what ends it. */
const FLAGS = /^\(\?([imsU]*)(?:-([imsU]+))?([:)])/

/** Walks the pattern once, left to right, writing JavaScript as it goes. */
class Translator {
  readonly #pattern: string
  #at = 0
  #depth = 0
  #flags: Flags = { i: false, m: false, s: false, U: false }
  /** Between `\\Q` and `\\E` all characters are themselves. */
  #quoted = false

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  run(): string {
    const out = this.#alternatives()
    if (this.#at < this.#pattern.length) throw new Re2Error('unexpected )', this.#pattern)
    return out
  }

  #peek(): string {
    return this.#pattern[this.#at] ?? ''
  }

  #rest(): string {
    return this.#pattern.slice(this.#at)
  }

  /** The next whole code point, consumed. */
  #next(): string {
    const code = this.#pattern.codePointAt(this.#at)
    const char = code === undefined ? '' : String.fromCodePoint(code)
    this.#at += char.length
    return char
  }

  /** Everything up to the end of the group; flags set inside end with it. */
  #alternatives(): string {
    const outer = this.#flags
    let out = ''
    while (this.#at < this.#pattern.length && (this.#quoted || this.#peek() !== ')')) {
      if (this.#peek() === '|' && !this.#quoted) {
        out += '|'
        this.#at++
      } else out += this.#repeated()
    }
    this.#flags = outer
    return out
  }

  /** One atom with the repetition after it. */
  #repeated(): string {
    const start = this.#at
    if (this.#marks()) return ''
    let out = this.#quoted ? this.#cased(literal(this.#next())) : this.#atom()
    // A repetition after quoted text, or after flags, is one of what came before.
    if (out !== '') this.#marks()
    for (let begin = this.#at; !this.#quoted; begin = this.#at) {
      const operator = this.#operator()
      if (operator === '') break
      if (out === '') {
        const bad = this.#pattern.slice(start === begin ? start : begin, this.#at)
        throw new Re2Error('missing argument to repetition operator', bad)
      }
      out = `(?:${out})${operator}`
      if (this.#marks()) continue
      if (this.#operator() !== '') {
        throw new Re2Error('invalid nested repetition operator', this.#pattern.slice(begin, this.#at))
      }
      break
    }
    return out
  }

  /** Steps over what matches nothing, `\\Q`, `\\E`, and `(?i)` for the rest of the group; whether there was any. */
  #marks(): boolean {
    const start = this.#at
    for (;;) {
      const flags = this.#quoted ? null : FLAGS.exec(this.#rest())
      if (this.#rest().startsWith(this.#quoted ? '\\E' : '\\Q')) {
        this.#quoted = !this.#quoted
        this.#at += 2
      } else if (flags?.[3] === ')') {
        this.#flags = this.#changed(flags)
        this.#at += flags[0].length
      } else return this.#at > start
    }
  }

  #changed(flags: RegExpExecArray): Flags {
    return { ...this.#flags, ...onOff(flags[1] ?? '', true), ...onOff(flags[2] ?? '', false) }
  }

  /** `*`, `+`, `?` or `{n,m}`, with its laziness, as JavaScript writes it; '' where there is none. */
  #operator(): string {
    const char = this.#peek()
    let operator = ''
    if (char === '*' || char === '+' || char === '?') {
      operator = char
      this.#at++
    } else if (char === '{') {
      const count = /^\{(\d+)(,(\d*))?\}/.exec(this.#rest())
      if (!count) return ''
      const min = Number(count[1])
      const max = count[3] ? Number(count[3]) : min
      if (min > REPEAT_LIMIT || max > REPEAT_LIMIT || max < min) throw new Re2Error('invalid repeat count', count[0])
      operator = count[0]
      this.#at += operator.length
    } else return ''
    let lazy = this.#flags.U
    if (this.#peek() === '?') {
      lazy = !lazy
      this.#at++
    }
    return lazy ? `${operator}?` : operator
  }

  #atom(): string {
    const char = this.#peek()
    switch (char) {
      case '(':
        return this.#group()
      case '[':
        return this.#cased(this.#class())
      case '\\':
        return this.#escape()
      case '.':
        this.#at++
        return this.#flags.s ? '[\\s\\S]' : '[^\\n]'
      case '^':
        this.#at++
        return this.#flags.m ? '(?<=^|\\n)' : '(?:^)'
      case '$':
        this.#at++
        return this.#flags.m ? '(?=$|\\n)' : '(?:$)'
      case '*':
      case '+':
      case '?':
        return ''
      case '{':
        if (/^\{\d+(,\d*)?\}/.test(this.#rest())) return ''
        this.#at++
        return '\\{'
      default:
        return this.#cased(literal(this.#next()))
    }
  }

  #cased(out: string): string {
    return this.#flags.i ? `(?i:${out})` : out
  }

  #group(): string {
    if (this.#rest().startsWith('(?')) {
      const named = /^\(\?P?<([^>]*)>/.exec(this.#rest())
      if (named) return this.#namedGroup(named[0], named[1] ?? '')
      if (/^\(\?P?</.test(this.#rest())) throw new Re2Error('invalid named capture', this.#rest())
      return this.#flagGroup()
    }
    this.#at++
    return `(${this.#body()})`
  }

  #namedGroup(opening: string, name: string): string {
    if (!/^[A-Za-z0-9_]+$/.test(name)) throw new Re2Error('invalid named capture', opening)
    this.#at += opening.length
    return `(${this.#body()})`
  }

  /** `(?i:…)` and `(?:…)`. */
  #flagGroup(): string {
    const opening = FLAGS.exec(this.#rest())
    if (opening?.[3] !== ':') {
      const bad = /^\(\?[imsU-]*[^imsU-]?/u.exec(this.#rest())
      throw new Re2Error('invalid or unsupported Perl syntax', bad?.[0] ?? this.#rest())
    }
    const outer = this.#flags
    this.#flags = this.#changed(opening)
    this.#at += opening[0].length
    const body = this.#body()
    this.#flags = outer
    return `(?:${body})`
  }

  #body(): string {
    if (++this.#depth > REPEAT_LIMIT) throw new Re2Error('expression nests too deeply', this.#pattern)
    const body = this.#alternatives()
    if (this.#peek() !== ')') throw new Re2Error('missing closing )', this.#pattern)
    this.#at++
    this.#depth--
    return body
  }

  #escape(): string {
    const next = this.#pattern[this.#at + 1]
    if (next === 'A') return this.#skip(2, '(?:^)')
    if (next === 'z') return this.#skip(2, '(?:$)')
    if (next === 'b' || next === 'B') return this.#skip(2, `\\${next}`)
    const set = this.#perlSet()
    if (set) return this.#cased(`[${set.negated ? '^' : ''}${set.body}]`)
    return this.#cased(codePoint(this.#escapedCharacter()))
  }

  /** `\d`, `\S`, `\pL`, `\P{Greek}` …, consumed; undefined where there is none. */
  #perlSet(): { readonly body: string; readonly negated: boolean } | undefined {
    const next = this.#pattern[this.#at + 1] ?? ''
    const simple: Readonly<Record<string, string>> = { d: '0-9', s: SPACE, w: WORD }
    const body = simple[next.toLowerCase()]
    if (body) return this.#skip(2, { body, negated: next !== next.toLowerCase() })
    if (next !== 'p' && next !== 'P') return undefined
    const match = /^\\[pP](?:\{(\^?)([^}]*)\}|(.))/u.exec(this.#rest())
    if (!match) throw new Re2Error('invalid character class range', this.#rest())
    const name = match[2] ?? match[3] ?? ''
    const negated = (next === 'P') !== (match[1] === '^')
    return this.#skip(match[0].length, { body: unicodeClass(name, match[0]), negated })
  }

  /** Consumes that many characters and hands on what was made of them. */
  #skip<T>(length: number, out: T): T {
    this.#at += length
    return out
  }

  /** A backslash and what follows it, as one code point. */
  #escapedCharacter(): number {
    const start = this.#at
    this.#at++
    if (this.#at >= this.#pattern.length) throw new Re2Error('trailing backslash at end of expression', '')
    const char = this.#next()
    const named: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 }
    const code = named[char]
    if (code !== undefined) return code
    if (char === 'x') {
      const hex = /^(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))/.exec(this.#rest())
      const value = Number.parseInt(hex?.[1] ?? hex?.[2] ?? '', 16)
      if (!hex || value > 0x10ffff) {
        const bad = /^(?:\{[0-9A-Fa-f]*.?|.{0,2})/su.exec(this.#rest())?.[0] ?? ''
        throw new Re2Error('invalid escape sequence', this.#pattern.slice(start, this.#at + bad.length))
      }
      this.#at += hex[0].length
      return value
    }
    const octal = /^[0-7]{1,3}/.exec(this.#pattern.slice(start + 1))
    if (octal && (char === '0' || octal[0].length > 1)) {
      this.#at = start + 1 + octal[0].length
      return Number.parseInt(octal[0], 8)
    }
    if (/[0-9A-Za-z]/.test(char) || (char.codePointAt(0) ?? 0) > 0x7f) {
      throw new Re2Error('invalid escape sequence', this.#pattern.slice(start, this.#at))
    }
    return char.codePointAt(0) ?? 0
  }

  #class(): string {
    const start = this.#at
    this.#at++
    const negated = this.#peek() === '^'
    if (negated) this.#at++
    const union: string[] = []
    let body = ''
    for (let first = true; this.#peek() !== ']' || first; first = false) {
      if (this.#at >= this.#pattern.length) throw new Re2Error('missing closing ]', this.#pattern.slice(start))
      const set = this.#posixSet() ?? (this.#peek() === '\\' ? this.#perlSet() : undefined)
      if (set?.negated) union.push(`[^${set.body}]`)
      else if (set) body += set.body
      else body += this.#range(start)
    }
    this.#at++
    if (union.length === 0) return body === '' ? (negated ? '[\\s\\S]' : '[]') : `[${negated ? '^' : ''}${body}]`
    const any = [...(body === '' ? [] : [`[${body}]`]), ...union].join('|')
    return negated ? `(?:(?!${any})[\\s\\S])` : `(?:${any})`
  }

  #posixSet(): { readonly body: string; readonly negated: boolean } | undefined {
    const match = /^\[:(\^?)([^\]:]*):\]/.exec(this.#rest())
    if (!match) return undefined
    const body = POSIX[match[2] ?? '']
    if (!body) throw new Re2Error('invalid character class range', match[0])
    return this.#skip(match[0].length, { body, negated: match[1] === '^' })
  }

  #range(start: number): string {
    const from = this.#at
    const low = this.#classCharacter(start)
    if (this.#peek() !== '-' || this.#pattern[this.#at + 1] === ']' || this.#at + 1 >= this.#pattern.length) {
      return codePoint(low)
    }
    this.#at++
    const high = this.#classCharacter(start)
    if (high < low) throw new Re2Error('invalid character class range', this.#pattern.slice(from, this.#at))
    return `${codePoint(low)}-${codePoint(high)}`
  }

  #classCharacter(start: number): number {
    if (this.#at >= this.#pattern.length) throw new Re2Error('missing closing ]', this.#pattern.slice(start))
    return this.#peek() === '\\' ? this.#escapedCharacter() : (this.#next().codePointAt(0) ?? 0)
  }
}

function onOff(flags: string, on: boolean): Partial<Flags> {
  return Object.fromEntries([...flags].map((flag) => [flag, on]))
}

function literal(char: string): string {
  return codePoint(char.codePointAt(0) ?? 0)
}

/** One code point, written so that it means itself inside and outside of classes. */
function codePoint(code: number): string {
  const char = String.fromCodePoint(code)
  return /[0-9A-Za-z_ ]/.test(char) ? char : `\\u{${code.toString(16)}}`
}

const GENERAL_CATEGORIES =
  /^(?:C|Cc|Cf|Co|Cs|L|Ll|Lm|Lo|Lt|Lu|M|Mc|Me|Mn|N|Nd|Nl|No|P|Pc|Pd|Pe|Pf|Pi|Po|Ps|S|Sc|Sk|Sm|So|Z|Zl|Zp|Zs)$/

function unicodeClass(name: string, written: string): string {
  if (name === 'Any') return '\\s\\S'
  const body = GENERAL_CATEGORIES.test(name) ? `\\p{${name}}` : `\\p{Script=${name}}`
  try {
    new RegExp(body, 'u')
    return body
  } catch {
    throw new Re2Error('invalid character class range', written)
  }
}
