import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import type { FieldError } from '../../crds/validation/field-error.ts'
import { fieldSteps } from './field-path.ts'
import { type KnownKind, KnownKinds } from './kinds.ts'
import { type Manifest, typeName } from './manifest.ts'
import type { Problem } from './problem.ts'
import { placeText } from './source-text.ts'
import { closest, didYouMean } from './suggest.ts'

export interface CheckOptions {
  /** Namespace of namespaced objects that name none. */
  readonly namespace: string
  /** With `-n`, an object that names another namespace is an error. */
  readonly namespaceGiven: boolean
}

/** Everything wrong with the manifests that can be known without a server, in the order they are written. */
export async function checkManifests(manifests: readonly Manifest[], options: CheckOptions): Promise<Problem[]> {
  const kinds = new KnownKinds(manifests)
  const problems: Problem[] = []
  const first = new Map<string, Manifest>()
  for (const manifest of manifests) {
    const { object } = manifest
    const known = await kinds.find(object.apiVersion, object.kind)
    const found = known ? checkObject(manifest, known, options) : unknownKind(manifest, kinds)
    found.push(...wrongNamespace(manifest, known, options), ...duplicateOf(manifest, known, options, first))
    problems.push(...found.sort((a, b) => (a.at?.start ?? 0) - (b.at?.start ?? 0)))
  }
  return problems
}

/** A kind that is none of a group version's that we know all about. */
function unknownKind(manifest: Manifest, kinds: KnownKinds): Problem[] {
  const { apiVersion, kind } = manifest.object
  const siblings = kinds.kindsOf(apiVersion)
  if (siblings) {
    return [
      manifest.problem(
        'unknown-kind',
        ['kind'],
        'value',
        `there is no kind "${kind}" in ${apiVersion}${didYouMean(kind, siblings)}`,
        'kind',
      ),
    ]
  }
  // An API of somebody else's: the server will know. But one letter beside ours, with a kind of ours, is a slip.
  const group = apiVersion.slice(0, apiVersion.indexOf('/') + 1)
  const sameGroup = [...kinds.apiVersions()].find((other) => group !== '' && other.startsWith(group))
  const like = sameGroup ?? closest(apiVersion, kinds.apiVersions())
  const slip = like !== undefined && kinds.kindsOf(like)?.has(kind)
  if (!slip && !/(^|\.)weir\.dev\//.test(apiVersion)) return []
  const suggestion = like === undefined ? '' : `; did you mean "${like}"?`
  return [
    manifest.problem('unknown-kind', ['apiVersion'], 'value', `there is no "${apiVersion}"${suggestion}`, 'apiVersion'),
  ]
}

function checkObject(manifest: Manifest, known: KnownKind, options: CheckOptions): Problem[] {
  const { validator, schema } = known
  const texts = textProblems(manifest)
  const decoded = validator.decode(texts.length > 0 ? withoutTexts(manifest.object) : manifest.object)
  if (decoded.malformed !== undefined)
    return [...texts, manifest.problem('invalid', ['metadata'], 'value', decoded.malformed, 'metadata')]
  const problems: Problem[] = decoded.unknownFields.map((field) => unknownField(manifest, field, schema))
  const placed = inNamespace(decoded.object, known, options.namespace)
  for (const error of validator.validateCreate(validator.applyDefaults(placed))) {
    // The note that rules were not run belongs to the object as a whole; the errors that kept them from running are here.
    if (error.path.length > 0) problems.push(invalidField(manifest, error, schema))
  }
  return [...texts, ...problems]
}

/** Labels and annotations that are no texts, each at its place; the API's own message names none. */
function textProblems(manifest: Manifest): Problem[] {
  const metadata = manifest.object.metadata as JsonObject
  return ['labels', 'annotations'].flatMap((field) => {
    const map = metadata[field]
    if (map === undefined || map === null) return []
    const path = ['metadata', field]
    if (typeof map !== 'object' || Array.isArray(map)) {
      return [
        manifest.problem('invalid', path, 'value', `must be a map of strings, not ${typeName(map)}`, path.join('.')),
      ]
    }
    return Object.entries(map).flatMap(([key, value]) => {
      if (typeof value === 'string' || value === null || value === undefined) return []
      const advice = typeof value === 'object' ? '' : `; write "${value}" in quotes`
      return [
        manifest.problem(
          'invalid',
          [...path, key],
          'value',
          `must be a string, not ${typeName(value)}${advice}`,
          `${path.join('.')}[${key}]`,
        ),
      ]
    })
  })
}

function withoutTexts(object: Manifest['object']): JsonObject {
  const { labels: _l, annotations: _a, ...metadata } = object.metadata as JsonObject
  return { ...object, metadata }
}

function inNamespace(object: JsonObject, { namespaced }: KnownKind, namespace: string): JsonObject {
  const metadata = object.metadata as JsonObject
  return namespaced && !metadata.namespace ? { ...object, metadata: { ...metadata, namespace } } : object
}

/** At the field's name, with the nearest name that its parent does have. */
export function unknownField(manifest: Manifest, field: string, schema: JsonObject | undefined): Problem {
  const path = fieldSteps(manifest.object, field)
  const parent = schemaAt(schema, path.slice(0, -1))
  const names =
    path[0] === 'metadata' && path.length === 2
      ? METADATA_FIELDS
      : Object.keys((parent?.properties ?? {}) as JsonObject)
  return manifest.problem('unknown-field', path, 'key', `unknown field${didYouMean(String(path.at(-1)), names)}`, field)
}

const METADATA_FIELDS = ['name', 'namespace', 'labels', 'annotations', 'finalizers', 'ownerReferences', 'generateName']

/** At the value, or at the nearest part that is there when the value is missing. */
export function invalidField(manifest: Manifest, error: FieldError, schema: JsonObject | undefined): Problem {
  const part = error.reason === 'FieldValueRequired' ? 'key' : 'value'
  return manifest.problem(
    'invalid',
    error.path,
    part,
    error.message + enumSuggestion(manifest.object, error, schema),
    error.field,
  )
}

function enumSuggestion(object: JsonObject, error: FieldError, schema: JsonObject | undefined): string {
  if (error.reason !== 'FieldValueNotSupported') return ''
  const value = valueAt(object, error.path)
  const allowed = schemaAt(schema, error.path)?.enum
  if (typeof value !== 'string' || !Array.isArray(allowed)) return ''
  return didYouMean(
    value,
    allowed.filter((item) => typeof item === 'string'),
  )
}

function valueAt(object: JsonValue | undefined, path: readonly (string | number)[]): JsonValue | undefined {
  let value = object
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string | number, JsonValue | undefined>)[step]
  }
  return value
}

