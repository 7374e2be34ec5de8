import { parseSync } from '@swc/core'
import { dateWithoutArgument, impureGlobals, impureMembers } from './rules.ts'

/** One import, export-from, dynamic import or require of a file. */
export interface ImportSite {
  readonly specifier: string
  readonly line: number
}

/** A use of something that a pure room may not use. */
export interface ImpureSite {
  readonly what: string
  readonly instead: string
  readonly line: number
}

export interface SourceFacts {
  readonly imports: readonly ImportSite[]
  readonly impure: readonly ImpureSite[]
}

interface AstNode {
  readonly type?: string
  readonly span?: { readonly start: number }
  readonly [key: string]: unknown
}

/** Reads from TypeScript source what the architecture is about. Comments, strings and local names of the same spelling do not count. */
export function readSource(code: string): SourceFacts {
  // The semicolon gives the module a first token whose place is known: swc counts positions on from file to file.
  const text = `;${code.replace(/^#!.*/, '')}`
  const module = parseSync(text, { syntax: 'typescript', target: 'es2024' }) as unknown as AstNode
  const lines = new LineIndex(text, module.span!.start)
  const imports: ImportSite[] = []
  const impure: ImpureSite[] = []
  const locals = new Set<string>()
  walk(module, (node) => collectLocals(node, locals))
  walk(module, (node, parent, key) => {
    const line = () => lines.of(node.span!.start)
    const specifier = specifierOf(node)
    if (specifier !== undefined) imports.push({ specifier, line: line() })
    const found = impureAt(node, parent, key, locals)
    if (found) impure.push({ ...found, line: line() })
  })
  return { imports, impure }
}

function specifierOf(node: AstNode): string | undefined {
  const { type } = node
  if (type === 'ImportDeclaration' || type === 'ExportAllDeclaration' || type === 'ExportNamedDeclaration') {
    return (node.source as { value: string } | null)?.value
  }
  if (type === 'TsImportType') return (node.argument as { value: string }).value
  if (type !== 'CallExpression') return undefined
  const callee = node.callee as AstNode
  if (callee.type !== 'Import' && !(callee.type === 'Identifier' && callee.value === 'require')) return undefined
  const [argument] = node.arguments as { expression: AstNode }[]
  // What is imported must be readable without running the code.
  return argument?.expression.type === 'StringLiteral' ? (argument.expression.value as string) : '(computed)'
}

function impureAt(
  node: AstNode,
  parent: AstNode | undefined,
  key: string,
  locals: ReadonlySet<string>,
): Omit<ImpureSite, 'line'> | undefined {
  if (node.type === 'MetaProperty' && node.kind === 'import.meta')
    return { what: 'import.meta', instead: impureMembers['import.meta']! }
  if (node.type === 'MemberExpression') {
    const what = memberName(node)
    const instead = what && impureMembers[what]
    return instead ? { what, instead } : undefined
  }
  if (
    (node.type === 'NewExpression' || node.type === 'CallExpression') &&
    isGlobal(node.callee as AstNode, 'Date', locals)
  ) {
    const given = node.arguments as unknown[] | null
    if (node.type === 'CallExpression') return { what: 'Date()', instead: dateWithoutArgument }
    return given?.length ? undefined : { what: 'new Date() without an argument', instead: dateWithoutArgument }
  }
  if (node.type !== 'Identifier' || isNameOnly(parent, key)) return undefined
  const name = node.value as string
  const instead = Object.hasOwn(impureGlobals, name) && !locals.has(name) ? impureGlobals[name] : undefined
  return instead ? { what: name, instead } : undefined
}

function memberName({ object, property }: AstNode): string | undefined {
  const of = object as AstNode
  const member = property as AstNode
  if (of.type !== 'Identifier') return undefined
  if (member.type === 'Identifier') return `${of.value}.${member.value}`
  const inner = member.expression as AstNode | undefined
  return inner?.type === 'StringLiteral' ? `${of.value}.${inner.value}` : undefined
}

const isGlobal = (node: AstNode, name: string, locals: ReadonlySet<string>) =>
  node.type === 'Identifier' && node.value === name && !locals.has(name)

/** An identifier that names a property, a key, a type or a label, not a value in scope. */
function isNameOnly(parent: AstNode | undefined, key: string): boolean {
  const type = parent?.type ?? ''
  if (type === 'MemberExpression') return key === 'property'
  if (
    type === 'KeyValueProperty' ||
    type === 'KeyValuePatternProperty' ||
    type.endsWith('Method') ||
    type.endsWith('MethodProperty')
  ) {
    return key === 'key'
  }
  if (type === 'ClassProperty' || type === 'GetterProperty' || type === 'SetterProperty') return key === 'key'
  if (type === 'TsTypeQuery') return false
  return (
    type.startsWith('Ts') &&
    !['TsAsExpression', 'TsNonNullExpression', 'TsSatisfiesExpression', 'TsConstAssertion'].includes(type)
  )
}

/** Names that the file itself declares: parameters, variables, functions, classes, imports. */
function collectLocals(node: AstNode, locals: Set<string>): void {
  const add = (pattern: unknown) => {
    const { type, value, elements, properties, argument, left, key } = (pattern ?? {}) as Record<string, unknown>
    if (type === 'Identifier') locals.add(value as string)
    else if (type === 'ArrayPattern') for (const element of elements as unknown[]) add(element)
    else if (type === 'ObjectPattern') for (const property of properties as unknown[]) add(property)
    else if (type === 'KeyValuePatternProperty') add(value)
    else if (type === 'AssignmentPatternProperty') add(key)
    else if (type === 'AssignmentPattern') add(left)
    else if (type === 'RestElement') add(argument)
  }
  if (node.type === 'VariableDeclarator') add(node.id)
  else if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration') add(node.identifier)
  else if (node.type?.startsWith('Import') && 'local' in node) add(node.local)
  else if (node.type === 'CatchClause') add(node.param)
  else if (node.type === 'Parameter') add(node.pat)
  if (Array.isArray(node.params)) for (const param of node.params as unknown[]) add(param)
}

type Visit = (node: AstNode, parent: AstNode | undefined, key: string) => void

function walk(root: AstNode, visit: Visit): void {
  const go = (value: unknown, parent: AstNode | undefined, key: string): void => {
    if (Array.isArray(value)) for (const item of value) go(item, parent, key)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return
    const node = value as AstNode
    // Call arguments and the like are wrapped in objects without a type; look through them.
    const isNode = typeof node.type === 'string'
    if (isNode && node.span) visit(node, parent, key)
    for (const [name, child] of Object.entries(node)) {
      if (name !== 'span') go(child, isNode ? node : parent, isNode ? name : key)
    }
  }
  go(root, undefined, '')
}

/** Line numbers from swc's positions, which count UTF-8 bytes. */
class LineIndex {
  readonly #starts: number[] = [0]
  readonly #base: number

  constructor(text: string, base: number) {
    this.#base = base
    const bytes = new TextEncoder().encode(text)
    for (let i = 0; i < bytes.length; i++) if (bytes[i] === 10) this.#starts.push(i + 1)
  }

  of(position: number): number {
    const offset = position - this.#base
    let line = this.#starts.findIndex((start) => start > offset)
    if (line < 0) line = this.#starts.length
    return line
  }
}
