import type { JsonObject } from '../metadata.ts'
import { asWritten, internalSpec } from './definition/internal.ts'
import { approvalErrors, namesErrors } from './definition/names.ts'
import { type DefinitionOptions, NEW_DEFINITION, updateOptions } from './definition/options.ts'
import { readDefinition } from './definition/shape.ts'
import { specErrors } from './definition/spec.ts'
import type { Definition } from './definition/types.ts'
import { unrecognizedFormats } from './definition/unrecognized-formats.ts'
import { fieldError, invalid } from './errors.ts'
import type { FieldError } from './field-error.ts'
import { child, index, type Path } from './field-path.ts'
import { goQuote } from './go-format.ts'
import { isArray, isObject, list, object, text } from './json.ts'
import { nameIsDnsSubdomain } from './names.ts'
import { objectMetaUpdateErrors, validateObjectMeta } from './object-meta.ts'

/** A CustomResourceDefinition as read from a request or a file. */
export interface DecodedDefinition {
  readonly object: JsonObject
  /** Unknown fields, as `unknownFieldMessages` words them, in the order they are written. */
  readonly unknownFields: readonly string[]
  /** Why it cannot be read at all (400 Bad Request), in Go's words; the object is as it was given then. */
  readonly malformed?: string
}

/** Reads a CustomResourceDefinition as Go would: unknown and empty fields are left out. Never throws. */
export function decodeCustomResourceDefinition(crd: JsonObject): DecodedDefinition {
  const read = readDefinition(crd)
  if (!read.ok) return { object: crd, unknownFields: [], malformed: read.error }
  const { apiVersion, kind, metadata, ...rest } = object(read.value)
  // An empty list of managedFields is no absent one: it resets them.
  const managed = object(crd.metadata).managedFields
  const reset = isArray(managed) && managed.length === 0 ? { managedFields: [] } : {}
  return {
    object: { apiVersion, kind, metadata: { ...object(metadata), ...reset }, ...rest },
    unknownFields: read.unknown,
  }
}

/** Fills in what Kubernetes fills in: names.singular, names.listKind, conversion None, status.storedVersions. */
export function defaultCustomResourceDefinition(crd: JsonObject): JsonObject {
  const spec = object(crd.spec)
  const names = object(spec.names)
  const kind = text(names.kind)
  const storage = list(spec.versions).find((version) => isObject(version) && version.storage === true)
  const stored = list(object(crd.status).storedVersions)
  return {
    ...crd,
    spec: {
      ...spec,
      names: {
        ...names,
        ...(text(names.singular) === '' ? { singular: kind.toLowerCase() } : {}),
        ...(text(names.listKind) === '' && kind !== '' ? { listKind: `${kind}List` } : {}),
      },
      conversion: withPort(spec.conversion ?? { strategy: 'None' }),
    },
    ...(stored.length === 0 && isObject(storage)
      ? { status: { ...object(crd.status), storedVersions: [text(storage.name)] } }
      : {}),
  }
}

function withPort(conversion: JsonObject[string]): JsonObject[string] {
  const webhook = object(object(conversion).webhook)
  const client = object(webhook.clientConfig)
  if (!isObject(client.service) || client.service.port !== undefined) return conversion
  const clientConfig = { ...client, service: { ...client.service, port: 443 } }
  return { ...object(conversion), webhook: { ...webhook, clientConfig } }
}

/**
 * Everything wrong with a (defaulted) CustomResourceDefinition, CEL compile errors and cost limits included, in Kubernetes'
 * words: of a schema that all versions share it speaks as of `spec.validation`; `path` points to where it is written. An
 * update is compared with `old`, and need not repair what was accepted before.
 */
export function validateCustomResourceDefinition(crd: JsonObject, old?: JsonObject): FieldError[] {
  const read = readDefinition(crd)
  if (!read.ok) return [fieldError(undefined, 'FieldValueTypeInvalid', `Invalid value: ${read.error}`)]
  const before = old && readDefinition(old)
  const definition = asDefinition(object(read.value))
  const previous = before?.ok ? asDefinition(object(before.value)) : undefined
  const errors = previous ? updateErrors(definition, previous) : createErrors(definition)
  return errors.map(asWritten)
}

/** What is wrong with an update of the status alone. */
export function validateCustomResourceDefinitionStatus(crd: JsonObject, old: JsonObject): FieldError[] {
  const read = readDefinition(crd)
  if (!read.ok) return [fieldError(undefined, 'FieldValueTypeInvalid', `Invalid value: ${read.error}`)]
  const definition = asDefinition(object(read.value))
  return [...objectMetaUpdateErrors(metadataOf(definition), object(old.metadata), false), ...statusErrors(definition)]
}

