import type { JsonObject, JsonValue, KubeObject } from '../../crds/metadata.ts'
import { RULES_NOT_RUN } from '../../crds/validation/custom-resource.ts'
import type { FieldError } from '../../crds/validation/field-error.ts'
import { fieldSteps } from './field-path.ts'
import type { KnownKind } from './known-kind.ts'
import type { Manifest, Path } from './manifest.ts'
import type { Problem } from './problem.ts'
import { schemaAt } from './schema-at.ts'
import { closest } from './suggest.ts'
import { typeErrors } from './type-errors.ts'

/** What the API server would say of an object. */
export interface ObjectVerdict {
  readonly problems: readonly Problem[]
  /** The object with its defaults filled in, as far as it could be read. */
  readonly object: KubeObject & JsonObject
  /** Rules were left out, because what they look at is wrong. */
  readonly rulesLeftOut: boolean
}

/** Checks one object the way servers do when it is created, but goes on where they stop. */
export async function checkObject(manifest: Manifest, known: KnownKind, namespace: string): Promise<ObjectVerdict> {
  const { validator } = known
  const problems: Problem[] = []
  let decoded = validator.decode(manifest.object)
  let misread: readonly Path[] = []
  if (decoded.malformed !== undefined) {
    const wrong = await misreadFields(manifest.object, known)
    for (const { path, message } of wrong) {
      problems.push(manifest.problem('invalid', path, 'value', message, fieldName(path)))
    }
    misread = wrong.map(({ path }) => path)
    if (misread.length > 0) decoded = validator.decode(without(manifest.object, misread))
    if (decoded.malformed !== undefined) {
      if (misread.length === 0) problems.push(manifest.problem('invalid', [], 'value', decoded.malformed))
      return { problems, object: manifest.object, rulesLeftOut: true }
    }
  }
  for (const field of decoded.unknownFields) problems.push(unknownField(manifest, field, known))
  const object = validator.applyDefaults(inNamespace(decoded.object, known, namespace)) as KubeObject & JsonObject
  const created = known.hasStatus ? withoutStatus(object) : object
  const errors = validator.validateCreate(created)
  const blocked = errors.includes(RULES_NOT_RUN)
  const beside = blocked ? validator.validateRulesBeside?.(created, errors) : undefined
  for (const error of [...errors, ...(beside?.errors ?? [])]) {
    // What was taken away to read the rest is wrong, but not missing.
    const ofMisread = misread.some((path) => path.every((step, i) => error.path[i] === step))
    if (error !== RULES_NOT_RUN && !ofMisread) problems.push(invalidField(manifest, error, known))
  }
  return { problems, object, rulesLeftOut: blocked && !(beside?.complete ?? false) }
}

/** The fields that keep an object from being read at all, each at its place; servers tell of the first, and not where it is. */
async function misreadFields(object: JsonObject, known: KnownKind) {
  const { builtInDefinition, META } = await import('../../apiserver/openapi/kubernetes.ts')
  const metadata = { $ref: `#/${META}.ObjectMeta` }
  const schema = known.definition && known.schema ? known.schema : { type: 'object', properties: { metadata } }
  return typeErrors(schema, object, builtInDefinition)
}

/** A copy without the fields at some paths. */
function without(object: JsonObject, paths: readonly Path[]): JsonObject {
  const copy = structuredClone(object)
  for (const path of paths) {
    let parent: unknown = copy
    for (const step of path.slice(0, -1)) parent = (parent as Record<string | number, unknown>)[step]
    const last = path.at(-1)!
    if (Array.isArray(parent)) parent[last as number] = null
    else delete (parent as Record<string | number, unknown>)[last]
  }
  return copy
}

function withoutStatus({ status: _, ...object }: JsonObject): JsonObject {
  return object
}

/** As a server places it: in the namespace of the request, or, whatever it says (kustomize says one of everything), in none. */
function inNamespace(object: JsonObject, { namespaced }: KnownKind, namespace: string): JsonObject {
  const { namespace: own, ...metadata } = object.metadata as JsonObject
  if (namespaced) return own ? object : { ...object, metadata: { ...metadata, namespace } }
  return own ? { ...object, metadata } : object
}

/** A path as Kubernetes writes it; keys that are no names stand in brackets. */
function fieldName(path: Path): string {
  return path
    .map((step, i) => {
      if (typeof step === 'number') return `[${step}]`
      return /^[A-Za-z0-9_-]+$/.test(step) && !isMapKey(path, i) ? `${i > 0 ? '.' : ''}${step}` : `[${step}]`
    })
    .join('')
}

const isMapKey = (path: Path, i: number) =>
  i === 2 && path[0] === 'metadata' && (path[1] === 'labels' || path[1] === 'annotations')

/** At the field's name, with the nearest name that its parent does have. */
function unknownField(manifest: Manifest, field: string, known: KnownKind): Problem {
  const path = fieldSteps(manifest.object, field)
  const parent = schemaAt(known.schema, path.slice(0, -1), known.definition)
  const names =
    path[0] === 'metadata' && path.length === 2
      ? METADATA_FIELDS
      : Object.keys((parent?.properties ?? {}) as JsonObject)
  const like = closest(String(path.at(-1)), names)
  return suggested(manifest.problem('unknown-field', path, 'key', `unknown field${asking(like)}`, field), like)
}

const METADATA_FIELDS = ['name', 'namespace', 'labels', 'annotations', 'finalizers', 'ownerReferences', 'generateName']

/** At the value, or at the nearest part that is there when the value is missing. */
function invalidField(manifest: Manifest, error: FieldError, known: KnownKind): Problem {
  const part = error.reason === 'FieldValueRequired' ? 'key' : 'value'
  const like = likeliestValue(manifest.object, error, known)
  const problem = manifest.problem('invalid', error.path, part, error.message + asking(like), error.field)
  return suggested(problem, like)
}

const asking = (like: string | undefined) => (like === undefined ? '' : `; did you mean "${like}"?`)

function suggested(problem: Problem, suggestion: string | undefined): Problem {
  return suggestion === undefined ? problem : { ...problem, suggestion }
}

function likeliestValue(object: JsonObject, error: FieldError, known: KnownKind): string | undefined {
  if (error.reason !== 'FieldValueNotSupported') return undefined
  const value = valueAt(object, error.path)
  const allowed = schemaAt(known.schema, error.path, known.definition)?.enum
  if (typeof value !== 'string' || !Array.isArray(allowed)) return undefined
  return closest(
    value,
    allowed.filter((item) => typeof item === 'string'),
  )
}

function valueAt(object: JsonValue | undefined, path: Path): JsonValue | undefined {
  let value = object
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string | number, JsonValue | undefined>)[step]
  }
  return value
}
