import type { ResourceInfo } from '../resource.ts'

/** A part of a resource that has a URL of its own. */
export interface SubresourceInfo {
  readonly name: string
  /** What is sent and answered: another kind for some. */
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly verbs: readonly string[]
}

/** The subresources that a resource is served with, by name. */
export function subresourcesOf(resource: ResourceInfo): readonly SubresourceInfo[] {
  const { group, version, kind } = resource
  const found: SubresourceInfo[] = []
  if (resource.builtIn && group === '' && kind === 'Namespace') {
    found.push({ name: 'finalize', group, version, kind, verbs: ['update'] })
  }
  const verbs = ['get', 'patch', 'update']
  if (resource.hasStatus) found.push({ name: 'status', group, version, kind, verbs })
  if (resource.scale) found.push({ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs })
  return found
}
