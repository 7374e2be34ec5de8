import type { JsonObject, JsonValue } from '../metadata.ts'
import { forbidden, invalid, required, Shown, tooLong } from './errors.ts'
import type { FieldError } from './field-error.ts'
import { child, index, type Path, pathOf } from './field-path.ts'
import { goJson, goQuote } from './go-format.ts'
import { isObject, jsonEqual, list, object, text, texts } from './json.ts'
import { byteLength, labelValue, nameIsDnsLabel, nameIsDnsSubdomain, pathSegment, qualifiedName } from './names.ts'

/** Says what is wrong with a name, in Kubernetes' sentences; none when it is right. `prefix`: the value is a generateName. */
export type NameCheck = (name: string, prefix: boolean) => string[]

export interface ObjectMetaOptions {
  readonly namespaced: boolean
  /** Which names are allowed; DNS subdomains unless told. */
  readonly nameCheck?: NameCheck
  /** Where the metadata is in its object; `['metadata']` unless told. */
  readonly path?: readonly (string | number)[]
}

const ANNOTATIONS_LIMIT_BYTES = 256 * 1024
const MANAGER_LIMIT_BYTES = 128
const SUBRESOURCE_LIMIT_BYTES = 256
const ORPHAN = 'orphan'
const FOREGROUND = 'foregroundDeletion'

/** Validates metadata of a new object as Kubernetes' ValidateObjectMeta does; its name must have been generated before. */
export function validateObjectMeta(metadata: JsonObject, options: ObjectMetaOptions): FieldError[] {
  return objectMetaErrors(
    metadata,
    options.namespaced,
    options.nameCheck ?? nameIsDnsSubdomain,
    pathOf(options.path ?? ['metadata']),
  )
}

/** The same at a given path, for metadata inside of other objects. */
export function objectMetaErrors(
  metadata: JsonObject,
  namespaced: boolean,
  nameCheck: NameCheck,
  path: Path | undefined,
): FieldError[] {
  const name = text(metadata.name)
  const generateName = text(metadata.generateName)
  const generation = metadata.generation
  return [
    ...(generateName ? invalids(child(path, 'generateName'), generateName, nameCheck(generateName, true)) : []),
    ...(name
      ? invalids(child(path, 'name'), name, nameCheck(name, false))
      : [required(child(path, 'name'), 'name or generateName is required')]),
    ...namespaceErrors(text(metadata.namespace), namespaced, child(path, 'namespace')),
    ...(typeof generation === 'number' && generation < 0
      ? [invalid(child(path, 'generation'), generation, 'must be greater than or equal to 0')]
      : []),
    ...labelsErrors(object(metadata.labels), child(path, 'labels')),
    ...annotationsErrors(object(metadata.annotations), child(path, 'annotations')),
    ...ownersErrors(list(metadata.ownerReferences), child(path, 'ownerReferences')),
    ...finalizersErrors(texts(metadata.finalizers), child(path, 'finalizers')),
    ...managedFieldsErrors(list(metadata.managedFields), child(path, 'managedFields')),
  ]
}

/** Validates metadata of an update: what is immutable, and what may not be added while deleting. */
export function validateObjectMetaUpdate(
  metadata: JsonObject,
  old: JsonObject,
  path: readonly (string | number)[] = ['metadata'],
): FieldError[] {
  const at = pathOf(path)
  const errors: FieldError[] = []
  if (old.deletionTimestamp) {
    errors.push(...newFinalizers(texts(metadata.finalizers), texts(old.finalizers), child(at, 'finalizers')))
  }
  if (!text(metadata.resourceVersion)) {
    errors.push(invalid(child(at, 'resourceVersion'), '', 'must be specified for an update'))
  }
  const generation = count(metadata.generation)
  if (generation < count(old.generation)) {
    errors.push(invalid(child(at, 'generation'), generation, 'must not be decremented'))
  }
  for (const [field, absent] of IMMUTABLE) {
    const value = metadata[field] ?? absent
    if (jsonEqual(value, old[field] ?? absent)) continue
    errors.push(invalid(child(at, field), value, 'field is immutable'))
  }
  return [
    ...errors,
    ...labelsErrors(object(metadata.labels), child(at, 'labels')),
    ...annotationsErrors(object(metadata.annotations), child(at, 'annotations')),
    ...ownersErrors(list(metadata.ownerReferences), child(at, 'ownerReferences')),
    ...managedFieldsErrors(list(metadata.managedFields), child(at, 'managedFields')),
  ]
}

