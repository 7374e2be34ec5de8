import { compileRe2 } from '../../validation/re2.ts'
import { FUNCTIONS } from '../library/environment.ts'
import { CLAUSE_RULES, type Clause, parseFormat } from '../library/string-format.ts'
import { dispatch } from '../run/dispatch.ts'
import { type CallExpr, type Expr, type Literal, walk } from '../syntax/ast.ts'
import type { Issue } from '../syntax/source.ts'
import { type CelType, formatType, optionalInner, sameType } from '../types/type.ts'
import { CelError, CelUint } from '../values/value.ts'
import type { Checked } from './checker.ts'

/** Looks over literals of a checked expression for what would only fail when run, as Kubernetes does since 1.29. */
export function checkLiterals(expr: Expr, checked: Checked): Issue[] {
  const issues: Issue[] = []
  const kinds: Record<'duration' | 'timestamp' | 'matches' | 'list' | 'map' | 'format', Issue[]> = {
    duration: [],
    timestamp: [],
    matches: [],
    list: [],
    map: [],
    format: [],
  }
  walk(expr, (node, parents) => {
    if (node.kind === 'call') {
      checkArgument(node, kinds)
      const problem = formatProblem(node, checked)
      if (problem) kinds.format.push(problem)
    } else if ((node.kind === 'list' || node.kind === 'map') && !inFormat(parents)) {
      checkSameTypes(node, checked, kinds[node.kind])
    }
  })
  issues.push(...kinds.duration, ...kinds.timestamp, ...kinds.matches, ...kinds.list, ...kinds.map, ...kinds.format)
  return issues
}

/** Whether the function takes the constant. */
const VALID: Readonly<Record<'duration' | 'timestamp' | 'matches', (constant: Literal) => boolean>> = {
  duration: (constant) => converts('duration', constant),
  timestamp: (constant) => converts('timestamp', constant),
  matches: (constant) => constant.type !== 'string' || compileRe2(constant.value).ok,
}

function converts(name: string, constant: Literal): boolean {
  const value = constant.type === 'uint' ? new CelUint(constant.value) : constant.value
  return !(dispatch(name, FUNCTIONS.get(name) ?? [], [value]) instanceof CelError)
}

function checkArgument(call: CallExpr, found: Record<'duration' | 'timestamp' | 'matches', Issue[]>): void {
  const name = call.function
  if (name !== 'duration' && name !== 'timestamp' && name !== 'matches') return
  const [arg] = call.args
  if (arg?.kind !== 'literal') return
  if (!VALID[name](arg.literal)) found[name].push({ offset: arg.offset, message: `invalid ${name} argument` })
}

/** Arguments of `format` may be of any types. */
function inFormat(parents: readonly Expr[]): boolean {
  return parents.some((parent) => parent.kind === 'call' && parent.function === 'format')
}

/** All items of a literal must be of one type, even where dyn would let them pass. */
function checkSameTypes(node: Expr, checked: Checked, issues: Issue[]): void {
  const compare = (first: CelType, one: CelType, at: Expr): boolean => {
    if (sameType(first, one)) return true
    issues.push({ offset: at.offset, message: `expected type '${formatType(first)}' but found '${formatType(one)}'` })
    return false
  }
  const typeOf = (item: Expr, optional: boolean): CelType => {
    const type = checked.typeOf(item)
    return optional ? (optionalInner(type) ?? type) : type
  }
  if (node.kind === 'list') {
    const [head] = node.elements
    if (!head) return
    const first = typeOf(head, node.optional.has(0))
    node.elements.every((item, i) => compare(first, typeOf(item, node.optional.has(i)), item))
  } else if (node.kind === 'map') {
    const [head] = node.entries
    if (!head) return
    const key = typeOf(head.key, false)
    const value = typeOf(head.value, head.optional)
    for (const entry of node.entries) {
      compare(key, typeOf(entry.key, false), entry.key)
      compare(value, typeOf(entry.value, entry.optional), entry.value)
    }
  }
}

/** A constant format with a list of arguments is filled in on paper; what is wrong first. */
function formatProblem(call: CallExpr, checked: Checked): Issue | undefined {
  const { target } = call
  const [args] = call.args
  if (call.function !== 'format' || target?.kind !== 'literal' || target.literal.type !== 'string') return undefined
  if (args?.kind !== 'list') return undefined
  const { parts, error } = parseFormat(target.literal.value)
  let used = 0
  const at = (expr: Expr, message: string): Issue => ({ offset: expr.offset, message })
  for (const part of parts) {
    if (typeof part === 'string') continue
    const arg = args.elements[used]
    if (!arg) return at(call, `index ${used} out of range`)
    used++
    const misfit = misfitOf(part, arg, checked)
    if (misfit) return at(misfit.expr, `error during formatting: ${CLAUSE_RULES[part.verb]}, was given ${misfit.type}`)
  }
  if (error !== undefined) return at(call, used >= args.elements.length ? `index ${used} out of range` : error)
  if (args.elements.length <= used) return undefined
  return at(call, `too many arguments supplied to string.format (expected ${used}, got ${args.elements.length})`)
}

const TAKES: Readonly<Record<Clause['verb'], readonly CelType['kind'][]>> = {
  s: ['list', 'map', 'int', 'uint', 'double', 'bool', 'string', 'timestamp', 'bytes', 'duration', 'type', 'null'],
  d: ['int', 'uint'],
  f: ['double', 'string'],
  e: ['double', 'string'],
  b: ['int', 'uint', 'bool'],
  x: ['int', 'uint', 'string', 'bytes'],
  X: ['int', 'uint', 'string', 'bytes'],
  o: ['int', 'uint'],
}

function misfitOf(clause: Clause, arg: Expr, checked: Checked): { expr: Expr; type: string } | undefined {
  const type = checked.typeOf(arg)
  if (type.kind === 'dyn') return undefined
  if (!TAKES[clause.verb].includes(type.kind)) return { expr: arg, type: runtimeName(type) }
  if (clause.verb !== 's') return undefined
  if (arg.kind === 'list') return first(arg.elements, clause, checked)
  if (arg.kind === 'map')
    return first(
      arg.entries.flatMap((entry) => [entry.key, entry.value]),
      clause,
      checked,
    )
  return undefined
}

function first(items: readonly Expr[], clause: Clause, checked: Checked): { expr: Expr; type: string } | undefined {
  for (const item of items) {
    const misfit = misfitOf(clause, item, checked)
    if (misfit) return misfit
  }
  return undefined
}

function runtimeName(type: CelType): string {
  if (type.kind === 'duration') return 'google.protobuf.Duration'
  if (type.kind === 'timestamp') return 'google.protobuf.Timestamp'
  if (type.kind === 'null') return 'null_type'
  return type.kind === 'struct' || type.kind === 'opaque' ? type.name : type.kind
}
