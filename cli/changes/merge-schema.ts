import { type ObjectType, objectType } from '../../crds/fieldmanager/object-type.ts'
import { isList, isMap } from '../../crds/fieldmanager/value.ts'
import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { compileDefaults } from '../../crds/validation/defaults.ts'
import { asSchema } from '../../crds/validation/json-schema.ts'
import type { Client } from '../../runtime/client/client.ts'
import { apiVersionOf } from '../../runtime/client/resource.ts'
import { ApiError } from '../../runtime/errors.ts'
import { KnownKinds } from '../manifests/kinds.ts'
import type { KnownKind } from '../manifests/known-kind.ts'
import type { Resolved } from './resolve.ts'

/** How objects of a kind merge, and what they are filled in with. */
export interface MergeSchema {
  readonly type: ObjectType
  readonly applyDefaults: ((object: JsonObject) => JsonValue) | undefined
}

/** Finds schemas: a definition of the same set wins, then what the server publishes, then what this program knows of Weir's kinds. */
export class MergeSchemas {
  readonly #client: Client
  readonly #signal: AbortSignal
  readonly #defined: ReadonlySet<string>
  readonly #kinds: KnownKinds
  readonly #documents = new Map<string, Promise<JsonObject | undefined>>()

  constructor(client: Client, set: readonly Resolved[], signal: AbortSignal) {
    this.#client = client
    this.#signal = signal
    this.#kinds = new KnownKinds(set.map(({ manifest }) => manifest))
    this.#defined = new Set(definitionsIn(set).map(({ metadata }) => metadata.name ?? ''))
  }

  /** Whether the set itself defines the object's kind. */
  definedInSet({ resource }: Resolved): boolean {
    return this.#defined.has(`${resource.plural}.${resource.group}`)
  }

  /** Undefined where nothing is known of the kind. Throws what the client throws, but for refusals. */
  of(resolved: Resolved): Promise<MergeSchema | undefined> {
    return this.ofVersion(resolved, apiVersionOf(resolved.resource))
  }

  /** Of another version of the same kind. */
  async ofVersion(resolved: Resolved, apiVersion: string): Promise<MergeSchema | undefined> {
    const { kind } = resolved.resource
    const known = await this.#kinds.find(apiVersion, kind)
    if (known && this.definedInSet(resolved)) return ofDefinition(known)
    const document = await this.#document(apiVersion)
    return (document && ofDocument(document, apiVersion, kind)) ?? (known && ofDefinition(known))
  }

  #document(apiVersion: string): Promise<JsonObject | undefined> {
    let document = this.#documents.get(apiVersion)
    if (!document) {
      document = this.#fetch(apiVersion)
      this.#documents.set(apiVersion, document)
    }
    return document
  }

  async #fetch(apiVersion: string): Promise<JsonObject | undefined> {
    const path = apiVersion.includes('/') ? `apis/${apiVersion}` : `api/${apiVersion}`
    try {
      return (await this.#client.raw(`/openapi/v3/${path}`, { signal: this.#signal })) as JsonObject
    } catch (error) {
      if (error instanceof ApiError) return undefined
      throw error
    }
  }
}

/** The definitions among a set's objects. */
export function definitionsIn(set: readonly Resolved[]): Resolved['object'][] {
  return set.map(({ object }) => object).filter(({ kind }) => kind === 'CustomResourceDefinition')
}

function ofDefinition({ schema, validator }: KnownKind): MergeSchema {
  return { type: objectType(schema), applyDefaults: (object) => validator.applyDefaults(object) }
}

/** From `components.schemas` of an OpenAPI v3 document. Of custom resources it has the defaults too. */
function ofDocument({ components }: JsonObject, apiVersion: string, kind: string): MergeSchema | undefined {
  const schemas = isMap(components) && isMap(components.schemas) ? components.schemas : {}
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion]
  const names = (of: JsonValue): boolean =>
    isMap(of) && (of.group ?? '') === group && of.version === version && of.kind === kind
  const schema = Object.values(schemas).find((candidate): candidate is JsonObject => {
    const kinds = isMap(candidate) ? candidate['x-kubernetes-group-version-kind'] : undefined
    return isList(kinds) && kinds.some(names)
  })
  if (!schema) return undefined
  const own = withoutMetadata(schema)
  if (!JSON.stringify(own).includes('"$ref"')) {
    return { type: objectType(schema), applyDefaults: compileDefaults(asSchema(own)) }
  }
  // A built-in kind: what is published of its defaults is not what the server fills in.
  const definitions = (name: string) => {
    const found = schemas[name]
    return isMap(found) ? found : undefined
  }
  return { type: objectType(schema, { definitions }), applyDefaults: undefined }
}

/** Nothing in metadata has defaults that are published, and it is a reference. */
function withoutMetadata(schema: JsonObject): JsonObject {
  const { metadata: _, ...properties } = isMap(schema.properties) ? schema.properties : {}
  return { ...schema, properties }
}
