import { forbidden, invalid, required } from '../errors.ts'
import type { FieldError } from '../field-error.ts'
import { child, index, key, type Path } from '../field-path.ts'
import { additionalSchema, type JsonSchema } from '../json-schema.ts'
import { compileRe2 } from '../re2.ts'
import { incompleteness } from './completeness.ts'
import { type AnySchema, itemList, itemSchema, valueSchema } from './types.ts'

/** Where a schema stands: what is missing is told in other words there. */
type Level = 'root' | 'item' | 'field'

const WHERE: Readonly<Record<Level, string>> = {
  root: 'at the root',
  item: 'for specified array items',
  field: 'for specified object fields',
}

/** A schema as a structural one, or why it cannot be one. */
export type Structural =
  | { readonly ok: true; readonly schema: JsonSchema }
  | { readonly ok: false; readonly error: string }

/** Refuses what structural schemas have no place for. */
export function asStructural(schema: AnySchema): Structural {
  return fits(schema) ? { ok: true, schema } : { ok: false, error: unsupported(schema) ?? '' }
}

function fits(schema: AnySchema): schema is AnySchema & JsonSchema {
  return unsupported(schema) === undefined
}

const UNSUPPORTED = [
  'id',
  '$schema',
  '$ref',
  'patternProperties',
  'dependencies',
  'additionalItems',
  'definitions',
] as const

function unsupported(schema: AnySchema): string | undefined {
  for (const name of UNSUPPORTED) {
    const given = schema[name] !== undefined && schema[name] !== ''
    if (given) return `OpenAPIV3Schema '${name === '$schema' ? 'schema' : name}' is not supported`
  }
  for (const below of [schema.not, ...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) {
    const error = below && unsupported(below)
    if (error !== undefined) return error
  }
  if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined"
  }
  if (itemList(schema)) return "OpenAPIV3Schema 'items' must be a schema, but is an array"
  for (const below of [itemSchema(schema), ...Object.values(schema.properties ?? {}), valueSchema(schema)]) {
    const error = below && unsupported(below)
    if (error !== undefined) return error
  }
  return undefined
}

/** Whether a schema is structural: every field told outside of allOf, anyOf, oneOf, and not. Sorted. */
export function structuralErrors(schema: JsonSchema, path: Path | undefined): FieldError[] {
  const errors = [...invariants(schema, 'root', path), ...incompleteness(schema, path)]
  const text = (error: FieldError): string => `${error.field}: ${error.message}`
  return errors.sort((a, b) => (text(a) < text(b) ? -1 : 1))
}

function invariants(schema: JsonSchema, level: Level, path: Path | undefined): FieldError[] {
  const errors: FieldError[] = []
  if (schema.type === 'array' && !schema.items) errors.push(required(child(path, 'items'), 'must be specified'))
  if (schema.items) errors.push(...invariants(schema.items, 'item', child(path, 'items')))
  for (const [name, sub] of Object.entries(schema.properties ?? {})) {
    errors.push(...invariants(sub, 'field', key(child(path, 'properties'), name)))
  }
  if (schema.additionalProperties !== undefined) {
    const at = child(path, 'additionalProperties')
    if (level === 'root') errors.push(forbidden(at, 'must not be used at the root'))
    const sub = additionalSchema(schema)
    if (sub) errors.push(...invariants(sub, 'field', at))
  }
  errors.push(...extensionErrors(schema, path))
  const [first] = schema.allOf ?? []
  errors.push(...valueErrors(schema, isIntOrString(schema), first !== undefined && isIntOrString(first), path))
  errors.push(...typeErrors(schema, level, path))
  errors.push(...metaErrors(schema, level, path))
  return errors
}

/** int-or-string fields may say so once more, for those who do not know the extension. */
function isIntOrString(schema: JsonSchema): boolean {
  const { anyOf } = schema
  return anyOf?.length === 2 && isOnlyType(anyOf[0], 'integer') && isOnlyType(anyOf[1], 'string')
}

function isOnlyType(schema: JsonSchema | undefined, type: string): boolean {
  return schema?.type === type && Object.keys(schema).length === 1
}