/** All that Kubernetes checks of an update's metadata: as of any object, and against the old. Each error once. */
export function objectMetaUpdateErrors(metadata: JsonObject, old: JsonObject, namespaced: boolean): FieldError[] {
  const at = pathOf(['metadata'])
  const errors = [
    ...objectMetaErrors(metadata, namespaced, pathSegment, at),
    ...validateObjectMetaUpdate(metadata, old),
  ]
  const seen = new Set<string>()
  return errors.filter(({ field, message }) => {
    const text = `${field}: ${message}`
    return !seen.has(text) && seen.add(text)
  })
}

/** Fields no update may change, with what their absence counts as. */
const IMMUTABLE: readonly (readonly [string, JsonValue])[] = [
  ['name', ''],
  ['namespace', ''],
  ['uid', ''],
  ['creationTimestamp', null],
  ['deletionTimestamp', null],
  ['deletionGracePeriodSeconds', null],
]

const count = (value: JsonValue | undefined): number => (typeof value === 'number' ? value : 0)

function invalids(path: Path, value: string, messages: readonly string[]): FieldError[] {
  return messages.map((message) => invalid(path, value, message))
}

function namespaceErrors(namespace: string, namespaced: boolean, path: Path): FieldError[] {
  if (!namespaced) return namespace ? [forbidden(path, 'not allowed on this type')] : []
  return namespace ? invalids(path, namespace, nameIsDnsLabel(namespace, false)) : [required(path, '')]
}

function labelsErrors(labels: JsonObject, path: Path): FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...invalids(path, key, qualifiedName(key)),
    ...invalids(path, text(value), labelValue(text(value))),
  ])
}

function annotationsErrors(annotations: JsonObject, path: Path): FieldError[] {
  const errors: FieldError[] = []
  let size = 0
  for (const [key, value] of Object.entries(annotations)) {
    size += byteLength(key) + byteLength(text(value))
    errors.push(...invalids(path, key, qualifiedName(key.toLowerCase())))
  }
  return size > ANNOTATIONS_LIMIT_BYTES ? [...errors, tooLong(path, ANNOTATIONS_LIMIT_BYTES)] : errors
}

function ownersErrors(owners: readonly JsonValue[], path: Path): FieldError[] {
  const errors: FieldError[] = []
  let controller = ''
  for (const value of owners) {
    const owner = object(value)
    errors.push(...ownerErrors(owner, path))
    if (owner.controller !== true) continue
    const name = `${text(owner.kind)}/${text(owner.name)}`
    if (controller === '') controller = name
    else {
      const found = `Found "true" in references for ${controller} and ${name}`
      errors.push(invalid(path, ownersShown(owners), `Only one reference can have Controller set to true. ${found}`))
    }
  }
  return errors
}

function ownerErrors(owner: JsonObject, path: Path): FieldError[] {
  const errors: FieldError[] = []
  const apiVersion = text(owner.apiVersion)
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1)
  if (!version) errors.push(invalid(child(path, 'apiVersion'), apiVersion, 'version must not be empty'))
  for (const field of ['kind', 'name', 'uid']) {
    if (!text(owner[field])) errors.push(invalid(child(path, field), text(owner[field]), 'must not be empty'))
  }
  if (apiVersion === 'v1' && owner.kind === 'Event') {
    errors.push(invalid(path, new Shown(ownerJson(owner)), '/v1, Kind=Event is disallowed from being an owner'))
  }
  return errors
}

const OWNER_FIELDS = ['apiVersion', 'kind', 'name', 'uid', 'controller', 'blockOwnerDeletion']

