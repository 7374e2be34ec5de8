import type { JsonObject, KubeObject, ManagedFieldsEntry } from '../metadata.ts'
import { type FieldSet, fieldSetOf } from './field-set.ts'

/** What nobody owns: identity, and what the server alone writes. */
export const STRIPPED_FIELDS: FieldSet = fieldSetOf(
  ['apiVersion'],
  ['kind'],
  ['metadata'],
  ['metadata', 'name'],
  ['metadata', 'namespace'],
  ['metadata', 'creationTimestamp'],
  ['metadata', 'selfLink'],
  ['metadata', 'uid'],
  ['metadata', 'clusterName'],
  ['metadata', 'generation'],
  ['metadata', 'managedFields'],
  ['metadata', 'resourceVersion'],
)

/** The object with other managedFields; itself where they are the same list. */
export function withManagedFields(object: KubeObject, entries: readonly ManagedFieldsEntry[] | undefined): KubeObject {
  const { managedFields, ...metadata } = object.metadata
  if (managedFields === entries) return object
  return { ...object, metadata: entries ? { ...metadata, managedFields: entries } : metadata }
}

/** A KubeObject as the plain JSON that it is. */
export function asJson(object: KubeObject): JsonObject {
  return object as unknown as JsonObject
}

/** Plain JSON that has the shape of an object. */
export function asKubeObject(object: JsonObject): KubeObject {
  return object as unknown as KubeObject
}
