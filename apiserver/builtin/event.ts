import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { invalid, required } from '../../crds/validation/errors.ts'
import type { FieldError } from '../../crds/validation/field-error.ts'
import { pathOf } from '../../crds/validation/field-path.ts'
import { qualifiedName } from '../../crds/validation/names.ts'
import { type ApiObject, asObject, at, deepEqual, isObject } from '../json.ts'
import { type BuiltInKind, builtInStrategy } from './built-in.ts'

/** Kubernetes checks Event names as part of no URL only; anything that can be a path segment will do. */
const referenceFields = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath']

export const coreEvent: BuiltInKind = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  selectableFields: [
    ...referenceFields.map((f) => `involvedObject.${f}`),
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  validate: (object) => legacyErrors(object, 'reportingComponent'),
  strategy: {
    allowCreateOnUpdate: true,
    selectableField: (object, field) =>
      field === 'source' ? String(at(object, 'source', 'component') ?? '') : base.selectableField(object, field),
  },
}
const base = builtInStrategy({ ...coreEvent, strategy: {} })

/** events.k8s.io: the same objects as core events, by other names. */
export const newEvent: BuiltInKind = {
  ...coreEvent,
  group: 'events.k8s.io',
  selectableFields: [...referenceFields.map((f) => `regarding.${f}`), 'reason', 'reportingController', 'type'],
  validate: (object) => legacyErrors(toCore(object), 'reportingController'),
  validateUpdate: immutableErrors,
  strategy: {
    allowCreateOnUpdate: true,
    validateCreate: (object) => {
      const strict = builtInStrategy({ ...newEvent, strategy: {} })
      return [...strict.validateCreate(object), ...strictErrors(object)]
    },
  },
}

/** Field names of core events and what events.k8s.io calls them. */
const renamed = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
  ['reportingComponent', 'reportingController'],
] as const

export function toCore(event: ApiObject): ApiObject {
  const names = Object.fromEntries(renamed.map(([core, recent]) => [recent, core]))
  return rename(event, names, 'v1')
}

export function fromCore(event: ApiObject): ApiObject {
  return rename(event, Object.fromEntries(renamed), 'events.k8s.io/v1')
}

function rename(event: ApiObject, names: Readonly<Record<string, string>>, apiVersion: string): ApiObject {
  const result: Record<string, JsonValue | undefined> = {}
  for (const [field, value] of Object.entries(event)) result[names[field] ?? field] = value
  result.apiVersion = apiVersion
  return asObject(result as unknown as ApiObject)
}

/** What events of both APIs must be. `event` in core's spelling. */
function legacyErrors(event: ApiObject, reportingField: string): FieldError[] {
  const namespace = event.metadata.namespace ?? ''
  const about = isObject(event.involvedObject) ? text(event.involvedObject.namespace) : ''
  const mismatch = invalid(pathOf(['involvedObject', 'namespace']), about, 'does not match event.namespace')
  if (!event.eventTime) {
    const right = about === '' ? namespace === '' || namespace === 'default' : about === namespace
    return right ? [] : [mismatch]
  }
  const errors: FieldError[] = []
  if (about === '' && namespace !== 'default' && namespace !== 'kube-system') errors.push(mismatch)
  const controller = text(event.reportingComponent)
  if (controller === '') errors.push(required(pathOf([reportingField]), ''))
  for (const m of qualifiedName(controller)) errors.push(invalid(pathOf([reportingField]), controller, m))
  const bounded = (field: string, limit: number, needed: boolean) => {
    const value = text(event[field])
    if (needed && value === '') errors.push(required(pathOf([field]), ''))
    if (value.length > limit) errors.push(invalid(pathOf([field]), '', `can have at most ${limit} characters`))
  }
  bounded('reportingInstance', 128, true)
  bounded('action', 128, true)
  bounded('reason', 128, true)
  bounded('message', 1024, false)
  return errors
}

/** What only events.k8s.io demands of a new event. */
function strictErrors(event: ApiObject): FieldError[] {
  const errors: FieldError[] = []
  if (!event.eventTime) errors.push(required(pathOf(['eventTime']), ''))
  if (event.type !== 'Normal' && event.type !== 'Warning') {
    errors.push(invalid(pathOf(['type']), '', `has invalid value: ${text(event.type)}`))
  }
  errors.push(...seriesErrors(event))
  const unset = ['firstTimestamp', 'lastTimestamp', 'count', 'source']
  const core = toCore(event)
  for (const field of unset) {
    const value = core[field]
    const empty = !value || (isObject(value) && Object.keys(value).length === 0)
    if (!empty) errors.push(invalid(pathOf([field]), '', 'needs to be unset'))
  }
  return errors
}

function seriesErrors(event: ApiObject): FieldError[] {
  if (!isObject(event.series)) return []
  const errors: FieldError[] = []
  const { count, lastObservedTime } = event.series
  if (typeof count !== 'number' || count < 2)
    errors.push(invalid(pathOf(['series', 'count']), '', 'should be at least 2'))
  if (!lastObservedTime) errors.push(required(pathOf(['series', 'lastObservedTime']), ''))
  return errors
}

const fixed = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'action',
  'related',
  'reportingComponent',
  'reportingInstance',
]

function immutableErrors(object: ApiObject, old: ApiObject): FieldError[] {
  const now: JsonObject = toCore(object)
  const before: JsonObject = toCore(old)
  const errors = deepEqual(now.series, before.series) ? [] : seriesErrors(object)
  for (const field of fixed) {
    if (!deepEqual(now[field], before[field])) errors.push(invalid(pathOf([field]), now[field], 'field is immutable'))
  }
  return errors
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}
