import { printJson } from '../json.ts'
import { sprint } from '../table.ts'
import { JsonPathError, type JsonPathNode } from './node.ts'
import { parseTemplate } from './parse.ts'

export interface JsonPathOptions {
  /** A field that is not there gives nothing rather than an error. */
  readonly allowMissingKeys?: boolean
}

/** A compiled template of kubectl's JSONPath dialect. */
export interface JsonPath {
  /** The values of each part of the template. */
  find(data: unknown): readonly (readonly unknown[])[]
  /** What `-o jsonpath=…` prints. */
  print(data: unknown): string
}

/** Compiles a template; throws JsonPathError, as do `find` and `print`. */
export function compileJsonPath(template: string, options: JsonPathOptions = {}): JsonPath {
  const nodes = parseTemplate(template)
  const find = (data: unknown) => new Evaluator(options.allowMissingKeys ?? false).run(nodes, data)
  return { find, print: (data) => find(data).map(printResults).join('') }
}

/** Results of one part, separated by spaces: lists and maps as JSON, the rest as text. */
function printResults(results: readonly unknown[]): string {
  return results
    .map((value) =>
      typeof value === 'object' && value !== null ? printJson(value, '') : value === null ? 'null' : sprint(value),
    )
    .join(' ')
}

type Results = (readonly unknown[])[]

class Evaluator {
  readonly #allowMissingKeys: boolean

  constructor(allowMissingKeys: boolean) {
    this.#allowMissingKeys = allowMissingKeys
  }

  run(nodes: readonly JsonPathNode[], data: unknown): Results {
    const { results, end } = this.#block(nodes, 0, data, false)
    if (end < nodes.length) throw new JsonPathError('not in range, nothing to end')
    return results
  }

  /** Evaluates from `start` to the `{end}` that closes this block, or to the end. */
  #block(
    nodes: readonly JsonPathNode[],
    start: number,
    data: unknown,
    inRange: boolean,
  ): { results: Results; end: number } {
    const results: Results = []
    let at = start
    for (; at < nodes.length; at++) {
      const node = nodes[at]!
      const keyword = keywordOf(node)
      if (keyword === 'end') {
        if (!inRange) throw new JsonPathError('not in range, nothing to end')
        break
      }
      if (keyword === 'range') {
        const values = this.#walk([data], node)
        let end = nodes.length
        for (const value of values) {
          const block = this.#block(nodes, at + 1, value, true)
          results.push(...block.results)
          end = block.end
        }
        at = values.length > 0 ? end : skipRange(nodes, at + 1)
      } else results.push(this.#walk([data], node))
    }
    return { results, end: at }
  }

  #walk(input: readonly unknown[], node: JsonPathNode): unknown[] {
    switch (node.type) {
      case 'list':
        return this.#sequence(input, node.nodes)
      case 'text':
        return [node.text]
      case 'value':
        return input.map(() => node.value)
      case 'field':
        return this.#field(input, node.name)
      case 'wildcard':
        return input.flatMap(children)
      case 'recursive':
        return descend(input)
      case 'slice':
        return input.flatMap((value) => slice(value, node))
      case 'filter':
        return this.#filter(input, node)
      case 'union':
        return node.branches.flatMap((branch) => this.#sequence(input, branch))
      case 'identifier':
        if (node.name === 'range') return [...input]
        throw new JsonPathError(`unrecognized identifier ${node.name}`)
    }
  }

  #sequence(input: readonly unknown[], nodes: readonly JsonPathNode[]): unknown[] {
    let current = [...input]
    for (const node of nodes) current = this.#walk(current, node)
    return current
  }

  #field(input: readonly unknown[], name: string): unknown[] {
    if (input.length === 0) return []
    const found: unknown[] = []
    for (const value of input) {
      if (isMap(value) && Object.hasOwn(value, name)) found.push(value[name])
    }
    if (found.length === 0 && !this.#allowMissingKeys) throw new JsonPathError(`${name} is not found`)
    return found
  }

  #filter(input: readonly unknown[], node: JsonPathNode & { readonly type: 'filter' }): unknown[] {
    const kept: unknown[] = []
    for (const value of input) {
      if (!Array.isArray(value))
        throw new JsonPathError(`${sprint(value)} is not array or slice and cannot be filtered`)
      for (const item of value) {
        if (node.operator === 'exists') {
          if (this.#exists(item, node.left)) kept.push(item)
          continue
        }
        const left = this.#sequence([item], node.left)
        const right = left.length === 0 ? [] : this.#sequence([item], node.right)
        if (left.length > 1 || right.length > 1) throw new JsonPathError('can only compare one element at a time')
        if (left.length === 1 && right.length === 1 && compare(left[0], node.operator, right[0], node.right))
          kept.push(item)
      }
    }
    return kept
  }

  #exists(item: unknown, nodes: readonly JsonPathNode[]): boolean {
    try {
      return this.#sequence([item], nodes).length > 0
    } catch (error) {
      if (error instanceof JsonPathError) return false
      throw error
    }
  }
}