/** An owner reference as Go writes it: fields in their order in the struct, texts also where they are empty. */
function ownerJson(owner: JsonObject): string {
  const fields = OWNER_FIELDS.flatMap((field, i) => {
    const value = i < 4 ? text(owner[field]) : owner[field]
    return value === undefined || value === null ? [] : [`"${field}":${goJson(value)}`]
  })
  return `{${fields.join(',')}}`
}

function ownersShown(owners: readonly JsonValue[]): Shown {
  return new Shown(`[${owners.map((owner) => ownerJson(object(owner))).join(',')}]`)
}

function finalizersErrors(finalizers: readonly string[], path: Path): FieldError[] {
  const errors = finalizers.flatMap((name) => invalids(path, name, qualifiedName(name)))
  if (finalizers.includes(ORPHAN) && finalizers.includes(FOREGROUND)) {
    errors.push(invalid(path, finalizers, `finalizer ${ORPHAN} and ${FOREGROUND} cannot be both set`))
  }
  return errors
}

function newFinalizers(finalizers: readonly string[], old: readonly string[], path: Path): FieldError[] {
  const added = [...new Set(finalizers)].filter((name) => !old.includes(name)).sort()
  if (added.length === 0) return []
  const found = `[]string{${added.map(goQuote).join(', ')}}`
  return [
    forbidden(path, `no new finalizers can be added if the object is being deleted, found new finalizers ${found}`),
  ]
}

function managedFieldsErrors(entries: readonly JsonValue[], path: Path): FieldError[] {
  return entries.filter(isObject).flatMap((entry, i) => {
    const at = index(path, i)
    const errors: FieldError[] = []
    const operation = text(entry.operation)
    if (operation !== 'Apply' && operation !== 'Update') {
      errors.push(invalid(child(at, 'operation'), operation, 'must be `Apply` or `Update`'))
    }
    const fieldsType = text(entry.fieldsType)
    if (fieldsType && fieldsType !== 'FieldsV1') {
      errors.push(invalid(child(at, 'fieldsType'), fieldsType, 'must be `FieldsV1`'))
    }
    errors.push(...fieldManagerErrors(text(entry.manager), child(at, 'manager')))
    if (byteLength(text(entry.subresource)) > SUBRESOURCE_LIMIT_BYTES) {
      errors.push(tooLong(child(at, 'subresource'), SUBRESOURCE_LIMIT_BYTES))
    }
    return errors
  })
}

const UNPRINTABLE = /[^ \p{L}\p{M}\p{N}\p{P}\p{S}]/u

/** What a field manager may be called: at most 128 bytes, all printable. */
export function fieldManagerErrors(manager: string, path: Path | undefined): FieldError[] {
  const errors: FieldError[] = []
  if (byteLength(manager) > MANAGER_LIMIT_BYTES) errors.push(tooLong(path, MANAGER_LIMIT_BYTES))
  let position = 0
  for (const char of manager) {
    if (UNPRINTABLE.test(char)) {
      const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
      errors.push(invalid(path, manager, `invalid character U+${code} (at position ${position})`))
    }
    position += byteLength(char)
  }
  return errors
}

const STANDARD_FINALIZERS = new Set([ORPHAN, FOREGROUND, 'kubernetes'])

/** Warnings about finalizers that an object got and that are not named as they should be. */
export function finalizerWarnings(metadata: JsonObject, old?: JsonObject): string[] {
  const before = new Set(old ? texts(old.finalizers) : [])
  const added = [...new Set(texts(metadata.finalizers))].filter((name) => !before.has(name)).sort()
  return added.flatMap((name) => {
    const warn = (message: string): string => `metadata.finalizers: ${goQuote(name)}: ${message}`
    const warnings = qualifiedName(name).map(warn)
    if (name.includes('/') || STANDARD_FINALIZERS.has(name)) return warnings
    const including = name.includes('.') ? ' including a path (/)' : ''
    const advice = `prefer a domain-qualified finalizer name${including} to avoid accidental conflicts with other finalizer writers`
    return [...warnings, warn(advice)]
  })
}
