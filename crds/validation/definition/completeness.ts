import { required } from '../errors.ts'
import type { FieldError } from '../field-error.ts'
import { child, fieldString, index, key, type Path } from '../field-path.ts'
import { type JsonSchema, property } from '../json-schema.ts'

/** What allOf, anyOf, oneOf, and not speak of without the schema outside of them knowing it. */
export function incompleteness(schema: JsonSchema, path: Path | undefined): FieldError[] {
  return ofValues(schema, schema, path, path)
}

/** `at` leads to `schema`, `told` to `values`, which speak of it. */
function ofValues(values: JsonSchema, schema: JsonSchema, at: Path | undefined, told: Path | undefined): FieldError[] {
  const errors: FieldError[] = []
  if (values.not) errors.push(...ofNested(values.not, schema, at, child(told, 'not')))
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const) {
    for (const [i, branch] of (values[name] ?? []).entries()) {
      errors.push(...ofNested(branch, schema, at, index(child(told, name), i)))
    }
  }
  return errors
}

function ofNested(values: JsonSchema, schema: JsonSchema, at: Path | undefined, told: Path): FieldError[] {
  const errors = ofValues(values, schema, at, told)
  const descend = (sub: JsonSchema, known: JsonSchema | undefined, to: Path, from: Path): void => {
    if (known) errors.push(...ofNested(sub, known, to, from))
    else errors.push(required(to, `because it is defined in ${fieldString(from)}`))
  }
  if (values.items) descend(values.items, schema.items, child(at, 'items'), child(told, 'items'))
  for (const [name, sub] of Object.entries(values.properties ?? {})) {
    const to = key(child(at, 'properties'), name)
    descend(sub, property(schema, name), to, key(child(told, 'properties'), name))
  }
  return errors
}
