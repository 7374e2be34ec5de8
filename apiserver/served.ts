import type { FieldScope } from '../crds/fieldmanager/request.ts'
import type { User } from './auth/user.ts'
import { fieldScope } from './fieldmanager/scope.ts'
import { type ApiObject, asObject, withFields } from './json.ts'
import type { ResourceInfo } from './resource.ts'
import { keyPrefix, objectKey } from './storage/keys.ts'
import type { Stored } from './storage/store.ts'
import type { Strategy } from './strategy.ts'

export type Subresource = '' | 'status' | 'scale' | 'finalize'

/** An object as the server answers with it: parsed, and encoded. */
export interface Representation {
  readonly value: ApiObject
  readonly json: Buffer
}

export interface ServedOptions {
  readonly info: ResourceInfo
  /** All versions of the resource that are served, this one included. */
  readonly versions: readonly ResourceInfo[]
  readonly strategy: Strategy
  /**
   * Of a custom resource: brings a stored object, maybe written under an older schema, up to this version's. Returns the same object
   * where nothing has to change.
   */
  readonly upgrade?: (value: ApiObject) => ApiObject
  /** Where the resource is stored, if not under its own name: events.k8s.io events are core events. */
  readonly storedAs?: { readonly group: string; readonly plural: string }
  /** Turns a stored object into this version; conversion None rewrites apiVersion only. */
  readonly fromStorage?: (value: ApiObject) => ApiObject
  readonly toStorage?: (value: ApiObject) => ApiObject
  /** What to warn of whoever uses this version. */
  readonly deprecation?: string
  /** Of resources that are only asked (access reviews): answers instead of storing. */
  readonly review?: Review
}

/** Answers a question that a created object asks. */
export type Review = (object: ApiObject, user: User) => ApiObject

/** One resource at one version, ready to serve. Replaced as a whole when its CRD changes. */
export class Served {
  readonly info: ResourceInfo
  readonly strategy: Strategy
  readonly apiVersion: string
  readonly prefix: string
  readonly #options: ServedOptions
  readonly #storageApiVersion: string
  /** Objects of other shapes, converted once. */
  readonly #converted = new WeakMap<Stored, Representation>()
  /** Stored objects known to be up to this version's schema. */
  readonly #current = new WeakSet<Stored>()
  readonly #retirement = new Set<() => void>()
  readonly review: Review | undefined
  #terminating = false

  constructor(options: ServedOptions) {
    const { info } = options
    this.#options = options
    this.info = info
    this.strategy = options.strategy
    this.review = options.review
    this.apiVersion = info.group === '' ? info.version : `${info.group}/${info.version}`
    this.#storageApiVersion = info.group === '' ? info.storageVersion : `${info.group}/${info.storageVersion}`
    const storedAs = options.storedAs ?? info
    this.prefix = keyPrefix(storedAs.group, storedAs.plural)
  }

  get deprecation(): string | undefined {
    return this.#options.deprecation
  }

  get groupResource() {
    return { group: this.info.group, resource: this.info.plural }
  }

  get groupKind() {
    return { group: this.info.group, kind: this.info.kind }
  }

  /** Calls `listener` when this version is no longer served in this form: watches end, clients watch again. Returns how to stop that. */
  onRetired(listener: () => void): () => void {
    this.#retirement.add(listener)
    return () => this.#retirement.delete(listener)
  }

  /** Whether the CRD is being deleted: nothing new may be created, but what is there goes on being served. */
  get terminating(): boolean {
    return this.#terminating
  }

  markTerminating(): void {
    this.#terminating = true
  }

  retire(): void {
    for (const listener of [...this.#retirement]) listener()
  }

  key(namespace: string, name: string): string {
    const storedAs = this.#options.storedAs ?? this.info
    return objectKey(storedAs.group, storedAs.plural, this.info.namespaced ? namespace : undefined, name)
  }

  /** The key prefix of a collection; all namespaces where `namespace` is ''. */
  collection(namespace: string): string {
    return namespace === '' || !this.info.namespaced ? this.prefix : `${this.prefix}${namespace}/`
  }

  scope(subresource: Subresource): FieldScope {
    return fieldScope(this.info, this.#options.versions, subresource)
  }

  /** A stored object as this version shows it. */
  read(stored: Stored): Representation {
    const { upgrade, fromStorage } = this.#options
    if (!upgrade && !fromStorage) return stored as Representation & Stored
    if (this.#current.has(stored)) return stored as Representation & Stored
    const before = this.#converted.get(stored)
    if (before) return before
    let value = asObject(stored.value)
    if (fromStorage) value = fromStorage(value)
    if (upgrade) value = upgrade(value)
    if (value === stored.value) {
      this.#current.add(stored)
      return stored as Representation & Stored
    }
    const made = { value, json: Buffer.from(JSON.stringify(value)) }
    this.#converted.set(stored, made)
    return made
  }

  /** The object as it is stored: what {@link read} undoes. */
  toStorage(value: ApiObject): ApiObject {
    if (this.#options.toStorage) return this.#options.toStorage(value)
    return value.apiVersion === this.#storageApiVersion
      ? value
      : withFields(value, { apiVersion: this.#storageApiVersion })
  }

  /** Remembers that an object was just written in this version's shape, so that reading it costs nothing. */
  wrote(stored: Stored): Representation {
    const { upgrade, fromStorage } = this.#options
    // Where reading changes nothing there is nothing to remember: a weak set costs each write, and each collection of garbage.
    if ((upgrade || fromStorage) && stored.value.apiVersion === this.apiVersion) this.#current.add(stored)
    return this.read(stored)
  }
}
