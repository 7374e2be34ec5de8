import type { JsonObject, JsonValue } from '../metadata.ts'
import { OBJECT_META_SCHEMA } from './object-meta-schema.ts'
import { isList, isMap } from './value.ts'

export type ScalarKind = 'numeric' | 'string' | 'boolean' | 'untyped'

/** What values a place in an object may hold, and how they merge. Several members: any of them, told apart by the value. */
export interface ObjectAtom {
  readonly scalar?: ScalarKind
  readonly list?: ListAtom
  readonly map?: MapAtom
}

export interface ListAtom {
  /** One whole, like a scalar; else a set (no keys) or a list of items told apart by `keys`. */
  readonly atomic: boolean
  readonly keys: readonly string[]
  readonly element: ObjectAtom
}

export interface MapAtom {
  readonly atomic: boolean
  /** Types are deduced from values, and no field is declared. */
  readonly deduced: boolean
  /** ObjectMeta, which keeps no null and no empty list or map. */
  readonly metadata: boolean
  /** The type of a declared field. */
  field(name: string): ObjectAtom | undefined
  /** The default that a declared field's schema has. */
  fieldDefault(name: string): JsonValue | undefined
  /** The type of keys that are not declared; undefined: there are none. */
  readonly element: ObjectAtom | undefined
}

/** How an object's fields merge: compiled from its OpenAPI v3 schema. */
export interface ObjectType {
  readonly root: ObjectAtom
}

/** Resolves the last step of a `$ref` (`io.k8s.api.core.v1.Secret`). */
export type Definitions = (name: string) => JsonObject | undefined

export interface TypeOptions {
  /** The CRD (not its schema) preserves unknown fields everywhere. */
  readonly preserveUnknownFields?: boolean
  /** Given for built-in schemas, which declare their own metadata and refer to each other. */
  readonly definitions?: Definitions
}

const UNTYPED_ATOMIC: ObjectAtom = {
  scalar: 'untyped',
  list: {
    atomic: true,
    keys: [],
    get element() {
      return UNTYPED_ATOMIC
    },
  },
  map: {
    atomic: true,
    deduced: false,
    metadata: false,
    field: () => undefined,
    fieldDefault: () => undefined,
    get element() {
      return UNTYPED_ATOMIC
    },
  },
}

const DEDUCED: ObjectAtom = {
  scalar: 'untyped',
  list: { atomic: true, keys: [], element: UNTYPED_ATOMIC },
  map: {
    atomic: false,
    deduced: true,
    metadata: false,
    field: () => undefined,
    fieldDefault: () => undefined,
    get element() {
      return DEDUCED
    },
  },
}

/** What matches nothing: every value is an error. */
const INVALID: ObjectAtom = {}

const DEDUCED_TYPE: ObjectType = { root: DEDUCED }
const compiled = new WeakMap<JsonObject, { readonly preserve: boolean; readonly type: ObjectType }>()

/**
 * Compiles a schema, once per schema object, each part when it is first met. Without a schema types are deduced from values:
 * maps are granular, lists atomic. Follows kube-openapi's schemaconv.
 */
export function objectType(schema: JsonObject | undefined, options: TypeOptions = {}): ObjectType {
  if (!schema) return DEDUCED_TYPE
  const preserve = options.preserveUnknownFields ?? false
  const known = compiled.get(schema)
  if (known?.preserve === preserve) return known.type
  const context: Context = { definitions: options.definitions, preserve }
  const type = { root: options.definitions ? atomOf(schema, context) : resourceAtom(schema, context) }
  compiled.set(schema, { preserve, type })
  return type
}

interface Context {
  readonly definitions: Definitions | undefined
  readonly preserve: boolean
}

/** The root of a custom resource, or an embedded one: its metadata is ObjectMeta whatever the schema says. */
function resourceAtom(schema: JsonObject, context: Context): ObjectAtom {
  const properties = isMap(schema.properties) ? schema.properties : {}
  const typeMeta = { type: 'string' }
  return atomOf(
    { ...schema, properties: { ...properties, apiVersion: typeMeta, kind: typeMeta, metadata: OBJECT_META_SCHEMA } },
    context,
    true,
  )
}

