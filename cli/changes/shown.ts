import { isMap } from '../../crds/fieldmanager/value.ts'
import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import type { Change, FieldChange } from './change.ts'
import { comparable } from './comparable.ts'
import { masked } from './mask.ts'

/** The two states of an object side by side, as they may be printed: without server metadata and status, Secrets masked. */
export interface Shown {
  readonly before: JsonObject | undefined
  readonly after: JsonObject | undefined
}

/** `all`: as the server will have it. Else only what the manifests make differ: the server's own additions are as they were. */
export function shown({ resolved, before, after, fields }: Change, all: boolean): Shown {
  const ownStatus = !resolved.resource.subresources.includes('status')
  const [left, right] = masked(before && comparable(before, ownStatus), after && comparable(after, ownStatus))
  if (all || !right) return { before: left, after: right }
  const others = fields.filter((field) => field.class !== 'yours')
  return { before: left, after: others.length === 0 ? right : (reverted(right, others) as JsonObject) }
}

/** The value with each of these fields as it was before. Steps are those of `after`, unless the field has gone. */
function reverted(value: JsonValue, fields: readonly FieldChange[], depth = 0): JsonValue {
  const here = Map.groupBy(fields, ({ steps }) => steps[depth]!)
  if (Array.isArray(value)) {
    const items = value.flatMap((item: JsonValue, index) => kept(item, here.get(index) ?? [], depth))
    return items as JsonValue
  }
  if (!isMap(value)) return value
  const entries = Object.entries(value).flatMap(([key, of]) =>
    kept(of as JsonValue, here.get(key) ?? [], depth).map((one): [string, JsonValue] => [key, one]),
  )
  const gone = [...here].flatMap(([key, [field]]) =>
    value[key] === undefined && field?.steps.length === depth + 1 && field.before !== undefined
      ? [[String(key), field.before] as const]
      : [],
  )
  return Object.fromEntries([...entries, ...gone])
}

/** Nothing where it was not there before. */
function kept(value: JsonValue, fields: readonly FieldChange[], depth: number): JsonValue[] {
  const whole = fields.find(({ steps }) => steps.length === depth + 1)
  // A field that has gone is put back beside what has its place in a list now; which of the two is meant nobody can tell apart.
  if (whole) return whole.after === undefined ? [value] : whole.before === undefined ? [] : [whole.before]
  return [fields.length === 0 ? value : reverted(value, fields, depth + 1)]
}
