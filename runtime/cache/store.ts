import type { KubeObject } from '../../crds/metadata.ts'
import { keyOf } from '../client/resource.ts'
import { deepFreeze } from './deep-freeze.ts'

/** What became of one object. `object` is its last known state. */
export type Change<T> =
  | { readonly type: 'add'; readonly key: string; readonly object: T }
  | { readonly type: 'update'; readonly key: string; readonly object: T; readonly old: T }
  | { readonly type: 'delete'; readonly key: string; readonly object: T }

/** The values under which an object is found in an index; none leaves it out. */
export type IndexFunction<T> = (object: T) => readonly string[]
export type Indexes<T> = Readonly<Record<string, IndexFunction<T>>>

/** Objects by key and by index. Objects are frozen as they come in. */
export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, T>()
  readonly #byNamespace = new Map<string, Map<string, T>>()
  readonly #indexes: {
    readonly name: string
    readonly of: IndexFunction<T>
    readonly entries: Map<string, Map<string, T>>
  }[]

  constructor(indexes: Indexes<T> = {}) {
    this.#indexes = Object.entries(indexes).map(([name, of]) => ({ name, of, entries: new Map() }))
  }

  get size(): number {
    return this.#objects.size
  }

  get(key: string): T | undefined {
    return this.#objects.get(key)
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys()
  }

  /** All objects, or those of a namespace, in no particular order. */
  list(namespace?: string): T[] {
    return [...((namespace === undefined ? this.#objects : this.#byNamespace.get(namespace))?.values() ?? [])]
  }

  /** The objects that index `name` puts under `value`, in no particular order. Throws a TypeError where there is no such index. */
  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.find((i) => i.name === name)
    if (!index) throw new TypeError(`no index "${name}"`)
    return [...(index.entries.get(value)?.values() ?? [])]
  }

  /** Takes one object in; undefined where it was there already, at this very version. */
  set(object: T): Change<T> | undefined {
    const key = keyOf(object.metadata)
    const old = this.#objects.get(key)
    if (old && sameVersion(old, object)) return undefined
    deepFreeze(object)
    if (old) this.#unindex(key, old)
    this.#objects.set(key, object)
    this.#index(key, object)
    return old ? { type: 'update', key, object, old } : { type: 'add', key, object }
  }

  /** Takes one object out; undefined where it was not there. `last` is how it looked when it went. */
  delete(last: T): Change<T> | undefined {
    const key = keyOf(last.metadata)
    const old = this.#objects.get(key)
    if (!old) return undefined
    this.#unindex(key, old)
    this.#objects.delete(key)
    return { type: 'delete', key, object: deepFreeze(last) }
  }

  /** Makes the store hold exactly these; gives every difference. */
  replace(objects: readonly T[]): Change<T>[] {
    const changes: Change<T>[] = []
    const present = new Set<string>()
    for (const object of objects) {
      present.add(keyOf(object.metadata))
      const change = this.set(object)
      if (change) changes.push(change)
    }
    for (const [key, object] of this.#objects) {
      if (present.has(key)) continue
      const change = this.delete(object)
      if (change) changes.push(change)
    }
    return changes
  }

  #index(key: string, object: T): void {
    const { namespace } = object.metadata
    if (namespace !== undefined) put(this.#byNamespace, namespace, key, object)
    for (const { of, entries } of this.#indexes) for (const value of of(object)) put(entries, value, key, object)
  }

  #unindex(key: string, object: T): void {
    const { namespace } = object.metadata
    if (namespace !== undefined) drop(this.#byNamespace, namespace, key)
    for (const { of, entries } of this.#indexes) for (const value of of(object)) drop(entries, value, key)
  }
}

function sameVersion(a: KubeObject, b: KubeObject): boolean {
  return a.metadata.resourceVersion === b.metadata.resourceVersion && a.metadata.uid === b.metadata.uid
}

function put<T>(entries: Map<string, Map<string, T>>, value: string, key: string, object: T): void {
  const found = entries.get(value)
  if (found) found.set(key, object)
  else entries.set(value, new Map([[key, object]]))
}

function drop<T>(entries: Map<string, Map<string, T>>, value: string, key: string): void {
  const found = entries.get(value)
  if (!found) return
  found.delete(key)
  if (found.size === 0) entries.delete(value)
}
