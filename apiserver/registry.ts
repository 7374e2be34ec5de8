import type { ResourceInfo } from './resource.ts'
import type { Served } from './served.ts'

/** Everything that is served now. Changes as CRDs come and go; readers take a fresh look on every request. */
export class Registry {
  readonly #byPath = new Map<string, Served>()
  readonly #builtIn: readonly Served[]
  readonly #custom = new Map<string, readonly Served[]>()
  readonly #listeners = new Set<() => void>()
  #resources: readonly ResourceInfo[] | undefined
  #storageKinds: ReadonlyMap<string, Served> | undefined

  constructor(builtIn: readonly Served[]) {
    this.#builtIn = builtIn
    for (const s of builtIn) this.#byPath.set(path(s.info), s)
  }

  find(group: string, version: string, plural: string): Served | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`)
  }

  /** Any served version of a kind; `version` preferred where it is given. For owner references. */
  findKind(group: string, kind: string, version?: string): Served | undefined {
    let found: Served | undefined
    for (const s of this.all()) {
      if (s.info.group !== group || s.info.kind !== kind) continue
      if (s.info.version === version) return s
      found ??= s
    }
    return found
  }

  /** Every served resource version; built-ins first. */
  *all(): Iterable<Served> {
    yield* this.#builtIn
    for (const versions of this.#custom.values()) yield* versions
  }

  /** One served version per stored resource, by key prefix: what controllers walk over. */
  get stored(): ReadonlyMap<string, Served> {
    if (!this.#storageKinds) {
      const kinds = new Map<string, Served>()
      for (const s of this.all()) {
        if (!s.info.verbs.includes('list')) continue
        const before = kinds.get(s.prefix)
        if (!before || s.info.version === s.info.storageVersion)
          kinds.set(s.prefix, before && !isStorage(s) ? before : s)
      }
      this.#storageKinds = kinds
    }
    return this.#storageKinds
  }

  /** For discovery and OpenAPI. The same array until something changes. */
  get resources(): readonly ResourceInfo[] {
    this.#resources ??= [...this.all()].map((s) => s.info)
    return this.#resources
  }

  /** Whether any version of the group is served. */
  hasGroup(group: string): boolean {
    return this.resources.some((r) => r.group === group)
  }

  /** Replaces what a CRD serves; an empty list removes it. What it served before is retired. */
  setCustom(crd: string, versions: readonly Served[]): void {
    const before = this.#custom.get(crd) ?? []
    for (const s of before) this.#byPath.delete(path(s.info))
    for (const s of versions) this.#byPath.set(path(s.info), s)
    if (versions.length === 0) this.#custom.delete(crd)
    else this.#custom.set(crd, versions)
    this.#resources = undefined
    this.#storageKinds = undefined
    for (const s of before) s.retire()
    for (const listener of this.#listeners) listener()
  }

  custom(crd: string): readonly Served[] {
    return this.#custom.get(crd) ?? []
  }

  /** Calls `listener` after every change; returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

function isStorage(s: Served): boolean {
  return (
    s.prefix.includes(`/${s.info.group === '' ? 'core' : s.info.group}/`) && s.info.version === s.info.storageVersion
  )
}

function path(info: ResourceInfo): string {
  return `${info.group}/${info.version}/${info.plural}`
}