/** What a server should warn of: formats that nobody checks, and that an update brings in. */
export function customResourceDefinitionWarnings(crd: JsonObject, old?: JsonObject): string[] {
  const read = readDefinition(crd)
  if (!read.ok) return []
  const before = old && readDefinition(old)
  const known = new Set(before?.ok ? unrecognizedFormats(asDefinition(object(before.value))) : [])
  return unrecognizedFormats(asDefinition(object(read.value)))
    .filter((format) => !known.has(format))
    .map((format) => `unrecognized format ${goQuote(format)}`)
}

const SPEC = child(undefined, 'spec')
const STATUS = child(undefined, 'status')
const NO_NAMES = { plural: '', kind: '' }
const NO_SPEC: Definition['spec'] = { group: '', names: NO_NAMES, scope: '' }

/** Parts that are structs in Go are there, even where nothing was given. */
function asDefinition(value: JsonObject): Definition {
  const definition = value as Partial<Definition>
  return { ...definition, spec: { ...NO_SPEC, ...definition.spec } }
}

const metadataOf = (definition: Definition): JsonObject => definition.metadata ?? {}

function createErrors(definition: Definition): FieldError[] {
  const { names, group } = definition.spec
  const nameCheck = (name: string, prefix: boolean): string[] => [
    ...nameIsDnsSubdomain(name, prefix),
    ...(name === `${names.plural}.${group}` ? [] : ['must be spec.names.plural+"."+spec.group']),
  ]
  return [
    ...validateObjectMeta(metadataOf(definition), { namespaced: false, nameCheck }),
    ...commonErrors(definition, NEW_DEFINITION),
    ...approvalErrors(group, metadataOf(definition), undefined),
    ...preserveErrors(definition),
  ]
}

function updateErrors(definition: Definition, old: Definition): FieldError[] {
  const { spec } = definition
  const asked = updateOptions(definition, old)
  const immutable = (value: string, before: string, path: Path): FieldError[] =>
    value === before ? [] : [invalid(path, value, 'field is immutable')]
  const names = child(SPEC, 'names')
  return [
    ...objectMetaUpdateErrors(metadataOf(definition), metadataOf(old), false),
    ...specErrors(internalSpec(spec), SPEC, asked),
    ...(asked.requireImmutableNames
      ? [
          ...immutable(spec.scope, old.spec.scope, child(SPEC, 'scope')),
          ...immutable(spec.names.kind, old.spec.names.kind, child(names, 'kind')),
        ]
      : []),
    ...immutable(spec.group, old.spec.group, child(SPEC, 'group')),
    ...immutable(spec.names.plural, old.spec.names.plural, child(names, 'plural')),
    ...statusErrors(definition),
    ...storedVersionErrors(definition),
    ...approvalErrors(spec.group, metadataOf(definition), metadataOf(old)),
    ...(old.spec.preserveUnknownFields ? [] : preserveErrors(definition)),
  ]
}

function commonErrors(definition: Definition, asked: DefinitionOptions): FieldError[] {
  const spec = specErrors(internalSpec(definition.spec), SPEC, asked)
  return [...spec, ...statusErrors(definition), ...storedVersionErrors(definition)]
}

function statusErrors(definition: Definition): FieldError[] {
  return namesErrors(definition.status?.acceptedNames ?? NO_NAMES, child(STATUS, 'acceptedNames'))
}

function storedVersionErrors(definition: Definition): FieldError[] {
  const stored = definition.status?.storedVersions ?? []
  const versions = definition.spec.versions ?? []
  const at = child(STATUS, 'storedVersions')
  if (stored.length === 0) return [invalid(at, null, 'must have at least one stored version')]
  const missing = versions.filter(({ storage, name }) => storage && !stored.includes(name))
  const gone = [...stored.keys()].filter((i) => !versions.some(({ name }) => name === stored[i]))
  return [
    ...missing.map(({ name }) => invalid(at, stored, `must have the storage version ${name}`)),
    ...gone.map((i) => {
      const name = stored[i] ?? ''
      const why = `${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`
      return invalid(index(at, i), name, `missing from spec.versions; ${why}`)
    }),
  ]
}

function preserveErrors(definition: Definition): FieldError[] {
  if (!definition.spec.preserveUnknownFields) return []
  const instead = 'set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'
  return [invalid(child(SPEC, 'preserveUnknownFields'), true, `cannot set to true, ${instead}`)]
}
