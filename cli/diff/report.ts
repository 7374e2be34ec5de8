import type { JsonObject } from '../../crds/metadata.ts'
import type { Orphan } from '../applyset/orphans.ts'
import type { Change, FieldChange } from '../changes/change.ts'
import { comparable } from '../changes/comparable.ts'
import { keptFields } from '../changes/kept-fields.ts'
import { masked } from '../changes/mask.ts'
import { shown } from '../changes/shown.ts'
import { type Place, placeText } from '../manifests/source-text.ts'
import { printYaml } from '../output/yaml.ts'
import { unifiedDiff } from './unified.ts'

/** One object that differs. Nothing in it is secret. */
export interface Entry {
  readonly action: 'create' | 'update' | 'prune'
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string | undefined
  readonly name: string
  /** Where it is written; undefined of what is pruned. */
  readonly place: Place | undefined
  readonly source: Change['source']
  readonly before: JsonObject | undefined
  readonly after: JsonObject | undefined
  readonly fields: readonly FieldChange[]
  /** Unified, without head lines. */
  readonly diff: string
}

/** A member of the set that the manifests do not have, and that stays. */
export interface KeptOrphan {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string | undefined
  readonly name: string
  /** What is to be said after "it". */
  readonly reason: string
}

export interface Report {
  readonly entries: readonly Entry[]
  readonly kept: readonly KeptOrphan[]
  readonly unchanged: number
  /** Whether applying would change anything, rather than merely something being shown. */
  readonly different: boolean
}

export interface ReportOptions {
  readonly all: boolean
  readonly prune: boolean
  readonly fieldManager: string
}

export function reportOf(changes: readonly Change[], orphans: readonly Orphan[], options: ReportOptions): Report {
  const entries = changes.flatMap((change) => entryOf(change, options))
  const goes = orphans.filter(({ keep }) => options.prune && keep === undefined)
  const kept = orphans
    .filter((orphan) => !goes.includes(orphan))
    .map(({ object, keep }) => ({
      ...identity(object),
      reason: keep ?? 'would be pruned with --prune',
    }))
  return {
    entries: [...entries, ...goes.map(prunedEntry)],
    kept,
    unchanged: changes.length - entries.length,
    different: goes.length > 0 || changes.some(({ action }) => action !== 'unchanged'),
  }
}

function entryOf(change: Change, { all, fieldManager }: ReportOptions): Entry[] {
  const { before, after } = shown(change, all)
  const diff = diffOf(before, after)
  if (diff === '' && change.action !== 'create') return []
  const { resolved, action, source } = change
  const fields = change.fields.filter((field) => all || field.class === 'yours')
  return [
    {
      ...identity(resolved.object),
      namespace: resolved.resource.namespaced ? resolved.object.metadata.namespace : undefined,
      action: action === 'create' ? 'create' : 'update',
      place: resolved.manifest.place,
      source,
      before,
      after,
      fields: all ? [...fields, ...keptFields(change, fieldManager)] : fields,
      diff,
    },
  ]
}

function prunedEntry({ object }: Orphan): Entry {
  const [before] = masked(comparable(object), undefined)
  return {
    ...identity(object),
    action: 'prune',
    place: undefined,
    source: 'server',
    before,
    after: undefined,
    fields: [],
    diff: diffOf(before, undefined),
  }
}

const diffOf = (before: JsonObject | undefined, after: JsonObject | undefined) =>
  unifiedDiff(before ? printYaml(before) : '', after ? printYaml(after) : '')

const identity = ({ apiVersion, kind, metadata }: Orphan['object']) => ({
  apiVersion,
  kind,
  namespace: metadata.namespace,
  name: metadata.name ?? '',
})

/** `site.fleet.weir.dev/fra1`, as kubectl names objects. */
export function objectRef({ apiVersion, kind, name }: Pick<Entry, 'apiVersion' | 'kind' | 'name'>): string {
  const group = apiVersion.includes('/') ? `.${apiVersion.slice(0, apiVersion.indexOf('/'))}` : ''
  return `${kind.toLowerCase()}${group}/${name}`
}

/** `fleet.weir.dev.v1alpha1.Site.edge.fra1`, as kubectl's diff names files. */
export function fileLabel({ apiVersion, kind, namespace, name }: Entry): string {
  return [...apiVersion.split('/'), kind, ...(namespace === undefined ? [] : [namespace]), name].join('.')
}

/** `1 to create, 2 to change, 497 unchanged`. */
export function summaryText({ entries, kept, unchanged }: Report): string {
  const count = (action: Entry['action']) => entries.filter((entry) => entry.action === action).length
  const parts: [number, string][] = [
    [count('create'), 'to create'],
    [count('update'), 'to change'],
    [count('prune'), 'to prune'],
    [kept.length, kept.length === 1 ? 'orphan kept' : 'orphans kept'],
    [unchanged, 'unchanged'],
  ]
  return parts
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${number} ${what}`)
    .join(', ')
}

export const placeOf = (place: Place | undefined) => (place === undefined ? '' : placeText(place))
