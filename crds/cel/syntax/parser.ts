import { type Expr, type FieldInit, type Literal, type MapEntry, OPERATOR } from './ast.ts'
import { type Token, type TokenKind, tokenize } from './lexer.ts'
import { expandMacro } from './macros.ts'
import type { Issue } from './source.ts'
import { unescapeLiteral } from './unescape.ts'

/** An expression read; `expr` is to be used only where there are no issues. */
export interface Parsed {
  readonly expr: Expr
  readonly issues: readonly Issue[]
}

/** How deep expressions may nest, and how long they may be in code points, as in cel-go. */
const DEPTH_LIMIT = 250
const SIZE_LIMIT = 100_000

/** Reads an expression; macros are expanded. Errors are worded as cel-go's ANTLR parser words them. Never throws. */
export function parse(source: string): Parsed {
  const issues: Issue[] = []
  const none: Expr = { kind: 'error', offset: 0 }
  if (source.length > SIZE_LIMIT && [...source].length > SIZE_LIMIT) {
    const size = [...source].length
    const message = `expression code point size exceeds limit: size: ${size}, limit ${SIZE_LIMIT}`
    return { expr: none, issues: [{ offset: undefined, message }] }
  }
  try {
    return { expr: new Parser(source, tokenize(source, issues), issues).start(), issues }
  } catch (error) {
    if (!(error instanceof GaveUp)) throw error
    return { expr: none, issues }
  }
}

/** The first syntax error ends the parse: it has been told already. */
class GaveUp extends Error {}

const RESERVED = new Set(
  'as break const continue else false for function if import in let loop package namespace null return true var void while'.split(
    ' ',
  ),
)

const EXPRESSION = "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
const EXPECT = {
  expression: `{'[', '{', '(', '.', '-', '!', ${EXPRESSION}`,
  argument: `{'[', '{', '(', ')', '.', '-', '!', ${EXPRESSION}`,
  index: `{'[', '{', '(', '.', '-', '!', '?', ${EXPRESSION}`,
  listItem: `{'[', ']', '{', '(', '.', ',', '-', '!', '?', ${EXPRESSION}`,
  mapKey: `{'[', '{', '}', '(', '.', ',', '-', '!', '?', ${EXPRESSION}`,
} as const

const RELATIONS = new Set(['<', '<=', '>=', '>', '==', '!=', 'in'])
const STARTS = new Set(['[', '{', '(', '.', '-', '!', 'true', 'false', 'null'])
const VALUES = new Set<TokenKind>(['int', 'uint', 'double', 'string', 'bytes', 'ident'])

class Parser {
  readonly #source: string
  readonly #tokens: readonly Token[]
  readonly #issues: Issue[]
  #at = 0
  #depth = 0

  constructor(source: string, tokens: readonly Token[], issues: Issue[]) {
    this.#source = source
    this.#tokens = tokens
    this.#issues = issues
  }

  start(): Expr {
    const expr = this.#expr(EXPECT.expression)
    const token = this.#peek()
    if (token.kind === 'eof') return expr
    const how = this.#peek(1).kind === 'eof' ? 'extraneous' : 'mismatched'
    throw this.#syntax(token, `${how} input '${token.text}' expecting <EOF>`)
  }

