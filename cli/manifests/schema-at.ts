import type { JsonObject } from '../../crds/metadata.ts'
import { type Definitions, dereferenced } from './type-errors.ts'

/** The part of a schema that describes a field. */
export function schemaAt(
  schema: JsonObject | undefined,
  path: readonly (string | number)[],
  definitions: Definitions = () => undefined,
): JsonObject | undefined {
  let at = schema && dereferenced(schema, definitions)
  for (const step of path) {
    if (!at) return undefined
    const properties = at.properties as Readonly<Record<string, JsonObject>> | undefined
    const additional = typeof at.additionalProperties === 'object' ? (at.additionalProperties as JsonObject) : undefined
    const own = properties && Object.hasOwn(properties, step) ? properties[step] : undefined
    const below = typeof step === 'number' ? (at.items as JsonObject | undefined) : (own ?? additional)
    at = below && dereferenced(below, definitions)
  }
  return at
}
