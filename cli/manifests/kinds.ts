import type { KindInfo } from '../../crds/kind.ts'
import type { JsonObject } from '../../crds/metadata.ts'
import { registry } from '../../crds/registry.gen.ts'
import { type CustomResourceValidator, compileCustomResource } from '../../crds/validation/custom-resource.ts'
import type { KnownKind } from './known-kind.ts'
import type { Manifest } from './manifest.ts'

const OURS = /(?:^|\.)weir\.dev\//

/** Knows kinds by `apiVersion` and `kind`, reading definitions when one is first asked for. */
export class KnownKinds {
  readonly #kinds = new Map<string, KnownKind>()
  /** Group versions and kinds for suggestions. */
  readonly #names = new Map<string, Set<string>>()
  #builtIn: Promise<ReadonlyMap<string, KnownKind>> | undefined

  /** `definitions`: of custom resources, that are not among the manifests. Those that are no good are left out: say `isGood`. */
  constructor(
    manifests: readonly Manifest[],
    definitions: readonly JsonObject[] = [],
    isGood: (definition: JsonObject) => boolean = () => true,
  ) {
    for (const kind of Object.values(registry)) this.#name(kind.apiVersion, kind.kind)
    for (const object of [...definitions, ...manifests.map((manifest) => manifest.object)]) {
      if (isDefinition(object) && isGood(object)) this.#define(object)
    }
  }

  /** A kind of Weir's, or one that was defined. */
  async find(apiVersion: string, kind: string): Promise<KnownKind | undefined> {
    const known = this.#kinds.get(`${apiVersion}/${kind}`)
    if (known) return known
    const own = Object.values<KindInfo>(registry).find((k) => k.apiVersion === apiVersion && k.kind === kind)
    if (!own) return undefined
    this.#define(await own.loadCrd())
    return this.#kinds.get(`${apiVersion}/${kind}`)
  }

  /** A kind of Kubernetes itself that the embedded API server has; its schema refers to others. */
  async findBuiltIn(apiVersion: string, kind: string): Promise<KnownKind | undefined> {
    this.#builtIn ??= import('./built-in.ts').then(({ builtInKinds }) => builtInKinds())
    return (await this.#builtIn).get(`${apiVersion}/${kind}`)
  }

  /** The kinds of a group version that we know all about, which are Weir's; undefined for others. */
  kindsOf(apiVersion: string): ReadonlySet<string> | undefined {
    return OURS.test(apiVersion) ? this.#names.get(apiVersion) : undefined
  }

  /** Whether a group version is known to have a kind. */
  has(apiVersion: string, kind: string): boolean {
    return this.#names.get(apiVersion)?.has(kind) ?? false
  }

  /** Every known `group/version` but those of Kubernetes itself. */
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
      if (typeof version.name !== 'string' || version.served === false) continue
      const apiVersion = `${spec.group}/${version.name}`
      const schema = object(version.schema).openAPIV3Schema as JsonObject | undefined
      const type = { group: spec.group, version: version.name, kind, namespaced: spec.scope === 'Namespaced' }
      const preserve = spec.preserveUnknownFields === true
      let validator: CustomResourceValidator | undefined
      this.#name(apiVersion, kind)
      this.#kinds.set(`${apiVersion}/${kind}`, {
        ...type,
        hasStatus: object(version.subresources).status !== undefined,
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

export function isDefinition({ apiVersion, kind }: JsonObject): boolean {
  return kind === 'CustomResourceDefinition' && apiVersion === 'apiextensions.k8s.io/v1'
}

function object(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {}
}