/** The part of a schema that describes a field. */
export function schemaAt(schema: JsonObject | undefined, path: readonly (string | number)[]): JsonObject | undefined {
  let at = schema
  for (const step of path) {
    if (!at) return undefined
    const properties = at.properties as Readonly<Record<string, JsonObject>> | undefined
    const additional = typeof at.additionalProperties === 'object' ? (at.additionalProperties as JsonObject) : undefined
    at = typeof step === 'number' ? (at.items as JsonObject | undefined) : (properties?.[step] ?? additional)
  }
  return at
}

function wrongNamespace(manifest: Manifest, known: KnownKind | undefined, options: CheckOptions): Problem[] {
  const { namespace } = manifest.object.metadata
  if (!options.namespaceGiven || !namespace || namespace === options.namespace || known?.namespaced === false) return []
  const message = `the namespace from the provided object "${namespace}" does not match the namespace "${options.namespace}". You must pass '--namespace=${namespace}' to perform this operation.`
  return [manifest.problem('invalid', ['metadata', 'namespace'], 'value', message, 'metadata.namespace')]
}

/** The same object twice in one set; versions of a kind are one object. */
function duplicateOf(
  manifest: Manifest,
  known: KnownKind | undefined,
  options: CheckOptions,
  first: Map<string, Manifest>,
): Problem[] {
  const { apiVersion, kind, metadata } = manifest.object
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  const namespace = known?.namespaced === false ? '' : (metadata.namespace ?? options.namespace)
  const key = JSON.stringify([group, kind, namespace, metadata.name])
  const other = first.get(key)
  if (!other) {
    first.set(key, manifest)
    return []
  }
  const place = other.placeOf(['metadata', 'name'], 'value')
  const problem = manifest.problem(
    'duplicate',
    ['metadata', 'name'],
    'value',
    `${kind} "${metadata.name}" is there twice, first at ${placeText(place)}`,
  )
  return [{ ...problem, related: { message: 'the first one is here', place } }]
}
