import type { JsonObject, JsonValue } from '../metadata.ts'
import { invalid } from './errors.ts'
import type { FieldError } from './field-error.ts'
import { child } from './field-path.ts'
import { goJson, goNumber } from './go-format.ts'
import { isArray, isObject } from './json.ts'

/** Where a custom resource keeps what its scale subresource shows, as dotted paths (`.spec.replicas`). */
export interface ScalePaths {
  readonly specReplicasPath: string
  readonly statusReplicasPath: string
  readonly labelSelectorPath?: string
}

const MAX_INT32 = 2 ** 31 - 1

export function scaleSpecErrors(object: JsonObject, scale: ScalePaths): FieldError[] {
  return replicasErrors(object, scale.specReplicasPath)
}

export function scaleStatusErrors(object: JsonObject, scale: ScalePaths): FieldError[] {
  const errors = replicasErrors(object, scale.statusReplicasPath)
  const path = scale.labelSelectorPath
  if (path === undefined) return errors
  const found = nested(object, path)
  if ('problem' in found) return [...errors, at(path, '', found.problem)]
  if (found.value === undefined || typeof found.value === 'string') return errors
  return [...errors, at(path, '', wrongType(path, found.value, 'string'))]
}

function replicasErrors(object: JsonObject, path: string): FieldError[] {
  const found = nested(object, path)
  if ('problem' in found) return [at(path, 0, found.problem)]
  const replicas = found.value
  if (replicas === undefined) return []
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) {
    return [at(path, 0, wrongType(path, replicas, 'int64'))]
  }
  if (replicas < 0) return [at(path, replicas, 'should be a non-negative integer')]
  return replicas > MAX_INT32 ? [at(path, replicas, `should be less than or equal to ${MAX_INT32}`)] : []
}

/** The whole dotted path is one step, as upstream names the field. */
function at(path: string, value: JsonValue, detail: string): FieldError {
  const error = invalid(child(undefined, path), value, detail)
  return { ...error, path: steps(path) }
}

const steps = (path: string): string[] => path.replace(/^\./, '').split('.')

type Found = { readonly value: JsonValue | undefined } | { readonly problem: string }

function nested(object: JsonObject, path: string): Found {
  let value: JsonValue | undefined = object
  for (const [i, step] of steps(path).entries()) {
    if (value === null || value === undefined) return { value: undefined }
    if (!isObject(value)) {
      const upTo = `.${steps(path).slice(0, i).join('.')}`
      return { problem: wrongType(upTo, value, 'map[string]interface {}') }
    }
    value = value[step]
  }
  return { value }
}

function wrongType(path: string, value: JsonValue, expected: string): string {
  const dotted = path.startsWith('.') ? path : `.${path}`
  return `${dotted} accessor error: ${goValue(value)} is of the type ${goType(value)}, expected ${expected}`
}

function goType(value: JsonValue): string {
  if (value === null) return '<nil>'
  if (typeof value === 'string') return 'string'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return isArray(value) ? '[]interface {}' : 'map[string]interface {}'
}

function goValue(value: JsonValue): string {
  if (value === null) return '<nil>'
  if (typeof value === 'string') return value
  return typeof value === 'number' ? goNumber(value) : goJson(value)
}
