import type { KubeObject } from '../../crds/metadata.ts'
import type { Resolved } from '../changes/resolve.ts'
import { manifestError } from '../manifests/problem.ts'
import { PART_OF_LABEL } from './id.ts'
import { type ApplySet, groupKind, type Scope } from './parent.ts'

/** The manifests' objects with the label of the set. Throws exit code 2 where a manifest sets the label by itself, and `so`, what that means. */
export function asMembers(set: ApplySet, objects: readonly Resolved[], so = ''): Resolved[] {
  const problems = objects.flatMap(({ manifest }) => {
    const own = manifest.object.metadata.labels?.[PART_OF_LABEL]
    if (own === undefined || own === set.id) return []
    const message = 'is what --applyset sets, and this is another set’s; leave it out'
    const path = ['metadata', 'labels', PART_OF_LABEL]
    return [manifest.problem('invalid', path, 'value', message, `metadata.labels[${PART_OF_LABEL}]`)]
  })
  if (problems.length > 0) throw manifestError(problems, so)
  return objects.map((resolved) => {
    const { metadata } = resolved.object
    const labels = { ...metadata.labels, [PART_OF_LABEL]: set.id }
    const object = { ...resolved.object, metadata: { ...metadata, labels } } as KubeObject as Resolved['object']
    // Labels that are no map are sent as they are, for the server to refuse.
    return typeof (metadata.labels ?? {}) === 'object' ? { ...resolved, object } : resolved
  })
}

/** Where the objects of the manifests are. */
export function scopeOf(set: ApplySet, objects: readonly Pick<Resolved, 'resource' | 'object'>[]): Scope {
  const { namespace } = set.key
  return {
    kinds: new Set(objects.map(({ resource }) => groupKind(resource))),
    namespaces: new Set([
      ...objects.flatMap(({ resource, object }) => (resource.namespaced ? (object.metadata.namespace ?? []) : [])),
      ...(namespace === undefined ? [] : [namespace]),
    ]),
  }
}
