import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import { type ApiObject, at, deepEqual, isArray, isObject, withFields } from '../json.ts'

/** Names that others of the group have: nobody else may have them. */
export interface Taken {
  /** Plural, singular and short names. */
  readonly resources: ReadonlySet<string>
  /** Kinds and list kinds. */
  readonly kinds: ReadonlySet<string>
}

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

/**
 * The CRD with the status it should have: which names are accepted, and whether it is established. `now` is RFC 3339. Returns the same object
 * where nothing changes.
 */
export function withAcceptedNames(crd: ApiObject, taken: Taken, now: string): ApiObject {
  const wanted = names(at(crd, 'spec', 'names'))
  const had = names(at(crd, 'status', 'acceptedNames'))
  const { accepted, conflict } = decide(wanted, had, taken)
  const namesAccepted: Condition = conflict ?? {
    type: 'NamesAccepted',
    status: 'True',
    reason: 'NoConflicts',
    message: 'no conflicts found',
  }
  const status = isObject(crd.status) ? crd.status : {}
  const before = isArray(status.conditions) ? status.conditions.filter(isObject) : []
  let conditions = withCondition(before, namesAccepted, now)
  conditions = withCondition(conditions, established(before, namesAccepted.status === 'True'), now)
  const next: JsonObject = { ...status, conditions, acceptedNames: accepted }
  return deepEqual(next, status) ? crd : withFields(crd, { status: next })
}

/** Once established a CRD stays so: its old names go on being served. */
function established(before: readonly JsonObject[], accepted: boolean): Condition {
  const had = before.find((c) => c.type === 'Established')
  if (had?.status === 'True') {
    return { type: 'Established', status: 'True', reason: String(had.reason), message: String(had.message) }
  }
  return accepted
    ? {
        type: 'Established',
        status: 'True',
        reason: 'InitialNamesAccepted',
        message: 'the initial names have been accepted',
      }
    : { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
}

/** The conditions with one set; its time changes only with its status. */
export function withCondition(
  conditions: readonly JsonObject[],
  condition: Condition,
  now: string,
): readonly JsonObject[] {
  const old = conditions.find((c) => c.type === condition.type)
  const since = old?.status === condition.status ? old.lastTransitionTime : now
  const next: JsonObject = {
    type: condition.type,
    status: condition.status,
    lastTransitionTime: since ?? now,
    reason: condition.reason,
    message: condition.message,
    ...(old?.observedGeneration === undefined ? {} : { observedGeneration: old.observedGeneration }),
  }
  return old ? conditions.map((c) => (c === old ? next : c)) : [...conditions, next]
}

interface Names {
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly kind: string
  readonly listKind: string
  readonly categories: readonly string[]
}

function names(value: JsonValue | undefined): Names {
  const of = isObject(value) ? value : {}
  const text = (v: JsonValue | undefined) => (typeof v === 'string' ? v : '')
  const texts = (v: JsonValue | undefined) => (isArray(v) ? v.map(text) : [])
  return {
    plural: text(of.plural),
    singular: text(of.singular),
    shortNames: texts(of.shortNames),
    kind: text(of.kind),
    listKind: text(of.listKind),
    categories: texts(of.categories),
  }
}

/** Every name is accepted on its own where it is free; the last conflict is told. */
function decide(wanted: Names, had: Names, taken: Taken): { accepted: JsonObject; conflict: Condition | undefined } {
  let conflict: Condition | undefined
  const refuse = (reason: string, messages: readonly string[]) => {
    const message = messages.length === 1 ? (messages[0] ?? '') : `[${messages.join(', ')}]`
    conflict = { type: 'NamesAccepted', status: 'False', reason, message }
  }
  const choose = (name: 'plural' | 'singular' | 'kind' | 'listKind', reason: string, others: ReadonlySet<string>) => {
    if (wanted[name] === had[name] || !others.has(wanted[name])) return wanted[name]
    refuse(reason, [inUse(wanted[name])])
    return had[name]
  }
  const plural = choose('plural', 'PluralConflict', taken.resources)
  const singular = choose('singular', 'SingularConflict', taken.resources)
  const clashing = wanted.shortNames.filter((s) => !had.shortNames.includes(s) && taken.resources.has(s))
  if (clashing.length > 0) refuse('ShortNamesConflict', clashing.map(inUse))
  const shortNames = clashing.length > 0 ? had.shortNames : wanted.shortNames
  const kind = choose('kind', 'KindConflict', taken.kinds)
  const listKind = choose('listKind', 'ListKindConflict', taken.kinds)
  const accepted: JsonObject = {
    plural,
    ...(singular === '' ? {} : { singular }),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    kind,
    ...(listKind === '' ? {} : { listKind }),
    ...(wanted.categories.length > 0 ? { categories: wanted.categories } : {}),
  }
  return { accepted, conflict }
}

function inUse(name: string): string {
  return `${JSON.stringify(name)} is already in use`
}

/** The names that a CRD holds on to. */
export function takenBy(crds: Iterable<ApiObject>): Taken {
  const resources = new Set<string>()
  const kinds = new Set<string>()
  for (const crd of crds) {
    const n = names(at(crd, 'status', 'acceptedNames'))
    for (const r of [n.plural, n.singular, ...n.shortNames]) if (r !== '') resources.add(r)
    for (const k of [n.kind, n.listKind]) if (k !== '') kinds.add(k)
  }
  return { resources, kinds }
}
