import type { JsonObject } from '../metadata.ts'

/** How an object's fields merge: compiled from its OpenAPI v3 schema. */
export interface ObjectType {
  readonly schema: JsonObject | undefined
}

/**
 * Compiles a schema, once per schema object. Without a schema types are deduced from values (maps granular, lists atomic).
 * `definitions` resolves `$ref`s of built-in schemas.
 */
export function objectType(
  _schema: JsonObject | undefined,
  _options: {
    readonly preserveUnknownFields?: boolean
    readonly definitions?: (name: string) => JsonObject | undefined
  },
): ObjectType {
  throw new Error('not written yet')
}
