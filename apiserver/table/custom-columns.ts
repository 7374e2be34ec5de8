import { goPrint } from '../../crds/fieldmanager/go-print.ts'
import { compareStrings } from '../../crds/fieldmanager/value.ts'
import type { JsonObject, JsonValue, KubeObject } from '../../crds/metadata.ts'
import { isArray, isObject } from '../json.ts'
import type { PrinterColumn } from '../resource.ts'
import { type ColumnDefinition, type Columns, column, nameColumn } from './columns.ts'
import { age } from './duration.ts'
import { evaluateJsonPath, JsonPathError } from './json-path/evaluate.ts'
import { JsonPathSyntaxError, type PathNode, parseJsonPath } from './json-path/parse.ts'

/** The columns that a CRD declares, after the name. A column whose path cannot be read ends the table, as in Kubernetes. */
export function customColumns(declared: readonly PrinterColumn[]): Columns {
  const definitions: ColumnDefinition[] = [nameColumn()]
  const paths: { readonly type: string; readonly path: readonly PathNode[] }[] = []
  for (const { name, type, format = '', description, priority = 0, jsonPath } of declared) {
    const path = parsed(jsonPath)
    if (!path) break
    const about = description || `Custom resource definition column (in JSONPath format): ${jsonPath}`
    definitions.push(column(name, about, { type, format, priority }))
    paths.push({ type, path })
  }
  return {
    definitions,
    cells: (object, now) => [
      object.metadata.name ?? '',
      ...paths.map(({ type, path }) => cell(object, type, path, now)),
    ],
  }
}

function parsed(jsonPath: string): readonly PathNode[] | undefined {
  try {
    return parseJsonPath(jsonPath)
  } catch (error) {
    if (error instanceof JsonPathSyntaxError) return undefined
    throw error
  }
}

function cell(object: KubeObject, type: string, path: readonly PathNode[], now: Date): JsonValue {
  const value = firstFound(object, path)
  if (value === undefined) return null
  switch (type) {
    case 'string':
      return printed(value)
    case 'integer':
      return typeof value === 'number' ? int64(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? age(value, now) : null
    default:
      return null
  }
}

/** What is too large for an int64 becomes the smallest one, as on Kubernetes' machines. */
function int64(value: number): number {
  return Math.abs(value) < 2 ** 63 ? Math.trunc(value) : -(2 ** 63)
}

function firstFound(object: KubeObject, path: readonly PathNode[]): JsonValue | undefined {
  try {
    return evaluateJsonPath(path, object as unknown as JsonObject)[0]
  } catch (error) {
    if (error instanceof JsonPathError) return undefined
    throw error
  }
}

/** Lists and maps as JSON, with sorted keys; everything else as Go prints it. */
function printed(value: JsonValue): string {
  if (isArray(value) || isObject(value)) return goJson(value)
  return value === null ? '<no value>' : goPrint(value)
}

function goJson(value: JsonValue): string {
  if (isArray(value)) return `[${value.map(goJson).join(',')}]`
  if (isObject(value)) {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined)
    return `{${keys
      .sort(compareStrings)
      .map((key) => `${goJson(key)}:${goJson(value[key] ?? null)}`)
      .join(',')}}`
  }
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
