import type { JsonValue } from '../../../crds/metadata.ts'
import { isArray, isObject } from '../../json.ts'
import type { PathNode, Slice } from './parse.ts'

/** A path that does not fit the data: an index out of bounds, a filter on something that is no list. */
export class JsonPathError extends Error {
  override name = 'JsonPathError'
}

/** All that the path finds; missing keys find nothing. */
export function evaluateJsonPath(nodes: readonly PathNode[], data: JsonValue): readonly JsonValue[] {
  let values: readonly JsonValue[] = [data]
  for (const node of nodes) values = evaluate(values, node)
  return values
}

function evaluate(input: readonly JsonValue[], node: PathNode): readonly JsonValue[] {
  switch (node.type) {
    case 'field':
      return input.flatMap((value) => fieldOf(value, node.name))
    case 'wildcard':
      return input.flatMap(childrenOf)
    case 'recursive':
      return input.flatMap(descendantsOf)
    case 'array':
      return slices(input, node.slice)
    case 'union':
      return node.paths.flatMap((path) => path.reduce(evaluate, input))
    case 'filter':
      return input.flatMap((value) => filtered(value, node))
    case 'literal':
      return typeof node.value === 'string' ? [node.value] : input.map(() => node.value)
  }
}

function fieldOf(value: JsonValue, name: string): readonly JsonValue[] {
  const found = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  return found === undefined ? [] : [found]
}

function childrenOf(value: JsonValue): readonly JsonValue[] {
  if (isArray(value)) return value
  return isObject(value) ? Object.values(value).filter((item) => item !== undefined) : []
}

/** Every map and list at or below the value. */
function descendantsOf(value: JsonValue): readonly JsonValue[] {
  const children = childrenOf(value)
  return children.length === 0 ? [] : [value, ...children.flatMap(descendantsOf)]
}

function slices(input: readonly JsonValue[], slice: Slice): readonly JsonValue[] {
  const result: JsonValue[] = []
  for (const value of input) {
    if (value === null) continue
    if (!isArray(value)) throw new JsonPathError('not an array or slice')
    const { length } = value
    let start = slice.start ?? 0
    if (start < 0) start += length
    let end = slice.end ?? length
    if (end < 0 || (end === 0 && slice.single)) end += length
    // Nothing asked for: nothing found, by no value.
    if (start === end) return []
    if (start < 0 || start >= length || end < 0 || end > length) throw new JsonPathError('array index out of bounds')
    if (start > end) throw new JsonPathError('starting index is greater than ending index')
    const step = slice.step ?? 1
    if (step <= 0) throw new JsonPathError('step must be > 0')
    for (let i = start; i < end; i += step) result.push(value[i] ?? null)
  }
  return result
}

function filtered(value: JsonValue, filter: Extract<PathNode, { type: 'filter' }>): readonly JsonValue[] {
  if (!isArray(value)) throw new JsonPathError('not an array or slice and cannot be filtered')
  return value.filter((item) => {
    if (filter.operator === 'exists') return exists(item, filter.left)
    const left = evaluateJsonPath(filter.left, item)
    if (left.length === 0) return false
    const right = evaluateJsonPath(filter.right, item)
    if (left.length > 1 || right.length > 1) throw new JsonPathError('can only compare one element at a time')
    return right.length > 0 && compares(left[0] ?? null, filter.operator, right[0] ?? null)
  })
}

function exists(item: JsonValue, path: readonly PathNode[]): boolean {
  try {
    return evaluateJsonPath(path, item).length > 0
  } catch (error) {
    if (error instanceof JsonPathError) return false
    throw error
  }
}

function compares(left: JsonValue, operator: string, right: JsonValue): boolean {
  if (typeof left !== typeof right || typeof left === 'object') {
    throw new JsonPathError('incompatible types for comparison')
  }
  if (operator === '==') return left === right
  if (operator === '!=') return left !== right
  if (typeof left === 'boolean' || right === null) throw new JsonPathError('invalid type for comparison')
  switch (operator) {
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
    default:
      throw new JsonPathError(`unrecognized filter operator ${operator}`)
  }
}
