import type { JsonObject, JsonValue } from '../metadata.ts'
import { isArray, isObject, jsonEqual } from './json.ts'
import { additionalSchema, type JsonSchema, property } from './json-schema.ts'

/**
 * A value and what it was before an update, followed down the structural schema. Fields of objects belong together by name,
 * items of lists only where the list is keyed (x-kubernetes-list-type: map). What has no counterpart has no correlation.
 */
export class Correlation {
  readonly value: JsonValue
  readonly old: JsonValue
  readonly #schema: JsonSchema
  #unchanged: boolean | undefined
  #byKey: OldItems | undefined

  constructor(value: JsonValue, old: JsonValue, schema: JsonSchema) {
    this.value = value
    this.old = old
    this.#schema = schema
  }

  /**
   * Whether value and old are the same; compared once, and only when asked. Keyed lists are in any order. What the schema
   * does not name cannot be told, so that an object with it counts as changed.
   */
  get unchanged(): boolean {
    this.#unchanged ??= this.#compare()
    return this.#unchanged
  }

  #compare(): boolean {
    const { value, old } = this
    if (isArray(value) && isArray(old)) {
      if (value.length !== old.length) return false
      this.#byKey ??= keyedItems(this.#schema, old)
      if (!this.#byKey) return jsonEqual(value, old)
      return value.every((_, i) => this.index(i)?.unchanged === true)
    }
    if (!isObject(value) || !isObject(old)) return jsonEqual(value, old)
    const names = Object.keys(value).filter((name) => value[name] !== undefined)
    const before = Object.keys(old).filter((name) => old[name] !== undefined)
    return names.length === before.length && names.every((name) => this.key(name)?.unchanged === true)
  }

  key(name: string): Correlation | undefined {
    if (!isObject(this.value) || !isObject(this.old)) return undefined
    const value = Object.hasOwn(this.value, name) ? this.value[name] : undefined
    const old = Object.hasOwn(this.old, name) ? this.old[name] : undefined
    const schema = property(this.#schema, name) ?? additionalSchema(this.#schema)
    if (value === undefined || old === undefined || !schema) return undefined
    return new Correlation(value, old, schema)
  }

  index(i: number): Correlation | undefined {
    const items = this.#schema.items
    if (!items || !isArray(this.value) || !isArray(this.old)) return undefined
    const value = this.value[i]
    if (value === undefined) return undefined
    this.#byKey ??= keyedItems(this.#schema, this.old)
    const old = this.#byKey?.get(value)
    return old === undefined ? undefined : new Correlation(value, old, items)
  }
}

/** Items of a keyed list by their keys. */
export interface OldItems {
  /** The first item with the same keys as this one. */
  get(item: JsonValue): JsonObject | undefined
}

/** The items of a list by its map keys; undefined where the schema is not of a keyed list. */
export function keyedItems(schema: JsonSchema, items: readonly JsonValue[]): OldItems | undefined {
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (schema.type !== 'array' || schema['x-kubernetes-list-type'] !== 'map' || keys.length === 0) return undefined
  const byKey = new Map<string, JsonObject>()
  for (const item of items) {
    const key = compositeKey(item, keys)
    if (key !== undefined && isObject(item) && !byKey.has(key)) byKey.set(key, item)
  }
  return {
    get(item) {
      const key = compositeKey(item, keys)
      return key === undefined ? undefined : byKey.get(key)
    },
  }
}

/** All keys of an item as one text; undefined where one is missing or no scalar. */
function compositeKey(item: JsonValue, keys: readonly string[]): string | undefined {
  if (!isObject(item)) return undefined
  const parts: string[] = []
  for (const key of keys) {
    const value = item[key]
    if (value === undefined || value === null || typeof value === 'object') return undefined
    parts.push(JSON.stringify(value))
  }
  return parts.join('\0')
}
