import type { KubeObject } from '../../crds/metadata.ts'
import { printYaml } from './yaml.ts'

/**
 * Objects as a YAML file, one document each, in the order given, as `kubectl` and `weir` read them. Fields that are undefined are left out.
 * Throws a TypeError that names the field for what YAML could not carry to an API server: NaN, infinities, numbers beyond 2^53, bigints,
 * functions, dates and other class instances, and objects that contain themselves.
 */
export function toYaml(objects: KubeObject | Iterable<KubeObject>): string {
  const list = isIterable(objects) ? [...objects] : [objects]
  return list
    .map((object, index) => {
      check(object, list.length > 1 ? `[${index}]` : '', new Set())
      return printYaml(object, 'given')
    })
    .join('---\n')
}

const isIterable = (value: object): value is Iterable<KubeObject> => Symbol.iterator in value

function check(value: unknown, path: string, above: ReadonlySet<unknown>): void {
  if (value === undefined || value === null || typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refusal(path, `${value} is not a number that YAML can carry`)
    if (Number.isInteger(value) && !Number.isSafeInteger(value))
      throw refusal(path, `${value} is beyond 2^53, where integers are no longer exact`)
    return
  }
  if (typeof value !== 'object') throw refusal(path, `a ${typeof value} is not JSON`)
  if (above.has(value)) throw refusal(path, 'it contains itself')
  const inside = new Set(above).add(value)
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      if (item === undefined) throw refusal(`${path}[${index}]`, 'undefined is not JSON')
      check(item, `${path}[${index}]`, inside)
    }
    return
  }
  const prototype = Object.getPrototypeOf(value)
  // Objects of another realm, such as a test runner's, have another Object.prototype; what is above it is null in every realm.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw refusal(path, `a ${value.constructor?.name ?? 'class instance'} is not JSON`)
  for (const [key, part] of Object.entries(value)) check(part, path === '' ? key : `${path}.${key}`, inside)
}

const refusal = (path: string, what: string) => new TypeError(`cannot be written as YAML: ${path || 'object'}: ${what}`)