function extensionErrors(schema: JsonSchema, path: Path | undefined): FieldError[] {
  if (!schema['x-kubernetes-int-or-string']) return []
  const detail = 'must be false if x-kubernetes-int-or-string is true'
  return (['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const)
    .filter((name) => schema[name])
    .map((name) => invalid(child(path, name), true, detail))
}

function typeErrors(schema: JsonSchema, level: Level, path: Path | undefined): FieldError[] {
  const errors: FieldError[] = []
  const at = child(path, 'type')
  const type = schema.type ?? ''
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  const preserve = schema['x-kubernetes-preserve-unknown-fields'] === true
  if (embedded && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true'
    errors.push(type === '' ? required(at, detail) : invalid(at, type, detail))
  } else if (type === '' && !schema['x-kubernetes-int-or-string'] && !preserve) {
    errors.push(required(at, `must not be empty ${WHERE[level]}`))
  }
  if (embedded && schema.additionalProperties !== undefined) {
    const detail = 'must not be used if x-kubernetes-embedded-resource is set'
    errors.push(forbidden(child(path, 'additionalProperties'), detail))
  }
  if (level === 'root' && type !== '' && type !== 'object') errors.push(invalid(at, type, 'must be object at the root'))
  if (embedded && !preserve && Object.keys(schema.properties ?? {}).length === 0) {
    const detail =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
    errors.push(required(child(path, 'properties'), detail))
  }
  return errors
}

/** Of a whole object apiVersion, kind and metadata are known; a schema may only narrow the name. */
function metaErrors(schema: JsonSchema, level: Level, path: Path | undefined): FieldError[] {
  const errors: FieldError[] = []
  const whole = level === 'root' || schema['x-kubernetes-embedded-resource'] === true
  const at = (name: string): Path => key(child(path, 'properties'), name)
  for (const name of ['kind', 'apiVersion']) {
    const sub = schema.properties?.[name]
    if (whole && sub && sub.type !== 'string') {
      errors.push(invalid(child(at(name), 'type'), sub.type ?? '', 'must be string'))
    }
  }
  const metadata = schema.properties?.metadata
  if (!metadata) return errors
  if (whole && metadata.type !== 'object') {
    errors.push(invalid(child(at('metadata'), 'type'), metadata.type ?? '', 'must be object'))
  }
  if (level === 'root' && !onlyNames(metadata)) {
    const detail = 'must not specify anything other than name and generateName, but metadata is implicitly specified'
    errors.push(forbidden(at('metadata'), detail))
  }
  return errors
}

function onlyNames(metadata: JsonSchema): boolean {
  return Object.entries(metadata).every(([name, value]) => {
    if (name === 'properties') return Object.keys(value).every((one) => one === 'name' || one === 'generateName')
    return name === 'type' || name === 'default'
  })
}

function valueErrors(
  schema: JsonSchema,
  skipAnyOf: boolean,
  skipFirstAllOf: boolean,
  path: Path | undefined,
): FieldError[] {
  const errors: FieldError[] = []
  if (!skipAnyOf) {
    for (const [i, branch] of (schema.anyOf ?? []).entries()) {
      errors.push(...nestedErrors(branch, false, index(child(path, 'anyOf'), i)))
    }
  }
  for (const [i, branch] of (schema.allOf ?? []).entries()) {
    errors.push(...nestedErrors(branch, skipFirstAllOf && i === 0, index(child(path, 'allOf'), i)))
  }
  for (const [i, branch] of (schema.oneOf ?? []).entries()) {
    errors.push(...nestedErrors(branch, false, index(child(path, 'oneOf'), i)))
  }
  if (schema.not) errors.push(...nestedErrors(schema.not, false, child(path, 'not')))
  if (schema.pattern) {
    const pattern = compileRe2(schema.pattern)
    if (!pattern.ok) {
      const detail = `must be a valid regular expression, but isn't: ${pattern.error}`
      errors.push(invalid(child(path, 'pattern'), schema.pattern, detail))
    }
  }
  return errors
}

type Told = readonly [name: keyof JsonSchema, detail: string, given?: (schema: JsonSchema) => boolean]

/** What belongs outside of allOf, anyOf, oneOf, and not. */
const FORBIDDEN: readonly Told[] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural', (schema) => !!schema.additionalProperties],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
]

function nestedErrors(schema: JsonSchema, skipAnyOf: boolean, path: Path): FieldError[] {
  const errors = valueErrors(schema, skipAnyOf, false, path)
  if (schema.items) errors.push(...nestedErrors(schema.items, false, child(path, 'items')))
  for (const [name, sub] of Object.entries(schema.properties ?? {})) {
    errors.push(...nestedErrors(sub, false, key(child(path, 'properties'), name)))
  }
  for (const [name, detail, given] of FORBIDDEN) {
    if (given ? given(schema) : schema[name] !== undefined) errors.push(forbidden(child(path, name), detail))
  }
  if (schema.properties && Object.hasOwn(schema.properties, 'metadata')) {
    const detail = 'must not be specified in a nested context'
    errors.push(forbidden(key(child(path, 'properties'), 'metadata'), detail))
  }
  return errors
}
