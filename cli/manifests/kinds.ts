import type { KindInfo } from '../../crds/kind.ts'
import type { JsonObject } from '../../crds/metadata.ts'
import { registry } from '../../crds/registry.gen.ts'
import { type CustomResourceValidator, compileCustomResource } from '../../crds/validation/custom-resource.ts'
import type { Manifest } from './manifest.ts'

/** A kind whose rules are known without a server: Weir's own, or one whose definition is among the manifests. */
export interface KnownKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly namespaced: boolean
  readonly schema: JsonObject | undefined
  readonly validator: CustomResourceValidator
}

/** Knows kinds by `apiVersion` and `kind`, reading Weir's definitions when one is first asked for. */
export class KnownKinds {
  readonly #kinds = new Map<string, KnownKind>()
  /** Group versions and kinds for suggestions. */
  readonly #names = new Map<string, Set<string>>()

  constructor(manifests: readonly Manifest[]) {
    for (const kind of Object.values(registry)) this.#name(kind.apiVersion, kind.kind)
    for (const { object } of manifests) {
      if (object.kind === 'CustomResourceDefinition' && object.apiVersion.startsWith('apiextensions.k8s.io/'))
        this.#define(object)
    }
  }

  async find(apiVersion: string, kind: string): Promise<KnownKind | undefined> {
    const known = this.#kinds.get(`${apiVersion}/${kind}`)
    if (known) return known
    const own = Object.values<KindInfo>(registry).find((k) => k.apiVersion === apiVersion && k.kind === kind)
    if (!own) return undefined
    this.#define(await own.loadCrd())
    return this.#kinds.get(`${apiVersion}/${kind}`)
  }

  /** The kinds of a group version, or undefined where nothing is known of it. */
  kindsOf(apiVersion: string): ReadonlySet<string> | undefined {
    return this.#names.get(apiVersion)
  }

  /** Every known `group/version`. */
  apiVersions(): Iterable<string> {
    return this.#names.keys()
  }

  #name(apiVersion: string, kind: string): void {
    const kinds = this.#names.get(apiVersion) ?? new Set()
    this.#names.set(apiVersion, kinds.add(kind))
  }

  #define(crd: JsonObject): void {
    const spec = object(crd.spec)
    const kind = object(spec.names).kind
    if (typeof spec.group !== 'string' || typeof kind !== 'string' || !Array.isArray(spec.versions)) return
    for (const version of spec.versions.map(object)) {
      if (typeof version.name !== 'string') continue
      const apiVersion = `${spec.group}/${version.name}`
      const schema = object(version.schema).openAPIV3Schema as JsonObject | undefined
      const type = { group: spec.group, version: version.name, kind, namespaced: spec.scope === 'Namespaced' }
      const preserve = spec.preserveUnknownFields === true
      let validator: CustomResourceValidator | undefined
      this.#name(apiVersion, kind)
      this.#kinds.set(`${apiVersion}/${kind}`, {
        ...type,
        schema,
        get validator() {
          validator ??= compileCustomResource({
            ...type,
            preserveUnknownFields: preserve,
            ...(schema ? { schema } : {}),
          })
          return validator
        },
      })
    }
  }
}

function object(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}
