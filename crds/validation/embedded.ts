import type { JsonObject, JsonValue } from '../metadata.ts'
import { invalid, required } from './errors.ts'
import type { FieldError } from './field-error.ts'
import { child, index, key, type Path } from './field-path.ts'
import { isArray, isObject, text } from './json.ts'
import { additionalSchema, type JsonSchema } from './json-schema.ts'
import { coerceMetadata } from './metadata-shape.ts'
import { dns1035Label, pathSegment } from './names.ts'
import { objectMetaErrors } from './object-meta.ts'

/** Checks the apiVersion, kind and metadata of objects inside of objects (x-kubernetes-embedded-resource). */
export type EmbeddedCheck = (value: JsonValue, path: Path | undefined, out: FieldError[]) => void

/** Compiles the check; undefined where nothing below is an embedded resource. */
export function compileEmbedded(schema: JsonSchema): EmbeddedCheck | undefined {
  const item = schema.items ? compileEmbedded(schema.items) : undefined
  const additional = additionalSchema(schema)
  const others = additional ? compileEmbedded(additional) : undefined
  const fields = new Map(
    Object.entries(schema.properties ?? {}).map(([name, sub]) => [name, compileEmbedded(sub)] as const),
  )
  const own = schema['x-kubernetes-embedded-resource'] === true
  if (!own && !item && !others && ![...fields.values()].some(Boolean)) return undefined

  return (value, path, out) => {
    if (isArray(value)) {
      if (item) for (const [i, one] of value.entries()) item(one, index(path, i), out)
    } else if (isObject(value)) {
      if (own) out.push(...embeddedErrors(value, path))
      for (const name in value) {
        const one = value[name]
        if (one === undefined) continue
        if (fields.has(name)) fields.get(name)?.(one, child(path, name), out)
        else others?.(one, key(path, name), out)
      }
    }
  }
}

/** What is wrong with the type and the metadata of one embedded object. */
export function embeddedErrors(value: JsonObject, path: Path | undefined): FieldError[] {
  const errors: FieldError[] = []
  if (value.apiVersion === undefined) errors.push(required(child(path, 'apiVersion'), ''))
  else errors.push(...textErrors(value.apiVersion, child(path, 'apiVersion'), groupVersionProblems))
  if (value.kind === undefined) errors.push(required(child(path, 'kind'), ''))
  else errors.push(...textErrors(value.kind, child(path, 'kind'), kindProblems))
  if (value.metadata !== undefined) errors.push(...metadataErrors(value.metadata, child(path, 'metadata')))
  return errors
}

function textErrors(value: JsonValue, path: Path, problems: (text: string) => string[]): FieldError[] {
  if (typeof value !== 'string') return [invalid(path, value, 'must be a string')]
  if (value === '') return [invalid(path, value, 'must not be empty')]
  return problems(value).map((problem) => invalid(path, value, problem))
}

function groupVersionProblems(apiVersion: string): string[] {
  const slashes = apiVersion.split('/').length - 1
  return slashes > 1 ? [`unexpected GroupVersion string: ${apiVersion}`] : []
}

function kindProblems(kind: string): string[] {
  const problems = dns1035Label(kind.toLowerCase())
  if (problems.length === 0) return []
  return [`may have mixed case, but should otherwise match: ${problems.join(',')}`]
}

function metadataErrors(value: JsonValue, path: Path): FieldError[] {
  const { metadata, malformed } = coerceMetadata(value)
  if (malformed !== undefined) return [invalid(path, value, malformed)]
  const named = text(metadata.name) === '' ? { ...metadata, name: 'fakename' } : metadata
  return objectMetaErrors(named, text(metadata.namespace) !== '', pathSegment, path)
}

/**
 * Coerces the metadata of embedded objects: unknown fields dropped and told by path, empty ones left out. The same value where
 * there is none.
 */
export type EmbeddedCoercion = (value: JsonValue, path: string, unknown: string[]) => JsonValue

/** What embedded metadata that cannot be read is thrown as; the message starts with where it is. */
export class MalformedMetadata extends Error {
  /** The same as a field error says it, without the place. */
  readonly sentence: string
  readonly field: string

  constructor(field: string, value: JsonValue, detail: string) {
    const sentence = invalid(undefined, value, detail).message
    super(`${field}: ${sentence}`)
    this.sentence = sentence
    this.field = field
  }
}

/** Compiles the coercion; undefined where nothing below is an embedded resource. Throws MalformedMetadata. */
export function compileEmbeddedCoercion(schema: JsonSchema): EmbeddedCoercion | undefined {
  const item = schema.items ? compileEmbeddedCoercion(schema.items) : undefined
  const additional = additionalSchema(schema)
  const others = additional ? compileEmbeddedCoercion(additional) : undefined
  const fields = new Map(
    Object.entries(schema.properties ?? {}).map(([name, sub]) => [name, compileEmbeddedCoercion(sub)] as const),
  )
  const own = schema['x-kubernetes-embedded-resource'] === true
  if (!own && !item && !others && ![...fields.values()].some(Boolean)) return undefined

  return (value, path, unknown) => {
    if (isArray(value)) {
      const items = item ? value.map((one, i) => item(one, `${path}[${i}]`, unknown)) : value
      return items.some((one, i) => one !== value[i]) ? items : value
    }
    if (!isObject(value)) return value
    const changed: [string, JsonValue][] = []
    for (const name in value) {
      const one = value[name]
      if (one === undefined) continue
      const at = path === '' ? name : `${path}.${name}`
      const typed = own ? coerceTypeField(name, one, at, unknown) : one
      const below = fields.has(name) ? fields.get(name) : others
      const coerced = below ? below(typed, at, unknown) : typed
      if (coerced !== one) changed.push([name, coerced])
    }
    return changed.length > 0 ? { ...value, ...Object.fromEntries(changed) } : value
  }
}

function coerceTypeField(name: string, value: JsonValue, path: string, unknown: string[]): JsonValue {
  if (name === 'apiVersion' || name === 'kind') {
    if (typeof value === 'string') return value
    throw new MalformedMetadata(path, value, 'must be a string')
  }
  if (name !== 'metadata') return value
  const { metadata, unknown: fields, malformed } = coerceMetadata(value)
  if (malformed !== undefined) throw new MalformedMetadata(path, value, malformed)
  unknown.push(...fields.map((field) => `${path}.${field}`))
  return metadata
}
