import type { JsonObject, JsonValue } from '../metadata.ts'
import { goPrint, goQuote, goSyntax, goType } from './go-print.ts'
import type { ListAtom, ObjectAtom, ScalarKind } from './object-type.ts'
import { keyElement, type PathElement, printElement, valueElement } from './path-element.ts'
import { isList, isMap, type Value } from './value.ts'

/** An object that does not fit its type. The message is structured-merge-diff's. */
export class TypingError extends Error {
  override name = 'TypingError'
}

export type AtomKind = 'scalar' | 'list' | 'map'

/**
 * As which of the atom's kinds a value is treated. What fits none (null always) is treated as the first of map, scalar, list
 * that the atom has; undefined where it has none.
 */
export function kindOf(atom: ObjectAtom, value: Value): AtomKind | undefined {
  if (isList(value)) {
    if (atom.list) return 'list'
  } else if (isMap(value)) {
    if (atom.map) return 'map'
  } else if (value !== null && value !== undefined && atom.scalar) return 'scalar'
  return atom.map ? 'map' : atom.scalar ? 'scalar' : atom.list ? 'list' : undefined
}

interface Problem {
  path: string
  readonly message: string
}

/**
 * Throws a TypingError unless the value fits. Sets and keyed lists may hold an item twice only with `allowDuplicates`.
 */
export function checkType(value: Value, atom: ObjectAtom, allowDuplicates: boolean): void {
  const problems = check(value, atom, allowDuplicates)
  if (!problems) return
  const lines = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
  throw new TypingError(lines.length === 1 ? lines[0] : ['errors:', ...lines.map((line) => `  ${line}`)].join('\n'))
}

function check(value: Value, atom: ObjectAtom, allowDuplicates: boolean): Problem[] | undefined {
  switch (kindOf(atom, value)) {
    case 'map':
      return atom.map && checkMap(value, atom, allowDuplicates)
    case 'list':
      return atom.list && checkList(value, atom.list, allowDuplicates)
    case 'scalar': {
      const message = scalarProblem(atom.scalar ?? 'untyped', value)
      return message === undefined ? undefined : problem(message)
    }
    default:
      return problem('schema error: invalid atom: inlined')
  }
}

function checkMap(value: Value, atom: ObjectAtom, allowDuplicates: boolean): Problem[] | undefined {
  if (value === null || value === undefined) return undefined
  if (!isMap(value)) return problem(`expected map, got ${printBoxed(value)}`)
  let problems: Problem[] | undefined
  for (const key in value) {
    const item = value[key]
    if (item === undefined) continue
    const type = atom.map?.field(key) ?? atom.map?.element
    const found = type ? check(item, type, allowDuplicates) : problem('field not declared in schema')
    if (!found) continue
    for (const one of found) one.path = `.${key}${one.path}`
    problems = problems ? [...problems, ...found] : found
  }
  return problems
}

function checkList(value: Value, list: ListAtom, allowDuplicates: boolean): Problem[] | undefined {
  if (value === null || value === undefined) return undefined
  if (!isList(value)) return problem(`expected list, got ${printBoxed(value)}`)
  const seen = list.atomic || allowDuplicates ? undefined : new Set<PathElement>()
  let problems: Problem[] | undefined
  for (let index = 0; index < value.length; index++) {
    const item = value[index] ?? null
    const named = list.atomic ? undefined : itemProblem(list, item)
    if (named) return [...(problems ?? []), ...problem(`element ${index}: ${named}`)]
    if (seen) {
      const element = checkedItemElement(list, item)
      if (seen.has(element)) {
        problems = [...(problems ?? []), ...problem(`duplicate entries for key ${printElement(element)}`)]
      }
      seen.add(element)
    }
    const found = check(item, list.element, allowDuplicates)
    if (!found) continue
    const at = printElement(list.atomic ? `i:${index}` : checkedItemElement(list, item))
    for (const one of found) one.path = `${at}${one.path}`
    problems = [...(problems ?? []), ...found]
  }
  return problems
}

function problem(message: string): Problem[] {
  return [{ path: '', message }]
}

/** What is wrong with a scalar, if anything. Absent and null are fine. */
export function scalarProblem(kind: ScalarKind, value: Value): string | undefined {
  if (value === undefined || value === null) return undefined
  switch (kind) {
    case 'numeric':
      return typeof value === 'number' ? undefined : `expected numeric (int or float), got ${goType(value)}`
    case 'string':
      return typeof value === 'string'
        ? undefined
        : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected boolean, got ${printBoxed(value)}`
    case 'untyped':
      return typeof value === 'object' ? `expected any scalar, got ${printBoxed(value)}` : undefined
  }
}

function printBoxed(value: Value): string {
  return `&{${goPrint(value)}}`
}

/** What keeps an item of an associative list from having a path element. */
function itemProblem(list: ListAtom, item: JsonValue): string | undefined {
  if (list.keys.length === 0) {
    if (item === null) return "associative list without keys has an element that's an explicit null"
    if (isMap(item)) return "associative list without keys has an element that's a map type"
    return isList(item) ? 'not supported: associative list with lists as elements' : undefined
  }
  if (item === null) return 'associative list with keys may not have a null element'
  if (!isMap(item)) return 'associative list with keys may not have non-map elements'
  if (list.keys.some((name) => keyValue(list, item, name) !== undefined)) return undefined
  const names = `[${list.keys.map(goQuote).join(' ')}]`
  return `associative list with keys has an element that omits all key fields ${names} (and doesn't have default values for any key fields)`
}

/** An absent key counts with its default; without one it is no part of the item's identity. */
function keyValue(list: ListAtom, item: JsonObject, name: string): Value {
  const value = item[name]
  return value === undefined ? list.element.map?.fieldDefault(name) : value
}

/** The path element of an item of an associative list that was checked before. */
export function checkedItemElement(list: ListAtom, item: JsonValue): PathElement {
  if (list.keys.length > 0 && isMap(item)) {
    const keys: [string, JsonValue][] = []
    for (const name of list.keys) {
      const value = keyValue(list, item, name)
      if (value !== undefined) keys.push([name, value])
    }
    if (keys.length > 0) return keyElement(keys)
  }
  const problem = itemProblem(list, item)
  if (problem !== undefined) throw new TypingError(problem)
  return valueElement(item)
}
