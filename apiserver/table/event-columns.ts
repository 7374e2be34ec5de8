import type { KubeObject } from '../../crds/metadata.ts'
import { type Columns, column, describeField, nameColumn, textAt, valueAt } from './columns.ts'
import { age } from './duration.ts'

const EVENT = 'io.k8s.api.core.v1.Event'

/** Events, whether core's or events.k8s.io's, which names some fields otherwise. */
export function eventColumns(): Columns {
  const of = (field: string): string => describeField(EVENT, field)
  return {
    definitions: [
      column('Last Seen', of('lastTimestamp')),
      column('Type', of('type')),
      column('Reason', of('reason')),
      column('Object', of('involvedObject')),
      column('Subobject', describeField('io.k8s.api.core.v1.ObjectReference', 'fieldPath'), { priority: 1 }),
      column('Source', of('source'), { priority: 1 }),
      column('Message', of('message')),
      column('First Seen', of('firstTimestamp'), { priority: 1 }),
      column('Count', of('count'), { priority: 1 }),
      nameColumn({ priority: 1 }),
    ],
    cells: (event, now) => {
      const about = valueAt(event, 'involvedObject') === undefined ? 'regarding' : 'involvedObject'
      const { first, last, count } = occurrences(event, now)
      return [
        last,
        textAt(event, 'type'),
        textAt(event, 'reason'),
        target(event, about),
        textAt(event, about, 'fieldPath'),
        source(event),
        (textAt(event, 'message') || textAt(event, 'note')).trim(),
        first,
        count,
        event.metadata.name ?? '',
      ]
    },
  }
}

function occurrences(
  event: KubeObject,
  now: Date,
): { readonly first: string; readonly last: string; readonly count: number } {
  const firstTime = textAt(event, 'firstTimestamp') || textAt(event, 'deprecatedFirstTimestamp')
  const lastTime = textAt(event, 'lastTimestamp') || textAt(event, 'deprecatedLastTimestamp')
  const first = age(firstTime || textAt(event, 'eventTime'), now)
  if (valueAt(event, 'series') !== undefined) {
    const last = age(textAt(event, 'series', 'lastObservedTime'), now)
    return { first, last, count: numberAt(event, 'series', 'count') }
  }
  const count = numberAt(event, 'count') || numberAt(event, 'deprecatedCount') || 1
  return { first, last: lastTime ? age(lastTime, now) : first, count }
}

function numberAt(event: KubeObject, ...path: readonly string[]): number {
  const value = valueAt(event, ...path)
  return typeof value === 'number' ? value : 0
}

function target(event: KubeObject, about: string): string {
  const kind = textAt(event, about, 'kind').toLowerCase()
  const name = textAt(event, about, 'name')
  return name === '' ? kind : `${kind}/${name}`
}

function source(event: KubeObject): string {
  const from = (field: string): string => textAt(event, 'source', field) || textAt(event, 'deprecatedSource', field)
  const component = from('component') || textAt(event, 'reportingComponent') || textAt(event, 'reportingController')
  const instance = from('host') || textAt(event, 'reportingInstance')
  return instance === '' ? component : `${component}, ${instance}`
}
