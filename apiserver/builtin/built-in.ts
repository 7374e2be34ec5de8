import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import type { FieldError } from '../../crds/validation/field-error.ts'
import { coerceMetadata } from '../../crds/validation/metadata-shape.ts'
import { type NameCheck, validateObjectMeta, validateObjectMetaUpdate } from '../../crds/validation/object-meta.ts'
import { storageVersionHash } from '../custom/from-crd.ts'
import { type ApiObject, asObject, deepEqual, isArray, isObject, withMetadata, without } from '../json.ts'
import { builtInDefinition, builtInSchema } from '../openapi/openapi.ts'
import type { PrinterColumn, ResourceInfo } from '../resource.ts'
import type { Strategy } from '../strategy.ts'
import { compileDecoder, DecodeError } from './decoder.ts'

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

/** What is particular to one built-in kind; everything else is as for any. */
export interface BuiltInKind {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular?: string
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly namespaced: boolean
  readonly verbs?: readonly string[]
  readonly hasStatus?: boolean
  /** Kinds with a spec count its changes in metadata.generation. */
  readonly counted?: boolean
  readonly printerColumns?: readonly PrinterColumn[]
  readonly selectableFields?: readonly string[]
  readonly nameCheck?: NameCheck
  readonly defaults?: (object: ApiObject) => ApiObject
  /** Of create, and first of update. */
  readonly validate?: (object: ApiObject) => readonly FieldError[]
  readonly validateUpdate?: (object: ApiObject, old: ApiObject) => readonly FieldError[]
  readonly validateStatus?: (object: ApiObject, old: ApiObject) => readonly FieldError[]
  readonly strategy?: Partial<Strategy>
}

export function builtInInfo(of: BuiltInKind): ResourceInfo {
  const verbs = of.verbs ?? allVerbs
  let schema: { readonly of: JsonObject | undefined } | undefined
  return {
    group: of.group,
    version: of.version,
    kind: of.kind,
    listKind: `${of.kind}List`,
    plural: of.plural,
    singular: of.singular ?? of.kind.toLowerCase(),
    shortNames: of.shortNames ?? [],
    categories: of.categories ?? [],
    namespaced: of.namespaced,
    verbs,
    ...(verbs.includes('list') ? { storageVersionHash: storageVersionHash(of.group, of.version, of.kind) } : {}),
    storageVersion: of.version,
    hasStatus: of.hasStatus ?? false,
    /** Read when first needed: the definitions are large. */
    get schema() {
      schema ??= { of: builtInSchema(of.group, of.version, of.kind) }
      return schema.of as JsonObject
    },
    preserveUnknownFields: false,
    printerColumns: of.printerColumns ?? [],
    selectableFields: of.selectableFields ?? [],
    builtIn: true,
  }
}

export function builtInStrategy(of: BuiltInKind): Strategy {
  const meta = { namespaced: of.namespaced, ...(of.nameCheck ? { nameCheck: of.nameCheck } : {}) }
  const metaUpdate = (object: ApiObject, old: ApiObject) => [
    ...validateObjectMeta(object.metadata as JsonObject, meta),
    ...validateObjectMetaUpdate(object.metadata as JsonObject, old.metadata as JsonObject),
  ]
  return {
    decode: decoder(of),
    applyDefaults: of.defaults ?? ((object) => object),
    prepareForCreate(object) {
      const bare = of.hasStatus ? without(object, 'status') : object
      return withMetadata(bare, { generation: of.counted ? 1 : undefined })
    },
    prepareForUpdate(object, old) {
      const kept = of.hasStatus ? withFieldOf(object, old, 'status') : object
      if (!of.counted || deepEqual(kept.spec, old.spec)) return kept
      return withMetadata(kept, { generation: (old.metadata.generation ?? 0) + 1 })
    },
    prepareForStatusUpdate(object, old) {
      return withMetadata(withFieldOf(old, object, 'status'), { managedFields: object.metadata.managedFields })
    },
    validateCreate: (object) => [
      ...validateObjectMeta(object.metadata as JsonObject, meta),
      ...(of.validate?.(object) ?? []),
    ],
    validateUpdate: (object, old) => [
      ...metaUpdate(object, old),
      ...(of.validate?.(object) ?? []),
      ...(of.validateUpdate?.(object, old) ?? []),
    ],
    validateStatusUpdate: (object, old) => [...metaUpdate(object, old), ...(of.validateStatus?.(object, old) ?? [])],
    warnings: () => [],
    selectableField: (object, field) => fieldOf(of, object, field),
    fieldSelectorError: (field) => selectorError(of, field),
    allowUnconditionalUpdate: true,
    allowCreateOnUpdate: false,
    finished: () => true,
    orphansByDefault: false,
    returnsDeleted: false,
    strategicMerge: true,
    ...of.strategy,
  }
}

/** `object` with one field as `from` has it. */
export function withFieldOf(object: ApiObject, from: ApiObject, field: string): ApiObject {
  if (from[field] === undefined) return without(object, field)
  return asObject({ ...object, [field]: from[field] } as ApiObject)
}

function decoder(of: BuiltInKind): Strategy['decode'] {
  let compiled: ReturnType<typeof compileDecoder> | undefined
  return (object) => {
    compiled ??= compileDecoder(of.kind, builtInSchema(of.group, of.version, of.kind) ?? {}, builtInDefinition)
    const unknownFields: string[] = []
    const { apiVersion, kind, metadata, ...rest } = object
    const coerced = coerceMetadata(metadata)
    if (coerced.malformed !== undefined) return unreadable(object, coerced.malformed)
    for (const field of coerced.unknown) unknownFields.push(`metadata.${field}`)
    try {
      const decoded = compiled(rest, unknownFields)
      // This order everywhere: what is stored and sent reads like what people write.
      const ordered = { apiVersion, kind, metadata: { ...coerced.metadata, ...reset(metadata) }, ...decoded }
      return { object: ordered as unknown as ApiObject, unknownFields: unknownFields.sort() }
    } catch (err) {
      if (!(err instanceof DecodeError)) throw err
      return unreadable(object, err.message)
    }
  }
}

/** An empty list of managedFields means something: it resets them. */
function reset(metadata: JsonValue | undefined): JsonObject {
  const sent = isObject(metadata) ? metadata.managedFields : undefined
  return isArray(sent) && sent.length === 0 ? { managedFields: [] } : {}
}

function unreadable(object: JsonObject, malformed: string) {
  return { object: asObject(object as unknown as ApiObject), unknownFields: [], malformed }
}

function fieldOf(of: BuiltInKind, object: ApiObject, field: string): string | undefined {
  if (field === 'metadata.name') return object.metadata.name ?? ''
  if (field === 'metadata.namespace') return object.metadata.namespace ?? ''
  if (!of.selectableFields?.includes(field)) return undefined
  let value: unknown = object
  for (const step of field.split('.')) value = (value as Record<string, unknown> | undefined)?.[step]
  return value === undefined || value === null ? '' : String(value)
}

function selectorError(of: BuiltInKind, field: string): string | undefined {
  if (field === 'metadata.name' || field === 'metadata.namespace') return undefined
  if (!of.selectableFields) {
    return `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
  }
  return of.selectableFields.includes(field) ? undefined : `field label not supported: ${field}`
}
