import { eachField } from '../../crds/fieldmanager/field-set.ts'
import { decodeManaged } from '../../crds/fieldmanager/managed.ts'
import { keyElement, type PathElement, valueElement } from '../../crds/fieldmanager/path-element.ts'
import { isList, isMap, type Value } from '../../crds/fieldmanager/value.ts'
import type { JsonObject } from '../../crds/metadata.ts'
import type { Change, FieldChange } from './change.ts'
import { comparable } from './comparable.ts'
import { pathText } from './field-changes.ts'
import { LAST_APPLIED, masked } from './mask.ts'

type Step = string | number

/** Fields that others own, that the manifest does not set, and that would stay as they are. */
export function keptFields({ resolved, after, fields }: Change, fieldManager: string): FieldChange[] {
  if (!after) return []
  const differing = new Set(fields.map(({ path }) => path))
  const [object] = masked(comparable(after), undefined)
  const found = new Map<string, FieldChange>()
  for (const { id, set } of managedOf(after.metadata).values()) {
    if (id.subresource !== '' || id.manager === fieldManager) continue
    eachField(set, (elements) => {
      const steps = stepsOf(object!, elements)
      const value = steps && valueAt(object!, steps)
      // A field with fields in it is told by those.
      if (!steps || value === undefined || (isMap(value) && Object.keys(value).length > 0)) return
      if (valueAt(resolved.object, steps) !== undefined) return
      // kubectl's copy of what it applied says all of it once more.
      if (steps.at(-1) === LAST_APPLIED) return
      const path = pathText(steps)
      if (differing.has(path) || found.has(path)) return
      found.set(path, { path, steps, before: value, after: value, class: 'foreign', manager: id.manager })
    })
  }
  return [...found.values()]
}

function managedOf({ managedFields }: { readonly managedFields?: Parameters<typeof decodeManaged>[0] }) {
  try {
    return decodeManaged(managedFields)
  } catch {
    return new Map<string, never>()
  }
}

/** The way to a field in an object as it is; undefined where it is not there (any more). */
function stepsOf(object: JsonObject, elements: readonly PathElement[]): Step[] | undefined {
  const steps: Step[] = []
  let value: Value = object
  for (const element of elements) {
    const step: Step | undefined = stepOf(value, element)
    if (step === undefined) return undefined
    steps.push(step)
    value = (value as Readonly<Record<Step, Value>>)[step]
  }
  return steps
}

function stepOf(value: Value, element: PathElement): Step | undefined {
  if (element.startsWith('f:'))
    return isMap(value) && value[element.slice(2)] !== undefined ? element.slice(2) : undefined
  if (!isList(value)) return undefined
  if (element.startsWith('i:')) return Number(element.slice(2))
  const index = value.findIndex((item) => {
    if (element.startsWith('v:')) return valueElement(item) === element
    const keys = Object.keys(JSON.parse(element.slice(2)) as object)
    return isMap(item) && keyElement(keys.map((key) => [key, item[key] ?? null])) === element
  })
  return index < 0 ? undefined : index
}

function valueAt(object: Value, steps: readonly Step[]): Value {
  let value: Value = object
  for (const step of steps) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Readonly<Record<Step, Value>>)[step]
  }
  return value
}
