import { parseDocument } from 'yaml'
import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { type CliError, usageError } from '../exit.ts'
import { didYouMean } from '../manifests/suggest.ts'

type Step = string | number
interface MutableObject {
  [key: string]: JsonValue | undefined
}

/** What people may say of metadata besides name and namespace, which have places of their own on the command line. */
const METADATA: JsonObject = {
  type: 'object',
  properties: {
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    annotations: { type: 'object', additionalProperties: { type: 'string' } },
  },
}

/**
 * What `--field PATH=VALUE` says, by the schema of a kind: values have the type that their field has, so that `country=NO` and `start=02:00` are
 * texts. A path is of the spec unless it begins with `spec.` or `metadata.`. A value of a list is `a,b` or `[a, b]`, of an object or a map `{a: b}`.
 * Throws a usage error.
 */
export function fieldValues(
  schema: JsonObject,
  given: readonly string[],
): { readonly metadata: JsonObject; readonly spec: JsonObject } {
  const { spec } = schema.properties as { readonly spec: JsonObject }
  const root: JsonObject = { type: 'object', properties: { spec, metadata: METADATA } }
  const result: MutableObject = {}
  const seen = new Set<string>()
  for (const text of given) {
    const [, path, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
    if (path === undefined || value === undefined)
      throw usageError(`--field must be PATH=VALUE, such as country=DE, not "${text}"`)
    const steps = stepsOf(path)
    const whole = steps[0] === 'spec' || steps[0] === 'metadata' ? steps : ['spec', ...steps]
    const field = schemaOf(root, whole, path)
    const key = JSON.stringify(field.steps)
    if (seen.has(key)) throw usageError(`--field ${path} is given twice`)
    seen.add(key)
    set(result, field.steps, convert(field.schema, value, path), path)
  }
  return { metadata: (result.metadata ?? {}) as JsonObject, spec: (result.spec ?? {}) as JsonObject }
}

/** `.a.b[0]['c.d']` as its steps. */
function stepsOf(path: string): Step[] {
  const steps: Step[] = []
  const step = /\.?(?:([^.[\]]+)|\[(\d+)\]|\[(?:'([^']*)'|"([^"]*)"|([^\]]+))\])/y
  while (step.lastIndex < path.length) {
    const at = step.lastIndex
    const match = step.exec(path)
    if (!match) throw usageError(`--field ${path}: cannot read the path from "${path.slice(at)}" on`)
    const [, name, index, ...keys] = match
    steps.push(index !== undefined ? Number(index) : (name ?? keys.find((key) => key !== undefined))!)
  }
  return steps
}

/** The schema of a field, and its path with the rest of a map's key put together: a label's name has dots. */
function schemaOf(
  root: JsonObject,
  path: readonly Step[],
  text: string,
): { schema: JsonObject; steps: readonly Step[] } {
  let schema = root
  for (const [index, step] of path.entries()) {
    const properties = schema.properties as Readonly<Record<string, JsonObject>> | undefined
    const values = schema.additionalProperties
    if (typeof step === 'number') {
      if (!schema.items) throw usageError(`--field ${text}: ${nameOf(path, index)} is no list`)
      schema = schema.items as JsonObject
    } else if (properties) {
      if (!Object.hasOwn(properties, step)) {
        const suggestion = didYouMean(step, Object.keys(properties))
        throw usageError(`--field ${text}: ${nameOf(path, index)} has no field "${step}"${suggestion}`)
      }
      schema = properties[step]!
    } else if (typeof values === 'object') {
      return { schema: values as JsonObject, steps: [...path.slice(0, index), path.slice(index).join('.')] }
    } else if (schema.items) {
      throw usageError(`--field ${text}: ${nameOf(path, index)} is a list; write ${nameOf(path, index)}[0].${step}`)
    } else throw usageError(`--field ${text}: ${nameOf(path, index)} has no fields`)
  }
  return { schema, steps: path }
}

function nameOf(path: readonly Step[], end: number): string {
  const steps = path.slice(0, end)
  return steps
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index > 0 ? '.' : ''}${step}`))
    .join('')
}

function set(target: MutableObject, [first, ...rest]: readonly Step[], value: JsonValue, path: string): void {
  const key = String(first)
  if (Array.isArray(target) && Number(key) > target.length)
    throw usageError(`--field ${path}: give [${target.length}] first, so that the list has no holes`)
  if (rest.length === 0) {
    if (target[key] !== undefined) throw usageError(`--field ${path}: parts of it are given already`)
    target[key] = value
    return
  }
  target[key] ??= typeof rest[0] === 'number' ? [] : {}
  const next = target[key]
  if (typeof next !== 'object' || next === null) throw usageError(`--field ${path}: it is given as a whole already`)
  set(next as MutableObject, rest, value, path)
}

function convert(schema: JsonObject, text: string, path: string): JsonValue {
  const wrong = (what: string): CliError => usageError(`--field ${path}: must be ${what}, not "${text}"`)
  const { type, items } = schema
  if (schema['x-kubernetes-int-or-string']) return /^-?\d+$/.test(text) ? Number(text) : text
  switch (type) {
    case 'string': {
      const allowed = schema.enum as readonly string[] | undefined
      if (allowed && !allowed.includes(text))
        throw usageError(
          `--field ${path}: must be one of ${allowed.join(', ')}, not "${text}"${didYouMean(text, allowed)}`,
        )
      return text
    }
    case 'integer':
    case 'number': {
      const number = text.trim() === '' ? Number.NaN : Number(text)
      if (!Number.isFinite(number) || (type === 'integer' && !Number.isSafeInteger(number)))
        throw wrong(type === 'integer' ? 'a whole number' : 'a number')
      return number
    }
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw wrong('true or false')
      return text === 'true'
    case 'array': {
      if (text.startsWith('[')) return flow(text, path)
      const item = items as JsonObject
      if (item.type === 'object') throw wrong(`a list, such as ${JSON.stringify(schema.example ?? [{}])}`)
      return text === '' ? [] : text.split(',').map((part) => convert(item, part.trim(), path))
    }
    default:
      if (!text.startsWith('{')) throw wrong(`an object, such as ${JSON.stringify(schema.example ?? { key: 'value' })}`)
      return flow(text, path)
  }
}

function flow(text: string, path: string): JsonValue {
  const document = parseDocument(text, { logLevel: 'silent', prettyErrors: false })
  const [error] = document.errors
  if (error) throw usageError(`--field ${path}: ${error.message}`)
  return document.toJS() as JsonValue
}