function atomOf(schema: JsonObject, context: Context, isResource = false): ObjectAtom {
  const named = refName(schema)
  if (named !== undefined) return withMapType(definition(named, context), schema)
  if (!isResource && schema['x-kubernetes-embedded-resource'] === true) return resourceAtom(schema, context)
  const inside: Context =
    schema['x-kubernetes-preserve-unknown-fields'] === true ? { ...context, preserve: true } : context
  switch (schema.type) {
    case 'object':
      return { map: mapAtom(schema, inside) }
    case 'array':
      return { list: listAtom(schema, inside) }
    case 'integer':
    case 'number':
      return { scalar: 'numeric' }
    case 'boolean':
      return { scalar: 'boolean' }
    case 'string': {
      const plain = schema.format === undefined || schema.format === '' || schema.format === 'byte'
      return { scalar: plain ? 'string' : 'untyped' }
    }
    default:
      return { scalar: 'untyped', list: listAtom(schema, inside), map: mapAtom(schema, inside) }
  }
}

function refName(schema: JsonObject): string | undefined {
  const only = isList(schema.allOf) && schema.allOf.length === 1 ? schema.allOf[0] : undefined
  const ref = typeof schema.$ref === 'string' ? schema.$ref : isMap(only) ? only.$ref : undefined
  return typeof ref === 'string' ? ref.slice(ref.lastIndexOf('/') + 1) : undefined
}

function definition(name: string, context: Context): ObjectAtom {
  if (name === 'io.k8s.apimachinery.pkg.api.resource.Quantity') return { scalar: 'untyped' }
  if (name === 'io.k8s.apimachinery.pkg.runtime.RawExtension') return UNTYPED_ATOMIC
  const schema = context.definitions?.(name)
  return schema ? objectType(schema, { definitions: context.definitions }).root : INVALID
}

/** A reference may say otherwise than the definition whether the thing is one whole. */
function withMapType(atom: ObjectAtom, schema: JsonObject): ObjectAtom {
  const mapType = schema['x-kubernetes-map-type']
  if (mapType !== 'atomic' && mapType !== 'granular') return atom
  const atomic = mapType === 'atomic'
  if (atom.map)
    return { ...atom, map: Object.create(atom.map, { atomic: { value: atomic, enumerable: true } }) as MapAtom }
  return atom.list ? { ...atom, list: { ...atom.list, atomic } } : INVALID
}

function mapAtom(schema: JsonObject, context: Context): MapAtom {
  return new SchemaMap(schema, context)
}

class SchemaMap implements MapAtom {
  readonly atomic: boolean
  readonly deduced: boolean
  readonly metadata: boolean
  readonly element: ObjectAtom | undefined
  readonly #properties: JsonObject
  readonly #context: Context
  readonly #fields = new Map<string, ObjectAtom | undefined>()

  constructor(schema: JsonObject, context: Context) {
    this.atomic = schema['x-kubernetes-map-type'] === 'atomic'
    this.metadata = schema === OBJECT_META_SCHEMA
    this.#properties = isMap(schema.properties) ? schema.properties : {}
    this.#context = context
    const empty = Object.keys(this.#properties).length === 0
    const additional = schema.additionalProperties
    if (additional === undefined) this.element = context.preserve || empty ? DEDUCED : undefined
    else if (isMap(additional)) this.element = atomOf(additional, context)
    else this.element = additional === true ? DEDUCED : undefined
    this.deduced = empty && this.element === DEDUCED
  }

  field(name: string): ObjectAtom | undefined {
    if (this.#fields.has(name)) return this.#fields.get(name)
    const schema = Object.hasOwn(this.#properties, name) ? this.#properties[name] : undefined
    const atom = isMap(schema) ? atomOf(schema, this.#context) : undefined
    // Keys of maps are the users': only declared names are remembered.
    if (atom) this.#fields.set(name, atom)
    return atom
  }

  fieldDefault(name: string): JsonValue | undefined {
    const schema = this.#properties[name]
    return isMap(schema) ? schema.default : undefined
  }
}

function listAtom(schema: JsonObject, context: Context): ListAtom {
  const items = schema.items
  return {
    ...listRelationship(schema),
    element: isMap(items) ? atomOf(items, context) : UNTYPED_ATOMIC,
  }
}

function listRelationship(schema: JsonObject): { readonly atomic: boolean; readonly keys: readonly string[] } {
  const listType = schema['x-kubernetes-list-type']
  const keys = schema['x-kubernetes-list-map-keys']
  if (listType !== undefined) {
    return { atomic: listType === 'atomic', keys: listType === 'map' && isList(keys) ? keys.map(String) : [] }
  }
  const strategy = schema['x-kubernetes-patch-strategy']
  if (strategy !== 'merge' && strategy !== 'merge,retainKeys') return { atomic: true, keys: [] }
  const mergeKey = schema['x-kubernetes-patch-merge-key']
  return { atomic: false, keys: typeof mergeKey === 'string' ? [mergeKey] : [] }
}