function keywordOf(node: JsonPathNode): string | undefined {
  const first = node.type === 'list' ? node.nodes[0] : undefined
  return first?.type === 'identifier' ? first.name : undefined
}

/** The position of the `{end}` of a range without results. */
function skipRange(nodes: readonly JsonPathNode[], start: number): number {
  let depth = 1
  for (let at = start; at < nodes.length; at++) {
    const keyword = keywordOf(nodes[at]!)
    if (keyword === 'range') depth++
    if (keyword === 'end' && --depth === 0) return at
  }
  return nodes.length
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Go walks maps in random order; sorted keys are one of the orders it may give. */
function children(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  if (!isMap(value)) return []
  return Object.keys(value)
    .sort()
    .map((key) => value[key])
}

function descend(input: readonly unknown[]): unknown[] {
  return input.flatMap((value) => {
    const below = children(value)
    return below.length === 0 ? [] : [value, ...descend(below)]
  })
}

function slice(value: unknown, node: JsonPathNode & { readonly type: 'slice' }): unknown[] {
  if (value === null || value === undefined) return []
  if (!Array.isArray(value)) throw new JsonPathError(`${typeName(value)} is not array or slice`)
  const length = value.length
  let from = node.from ?? 0
  let to = node.single ? from + 1 : (node.to ?? length)
  if (from < 0) from += length
  if (to < 0 || (to === 0 && node.single)) to += length
  if (from === to) return []
  if (from >= length || from < 0) throw new JsonPathError(`array index out of bounds: index ${from}, length ${length}`)
  if (to > length || to < 0) throw new JsonPathError(`array index out of bounds: index ${to - 1}, length ${length}`)
  if (from > to) throw new JsonPathError(`starting index ${from} is greater than ending index ${to}`)
  const step = node.step ?? 1
  if (step <= 0) throw new JsonPathError('step must be > 0')
  return value.slice(from, to).filter((_, index) => index % step === 0)
}

/** The type as Go names it. */
function typeName(value: unknown): string {
  if (isMap(value)) return 'map[string]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function compare(left: unknown, operator: string, right: unknown, rightNodes: readonly JsonPathNode[]): boolean {
  const comparable = (value: unknown) =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  if (!comparable(left) || !comparable(right)) throw new JsonPathError('invalid type for comparison')
  const literal = rightNodes[0]
  const fractions = [
    typeof left === 'number' && !Number.isInteger(left),
    literal?.type === 'value' ? literal.float : typeof right === 'number' && !Number.isInteger(right),
  ]
  if (typeof left !== typeof right || (typeof left === 'number' && fractions[0] !== fractions[1])) {
    throw new JsonPathError('incompatible types for comparison')
  }
  const [a, b] = [left as string | number, right as string | number]
  if (operator === '==') return a === b
  if (operator === '!=') return a !== b
  if (typeof left === 'boolean') throw new JsonPathError('invalid type for comparison')
  if (operator === '<') return a < b
  if (operator === '<=') return a <= b
  if (operator === '>') return a > b
  if (operator === '>=') return a >= b
  throw new JsonPathError(`unrecognized filter operator ${operator}`)
}
