import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { PART_OF_LABEL } from './id.ts'
import type { Member } from './members.ts'
import { type ApplySet, groupKind } from './parent.ts'

/** A member that the manifests do not have any more. */
export interface Orphan extends Member {
  /** Why pruning leaves it alone; undefined: it is deleted. */
  readonly keep: string | undefined
}

/** An object that is to stay: one of the manifests'. `uid`: where the object exists. */
export interface Wanted {
  readonly resource: Member['resource']
  readonly object: KubeObject & JsonObject
  readonly uid?: string
}

/** The members that nobody wants any more, and of each whether it may be deleted. Pure. */
export function orphansOf(set: ApplySet, members: readonly Member[], wanted: readonly Wanted[]): Orphan[] {
  // An object may be served by several groups: then its uid tells that it is the same.
  const uids = new Set(wanted.flatMap(({ uid }) => uid ?? []))
  const names = new Set(wanted.map(({ resource, object }) => nameOf(resource, object)))
  return members
    .filter(({ resource, object }) => !uids.has(object.metadata.uid ?? '') && !names.has(nameOf(resource, object)))
    .map((member) => ({ ...member, keep: keepReason(member.object, set) ?? holds(member, set, wanted) }))
}

const nameOf = (resource: Member['resource'], { metadata }: KubeObject) =>
  `${groupKind(resource)}/${metadata.namespace ?? ''}/${metadata.name}`

/** Annotations by which Weir and the tools beside it know what must not be pruned. A list's value is one of several between commas. */
const PROTECTIONS: readonly { readonly annotation: string; readonly value: string; readonly list?: true }[] = [
  { annotation: 'weir.dev/prune', value: 'disabled' },
  { annotation: 'argocd.argoproj.io/sync-options', value: 'Prune=false', list: true },
  { annotation: 'kustomize.toolkit.fluxcd.io/prune', value: 'disabled' },
  { annotation: 'helm.sh/resource-policy', value: 'keep', list: true },
  { annotation: 'cli-utils.sigs.k8s.io/on-remove', value: 'keep' },
  { annotation: 'client.lifecycle.config.k8s.io/deletion', value: 'detach' },
]

/** Why an object itself says that it is not to be pruned; undefined where nothing does. */
export function keepReason({ metadata }: KubeObject, { id }: Pick<ApplySet, 'id'>): string | undefined {
  const { annotations = {}, labels = {}, ownerReferences = [], deletionTimestamp } = metadata
  if (labels[PART_OF_LABEL] !== id) return 'is not part of the set any more'
  for (const { annotation, value, list } of PROTECTIONS) {
    const found = annotations[annotation]
    const values = list ? found?.split(',').map((part) => part.trim()) : [found]
    if (values?.includes(value)) return `has the annotation ${annotation}: ${value}`
  }
  // Controllers copy labels to what they make, such as a Service's to its EndpointSlices.
  const owner = ownerReferences.find(({ controller }) => controller)
  if (owner) return `belongs to ${owner.kind} ${owner.name}`
  return deletionTimestamp === undefined ? undefined : 'is being deleted already'
}

/** Why an object has to stay for the sake of others: what is deleted with it. */
function holds({ resource, object }: Member, set: ApplySet, wanted: readonly Wanted[]): string | undefined {
  const { name } = object.metadata
  if (groupKind(resource) === 'Namespace') {
    if (set.key.namespace === name) return 'holds the inventory of the set'
    const inside = wanted.find((other) => other.object.metadata.namespace === name)
    if (inside) return `holds ${inside.object.kind} ${inside.object.metadata.name}, which is to stay`
  }
  if (groupKind(resource) === 'CustomResourceDefinition.apiextensions.k8s.io') {
    const defined = wanted.find((other) => `${other.resource.plural}.${other.resource.group}` === name)
    if (defined) return `defines the kind of ${defined.object.kind} ${defined.object.metadata.name}, which is to stay`
  }
  const own = groupKind(resource) === groupKind(set.resource) && name === set.key.name
  if (own && (object.metadata.namespace ?? '') === (set.key.namespace ?? '')) return 'is the inventory of the set'
  return undefined
}
