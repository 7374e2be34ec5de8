import type { JsonObject, JsonValue, KubeObject } from '../../crds/metadata.ts'
import { isObject } from '../json.ts'
import { builtInDefinition, META } from '../openapi/kubernetes.ts'

export interface ColumnDefinition {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly description: string
  readonly priority: number
}

/** How objects of one kind are shown as rows. */
export interface Columns {
  readonly definitions: readonly ColumnDefinition[]
  readonly cells: (object: KubeObject, now: Date) => JsonValue[]
}

export function column(name: string, description: string, more: Partial<ColumnDefinition> = {}): ColumnDefinition {
  return { name, type: 'string', format: '', description, priority: 0, ...more }
}

/** What the API documentation says of a field. */
export function describeField(definition: string, field: string): string {
  const properties = builtInDefinition(definition)?.properties
  const property = isObject(properties) ? properties[field] : undefined
  const description = isObject(property) ? property.description : undefined
  return typeof description === 'string' ? description : ''
}

export function nameColumn(more: Partial<ColumnDefinition> = {}): ColumnDefinition {
  return column('Name', describeField(`${META}.ObjectMeta`, 'name'), { format: 'name', ...more })
}

export function creationDescription(): string {
  return describeField(`${META}.ObjectMeta`, 'creationTimestamp')
}

/** A string at a path of fields; '' where there is none. */
export function textAt(object: KubeObject, ...path: readonly string[]): string {
  const value = valueAt(object, ...path)
  return typeof value === 'string' ? value : ''
}

export function valueAt(object: KubeObject, ...path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = object as unknown as JsonObject
  for (const step of path) value = isObject(value) ? value[step] : undefined
  return value
}