  #peek(ahead = 0): Token {
    const token = this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]
    if (!token) throw new GaveUp()
    return token
  }

  #next(): Token {
    const token = this.#peek()
    this.#at++
    return token
  }

  #isMark(text: string, ahead = 0): boolean {
    const token = this.#peek(ahead)
    return token.kind === 'mark' && token.text === text
  }

  #take(text: string): Token | undefined {
    return this.#isMark(text) ? this.#next() : undefined
  }

  #syntax(token: Token, message: string): GaveUp {
    this.#issues.push({ offset: token.offset, message: `Syntax error: ${message}` })
    return new GaveUp()
  }

  #report(offset: number, message: string): Expr {
    this.#issues.push({ offset, message })
    return { kind: 'error', offset }
  }

  /** One mark must come. ANTLR tells a token too many from one too few from a wrong one. */
  #expect(text: string, among?: string): Token {
    const token = this.#peek()
    if (this.#isMark(text)) return this.#next()
    if (this.#isMark(text, 1))
      throw this.#syntax(token, `extraneous input '${token.text}' expecting ${among ?? `'${text}'`}`)
    const inserted = text === ':' ? this.#startsExpression(token) : !this.#startsExpression(token)
    if (inserted) throw this.#syntax(token, `missing '${text}' at '${token.text}'`)
    throw this.#syntax(token, `mismatched input '${token.text}' expecting ${among ?? `'${text}'`}`)
  }

  #startsExpression(token: Token): boolean {
    return token.kind === 'mark' ? STARTS.has(token.text) : VALUES.has(token.kind)
  }

  /** expr = or ('?' or ':' expr)? */
  #expr(expected: string): Expr {
    if (++this.#depth > DEPTH_LIMIT) {
      this.#issues.push({ offset: undefined, message: `expression recursion limit exceeded: ${DEPTH_LIMIT}` })
      throw new GaveUp()
    }
    const condition = this.#or(expected)
    const question = this.#take('?')
    let expr = condition
    if (question) {
      const yes = this.#or(EXPECT.expression)
      this.#expect(':')
      const no = this.#expr(EXPECT.expression)
      expr = call(question.offset, OPERATOR.conditional, [condition, yes, no])
    }
    this.#depth--
    return expr
  }

  #or(expected: string): Expr {
    return this.#balanced('||', OPERATOR.or, expected, (first) => this.#and(first))
  }

  #and(expected: string): Expr {
    return this.#balanced('&&', OPERATOR.and, expected, (first) => this.#relation(first))
  }

  /** A chain of one logical operator, as a balanced tree: its cost depends on its shape. */
  #balanced(mark: string, name: string, expected: string, term: (expected: string) => Expr): Expr {
    const terms = [term(expected)]
    const operators: Token[] = []
    for (let token = this.#take(mark); token; token = this.#take(mark)) {
      operators.push(token)
      terms.push(term(EXPECT.expression))
    }
    return operators.length === 0 ? (terms[0] as Expr) : balance(name, terms, operators, 0, operators.length - 1)
  }

  #relation(expected: string): Expr {
    let left = this.#sum(expected)
    while (this.#peek().kind === 'mark' && RELATIONS.has(this.#peek().text)) {
      const token = this.#next()
      const name = token.text === 'in' ? OPERATOR.in : `_${token.text}_`
      left = call(token.offset, name, [left, this.#sum(EXPECT.expression)])
    }
    return left
  }

  #sum(expected: string): Expr {
    let left = this.#product(expected)
    for (let token = this.#take('+') ?? this.#take('-'); token; token = this.#take('+') ?? this.#take('-')) {
      left = call(token.offset, `_${token.text}_`, [left, this.#product(EXPECT.expression)])
    }
    return left
  }

  #product(expected: string): Expr {
    const operator = (): Token | undefined => this.#take('*') ?? this.#take('/') ?? this.#take('%')
    let left = this.#unary(expected)
    for (let token = operator(); token; token = operator()) {
      left = call(token.offset, `_${token.text}_`, [left, this.#unary(EXPECT.expression)])
    }
    return left
  }

  #unary(expected: string): Expr {
    const token = this.#peek()
    const mark = this.#isMark('!') ? '!' : this.#isMark('-') ? '-' : ''
    // A sign before a number belongs to the number.
    if (mark === '' || (mark === '-' && (this.#peek(1).kind === 'int' || this.#peek(1).kind === 'double'))) {
      return this.#member(expected)
    }
    let count = 0
    while (this.#take(mark)) count++
    if (this.#peek().kind === 'eof') throw this.#danglingUnary(token, mark)
    const operand = this.#member(EXPECT.expression)
    if (count % 2 === 0) return operand
    return call(token.offset, mark === '!' ? OPERATOR.not : OPERATOR.negate, [operand])
  }

  #danglingUnary(first: Token, mark: string): GaveUp {
    const end = this.#peek()
    if (mark === '!') return this.#syntax(end, `extraneous input '<EOF>' expecting ${EXPECT.expression}`)
    this.#syntax(end, `no viable alternative at input '${this.#source.slice(first.offset)}'`)
    return this.#syntax(end, `mismatched input '<EOF>' expecting ${EXPECT.expression}`)
  }

  #member(expected: string): Expr {
    let operand = this.#primary(expected)
    for (;;) {
      if (this.#isMark('.')) operand = this.#selection(operand)
      else if (this.#isMark('[')) operand = this.#subscript(operand)
      else return operand
    }
  }

  #selection(operand: Expr): Expr {
    const dot = this.#next()
    const optional = this.#take('?')
    const name = this.#peek()
    if (name.kind !== 'ident' && name.kind !== 'quotedIdent') throw this.#badField(dot, name, optional !== undefined)
    this.#next()
    if (name.kind === 'quotedIdent') return this.#report(name.offset, "unsupported syntax: '`'")
    if (optional) {
      const field: Expr = { kind: 'literal', offset: name.offset, literal: { type: 'string', value: name.text } }
      return call(dot.offset, OPERATOR.optSelect, [operand, field])
    }
    const open = this.#take('(')
    if (!open) return { kind: 'select', offset: dot.offset, operand, field: name.text, test: false }
    return this.#called(open, name.text, operand)
  }

  #badField(dot: Token, name: Token, optional: boolean): GaveUp {
    if (optional) {
      const problem = this.#syntax(name, `mismatched input '${name.text}' expecting {IDENTIFIER, ESC_IDENTIFIER}`)
      this.#report(name.offset, 'unsupported ident kind')
      return problem
    }
    if (name.text === 'true' || name.text === 'false' || name.text === 'null') {
      return this.#syntax(name, `mismatched input '${name.text}' expecting IDENTIFIER`)
    }
    const read =
      name.kind === 'eof'
        ? this.#source.slice(dot.offset)
        : this.#source.slice(dot.offset, name.offset + name.text.length)
    return this.#syntax(name, `no viable alternative at input '${read}'`)
  }

  #subscript(operand: Expr): Expr {
    const open = this.#next()
    const optional = this.#take('?')
    const index = this.#expr(optional ? EXPECT.expression : EXPECT.index)
    this.#expect(']')
    return call(open.offset, optional ? OPERATOR.optIndex : OPERATOR.index, [operand, index])
  }

  /** What follows the `(` of a call; a macro is expanded. */
  #called(open: Token, name: string, target: Expr | undefined): Expr {
    const args: Expr[] = []
    if (!this.#isMark(')')) {
      args.push(this.#expr(EXPECT.argument))
      while (this.#take(',')) args.push(this.#expr(EXPECT.expression))
    }
    this.#expect(')')
    const expanded = expandMacro(name, target, args, open.offset)
    if (expanded && 'error' in expanded) return this.#report(expanded.at, expanded.error)
    return expanded ?? { kind: 'call', offset: open.offset, function: name, target, args }
  }

  #primary(expected: string): Expr {
    const token = this.#peek()
    if (token.kind === 'mark') {
      if (token.text === '(') return this.#nested()
      if (token.text === '[') return this.#list()
      if (token.text === '{') return this.#map()
      if (token.text === 'true' || token.text === 'false') {
        return literal(this.#next(), { type: 'bool', value: token.text === 'true' })
      }
      if (token.text === 'null') return literal(this.#next(), { type: 'null', value: null })
      if (token.text === '-' && (this.#peek(1).kind === 'int' || this.#peek(1).kind === 'double')) return this.#number()
      if (token.text === '.' && this.#peek(1).kind === 'ident') return this.#ident()
      if (token.text === '.') throw this.#badField(token, this.#peek(1), false)
    }
    if (token.kind === 'ident') return this.#ident()
    if (token.kind === 'int' || token.kind === 'uint' || token.kind === 'double') return this.#number()
    if (token.kind === 'string' || token.kind === 'bytes') return this.#string()
    const deletable = token.kind !== 'eof' && (this.#startsExpression(this.#peek(1)) || this.#closes(expected))
    const how = deletable ? 'extraneous' : 'mismatched'
    const problem = this.#syntax(token, `${how} input '${token.text}' expecting ${expected}`)
    if (!deletable || !this.#startsExpression(this.#peek(1))) throw problem
    this.#next()
    return this.#primary(expected)
  }

  /** Whether the token after this one may end what is read here, so that one token is simply too many. */
  #closes(expected: string): boolean {
    const after = this.#peek(1)
    return after.kind === 'mark' && expected.includes(`'${after.text}'`)
  }

  #nested(): Expr {
    this.#next()
    const expr = this.#expr(EXPECT.expression)
    this.#expect(')')
    return expr
  }

  /** Whether another item of a list or map follows; the comma before it is taken, and so is one that trails. */
  #another(closing: string, count: number): boolean {
    if (this.#isMark(closing)) return false
    if (count === 0) return !this.#take(',')
    return (
      this.#isMark(',') && this.#next() !== undefined && (this.#isMark('?') || this.#startsExpression(this.#peek()))
    )
  }

  /** A list or map ends; after a trailing comma nothing else may come. */
  #close(closing: string): void {
    this.#expect(closing, this.#tokens[this.#at - 1]?.text === ',' ? undefined : `{'${closing}', ','}`)
  }

  #list(): Expr {
    const open = this.#next()
    const elements: Expr[] = []
    const optional = new Set<number>()
    while (this.#another(']', elements.length)) {
      if (this.#take('?')) optional.add(elements.length)
      elements.push(this.#expr(elements.length === 0 ? EXPECT.listItem : EXPECT.expression))
    }
    this.#close(']')
    return { kind: 'list', offset: open.offset, elements, optional }
  }

  #map(): Expr {
    const open = this.#next()
    const entries: MapEntry[] = []
    while (this.#another('}', entries.length)) {
      const optional = this.#take('?') !== undefined
      const key = this.#expr(entries.length === 0 ? EXPECT.mapKey : EXPECT.expression)
      const colon = this.#expect(':')
      entries.push({ offset: colon.offset, key, value: this.#expr(EXPECT.expression), optional })
    }
    this.#close('}')
    return { kind: 'map', offset: open.offset, entries }
  }

  #number(): Expr {
    const first = this.#peek()
    const sign = this.#take('-') ? '-' : ''
    const token = this.#next()
    if (token.kind === 'double') {
      const value = Number(sign + token.text)
      if (!Number.isFinite(value)) return this.#report(first.offset, 'invalid double literal')
      return literal(first, { type: 'double', value })
    }
    const unsigned = token.kind === 'uint'
    const size = BigInt(unsigned ? token.text.slice(0, -1) : token.text)
    const value = sign ? -size : size
    const fits = unsigned ? value < 1n << 64n : value >= -(1n << 63n) && value < 1n << 63n
    if (!fits) return this.#report(first.offset, `invalid ${unsigned ? 'uint' : 'int'} literal`)
    return literal(first, { type: unsigned ? 'uint' : 'int', value })
  }

  #string(): Expr {
    const token = this.#next()
    const isBytes = token.kind === 'bytes'
    const text = unescapeLiteral(isBytes ? token.text.slice(1) : token.text, isBytes)
    if (!text.ok) return this.#report(token.offset, text.error)
    return literal(token, isBytes ? { type: 'bytes', value: text.bytes } : { type: 'string', value: text.text })
  }

  /** A name, a call, or `a.b.Type{…}`. */
  #ident(): Expr {
    const first = this.#peek()
    const dot = this.#take('.') ? '.' : ''
    const struct = this.#struct(dot)
    if (struct) return struct
    const name = this.#next()
    const reserved = RESERVED.has(name.text)
      ? this.#report(first.offset, `reserved identifier: ${name.text}`)
      : undefined
    const open = this.#take('(')
    const called = open ? this.#called(open, dot + name.text, undefined) : undefined
    if (reserved ?? called) return reserved ?? (called as Expr)
    return { kind: 'ident', offset: name.offset, name: dot + name.text }
  }

  #struct(dot: string): Expr | undefined {
    let ahead = 1
    while (this.#isMark('.', ahead) && this.#peek(ahead + 1).kind === 'ident') ahead += 2
    if (!this.#isMark('{', ahead)) return undefined
    let typeName = dot
    while (!this.#isMark('{')) typeName += this.#next().text
    const open = this.#next()
    const fields: FieldInit[] = []
    while (this.#another('}', fields.length)) {
      const optional = this.#take('?') !== undefined
      const name = this.#peek()
      if (name.kind !== 'ident') {
        throw this.#syntax(
          name,
          `mismatched input '${name.text}' expecting {'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}`,
        )
      }
      this.#next()
      const colon = this.#expect(':')
      fields.push({ offset: colon.offset, name: name.text, value: this.#expr(EXPECT.expression), optional })
    }
    this.#close('}')
    return { kind: 'struct', offset: open.offset, typeName, fields }
  }
}

function call(offset: number, name: string, args: readonly Expr[]): Expr {
  return { kind: 'call', offset, function: name, target: undefined, args }
}

function literal(token: Token, value: Literal): Expr {
  return { kind: 'literal', offset: token.offset, literal: value }
}

function balance(name: string, terms: readonly Expr[], operators: readonly Token[], low: number, high: number): Expr {
  const middle = Math.floor((low + high + 1) / 2)
  const left = middle === low ? terms[middle] : balance(name, terms, operators, low, middle - 1)
  const right = middle === high ? terms[middle + 1] : balance(name, terms, operators, middle + 1, high)
  return call(operators[middle]?.offset ?? 0, name, [left as Expr, right as Expr])
}
