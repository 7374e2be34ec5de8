import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import type { Orphan } from '../applyset/orphans.ts'
import type { Change, FieldChange } from '../changes/change.ts'
import { visibleLine } from '../output/escape.ts'
import { printJson } from '../output/json.ts'
import { type PlannedEvent, type PlannedField, placeOf, refOf } from './events.ts'
import { refName } from './reporter.ts'

/** What is going to be done with every object, in the order of doing it; deletions last. */
export function plannedEvents(changes: readonly Change[], orphans: readonly Orphan[]): PlannedEvent[] {
  const applied = changes.map((change): PlannedEvent => {
    const { resolved, before } = change
    const fields = change.action === 'update' ? change.fields.map(plannedField) : []
    return {
      type: 'planned',
      action: change.action,
      object: refOf(before ?? resolved.object),
      manifest: placeOf(resolved.manifest.place),
      ...(fields.length > 0 ? { fields } : {}),
    }
  })
  const pruned = orphans.map(
    ({ object, keep }): PlannedEvent => ({
      type: 'planned',
      action: keep === undefined ? 'prune' : 'keep',
      object: refOf(object),
      ...(keep === undefined ? {} : { reason: keep }),
    }),
  )
  return [...applied, ...pruned]
}

const plannedField = ({ path, before, after, class: of, manager }: FieldChange): PlannedField => ({
  path,
  class: of,
  before: before ?? null,
  after: after ?? null,
  ...(manager === undefined ? {} : { manager }),
})

/** More lines than this help nobody to decide. Deletions are all shown. */
const SHOWN_CHANGES = 50
const SHOWN_FIELDS = 5
const SHOWN_VALUE = 60

/** The plan as it is shown to whoever has to agree to it. */
export function planText(planned: readonly PlannedEvent[]): string {
  const changed = planned.filter(({ action }) => action === 'create' || action === 'update')
  const lines = changed.slice(0, SHOWN_CHANGES).flatMap(changeLines)
  if (changed.length > SHOWN_CHANGES) lines.push(`… and ${changed.length - SHOWN_CHANGES} more`)
  for (const { action, object, reason } of planned) {
    const name = `${refName(object)}${object.namespace === undefined ? '' : ` in ${object.namespace}`}`
    if (action === 'prune') lines.push(`- ${name}${object.kind === 'Namespace' ? ', with everything in it' : ''}`)
    else if (action === 'keep') lines.push(`  ${name} is kept: it ${reason}`)
  }
  return `${[...lines.map(visibleLine), countsText(planned)].join('\n')}\n`
}

function changeLines({ action, object, manifest, fields = [] }: PlannedEvent): string[] {
  const place = manifest === undefined ? '' : `  ${manifest.file}:${manifest.line}`
  const sign = action === 'create' ? '+' : '~'
  const yours = fields.filter((field) => field.class === 'yours')
  const more = yours.length - SHOWN_FIELDS
  return [
    `${sign} ${refName(object)}${object.namespace === undefined ? '' : ` in ${object.namespace}`}${place}`,
    ...yours
      .slice(0, SHOWN_FIELDS)
      .map(({ path, before, after }) => `    ${path}: ${valueText(before)} → ${valueText(after)}`),
    ...(more > 0 ? [`    … and ${more} more fields`] : []),
  ]
}

function valueText(value: JsonValue | JsonObject): string {
  if (value === null) return '-'
  const text = printJson(value, '')
  return text.length > SHOWN_VALUE ? `${text.slice(0, SHOWN_VALUE)}…` : text
}

function countsText(planned: readonly PlannedEvent[]): string {
  const count = (action: PlannedEvent['action']) => planned.filter((event) => event.action === action).length
  const parts: [number, string][] = [
    [count('create'), 'to create'],
    [count('update'), 'to change'],
    [count('prune'), 'to delete'],
    [count('keep'), 'kept'],
    [count('unchanged'), 'unchanged'],
  ]
  return parts
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${number} ${what}`)
    .join(', ')
}
