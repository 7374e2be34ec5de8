import { labelValue, qualifiedName } from '../../crds/validation/names.ts'

type Labels = Readonly<Record<string, string>> | undefined

/** A parsed label selector. `source` is its canonical text: equal selectors have equal sources. */
export interface LabelSelector {
  readonly source: string
  matches(labels: Labels): boolean
}

export interface Requirement {
  readonly key: string
  readonly operator: 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'
  readonly values: readonly string[]
}

export const everything: LabelSelector = { source: '', matches: () => true }

/** Thrown with Kubernetes' sentence where the text is not a selector. */
export class SelectorError extends Error {}

/** Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`. Throws {@link SelectorError}. */
export function parseLabelSelector(text: string): LabelSelector {
  const requirements = parseRequirements(text)
  if (requirements.length === 0) return everything
  return {
    source: requirements.map(print).sort().join(','),
    matches: (labels) => requirements.every((r) => holds(r, labels)),
  }
}

function print(r: Requirement): string {
  return `${r.operator} ${r.key} (${[...r.values].sort().join(',')})`
}

function holds(r: Requirement, labels: Labels): boolean {
  const value = labels && Object.hasOwn(labels, r.key) ? labels[r.key] : undefined
  switch (r.operator) {
    case 'in':
      return value !== undefined && r.values.includes(value)
    case 'notin':
      return value === undefined || !r.values.includes(value)
    case 'exists':
      return value !== undefined
    case '!':
      return value === undefined
    default: {
      if (value === undefined || !/^-?\d+$/.test(value)) return false
      const than = BigInt(r.values[0] ?? '0')
      return r.operator === 'gt' ? BigInt(value) > than : BigInt(value) < than
    }
  }
}

const token = /\s*(==|!=|[=!<>(),]|[^\s=!<>(),]+)/y

function tokens(text: string): string[] {
  const found: string[] = []
  token.lastIndex = 0
  for (;;) {
    const at = token.lastIndex
    const m = token.exec(text)
    if (!m) {
      if (text.slice(at).trim() !== '')
        throw new SelectorError(`unable to parse requirement: found '${text.slice(at)}'`)
      return found
    }
    found.push(m[1] ?? '')
  }
}

const isWord = (t: string | undefined) => t !== undefined && !/^(==|!=|[=!<>(),])$/.test(t)

function parseRequirements(text: string): readonly Requirement[] {
  const list = tokens(text)
  let at = 0
  const next = () => list[at++]
  const requirements: Requirement[] = []
  while (at < list.length) {
    requirements.push(requirement(next, () => list[at]))
    const separator = next()
    if (separator === undefined) break
    if (separator !== ',') throw new SelectorError(`found '${separator}', expected: ',' or 'end of string'`)
    if (at === list.length) throw new SelectorError("found '', expected: identifier after ','")
  }
  return requirements
}

function requirement(next: () => string | undefined, peek: () => string | undefined): Requirement {
  let first = next()
  const negated = first === '!'
  if (negated) first = next()
  if (first === undefined || !isWord(first)) {
    throw new SelectorError(`unable to parse requirement: found '${first ?? ''}', expected: identifier`)
  }
  const key = checkedKey(first)
  const ahead = peek()
  if (negated) return { key, operator: '!', values: [] }
  if (ahead === undefined || ahead === ',') return { key, operator: 'exists', values: [] }
  const operator = next()
  switch (operator) {
    case '=':
    case '==':
      return { key, operator: 'in', values: [exactValue(next, peek, key)] }
    case '!=':
      return { key, operator: 'notin', values: [exactValue(next, peek, key)] }
    case 'in':
    case 'notin':
      return { key, operator, values: setValues(next, key) }
    case '>':
    case '<': {
      const value = exactValue(next, peek, key)
      if (!/^[+-]?\d+$/.test(value)) {
        throw new SelectorError(
          `unable to parse requirement: values[0][${key}]: Invalid value: "${value}": for 'Gt', 'Lt' operators, the value must be an integer`,
        )
      }
      return { key, operator: operator === '>' ? 'gt' : 'lt', values: [value.replace('+', '')] }
    }
    default:
      throw new SelectorError(
        `unable to parse requirement: found '${operator}', expected: in, notin, =, ==, !=, gt, lt`,
      )
  }
}

function exactValue(next: () => string | undefined, peek: () => string | undefined, key: string): string {
  const ahead = peek()
  if (ahead === undefined || ahead === ',') return ''
  const value = next()
  if (value === undefined || !isWord(value)) {
    throw new SelectorError(`unable to parse requirement: found '${value ?? ''}', expected: identifier`)
  }
  return checkedValue(key, value)
}

function setValues(next: () => string | undefined, key: string): readonly string[] {
  const open = next()
  if (open !== '(') throw new SelectorError(`unable to parse requirement: found '${open ?? ''}' expected: '('`)
  const values = new Set<string>()
  let pending = ''
  for (;;) {
    const t = next()
    if (t === ')') {
      values.add(pending)
      return [...values]
    }
    if (t === ',') {
      values.add(pending)
      pending = ''
    } else if (t !== undefined && isWord(t)) pending = checkedValue(key, t)
    else throw new SelectorError(`unable to parse requirement: found '${t ?? ''}', expected: ',' or ')'`)
  }
}

function checkedKey(key: string): string {
  const wrong = qualifiedName(key)
  if (wrong.length === 0) return key
  throw new SelectorError(`unable to parse requirement: <nil>: Invalid value: "${key}": ${wrong.join('; ')}`)
}

function checkedValue(key: string, value: string): string {
  const wrong = labelValue(value)
  if (wrong.length === 0) return value
  throw new SelectorError(
    `unable to parse requirement: values[0][${key}]: Invalid value: "${value}": ${wrong.join('; ')}`,
  )
}
