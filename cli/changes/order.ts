import type { JsonObject, KubeObject } from '../../crds/metadata.ts'

type Body = KubeObject & JsonObject

/** What others refer to comes first; kinds that are not here come after these. */
const ORDER = [
  'Namespace',
  'CustomResourceDefinition',
  'PriorityClass',
  'ResourceQuota',
  'LimitRange',
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'ConfigMap',
  'Secret',
  'StorageClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'HardwareClass',
  'Site',
  'Appliance',
  'Catalog',
  'PlacementPolicy',
  'SteeringPolicy',
]

/** What would judge, or serve, everything that is applied after it. */
const LAST = ['APIService', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']

/** Where a kind comes in the order of applying; deleting goes the other way. */
export function rankOf({ kind }: KubeObject): number {
  const rank = ORDER.indexOf(kind)
  if (rank >= 0) return rank
  return LAST.includes(kind) ? ORDER.length + 1 : ORDER.length
}

/**
 * Parts items into waves: those of a wave do not need each other, but may need what is in waves before. Within a wave the order is kept.
 * Sites come after their parents.
 */
export function inWaves<T>(items: readonly T[], objectOf: (item: T) => Body): T[][] {
  const depths = siteDepths(items.map(objectOf))
  const waves = Map.groupBy(items, (item) => {
    const object = objectOf(item)
    // No chain of parents is as long as this.
    return rankOf(object) * 1e6 + (isSite(object) ? (depths.get(siteKey(object)) ?? 0) : 0)
  })
  return [...waves].sort(([a], [b]) => a - b).map(([, wave]) => wave)
}

const isSite = ({ apiVersion, kind }: KubeObject) => kind === 'Site' && apiVersion.startsWith('fleet.weir.dev/')

const siteKey = ({ metadata }: KubeObject) => `${metadata.namespace ?? ''}/${metadata.name}`

/** How many Sites of the same set are above each Site. Where they form a circle, it is broken somewhere. */
function siteDepths(objects: readonly Body[]): ReadonlyMap<string, number> {
  const sites = new Map(objects.filter(isSite).map((site) => [siteKey(site), site]))
  const depths = new Map<string, number>()
  const depthOf = (key: string, site: Body): number => {
    const known = depths.get(key)
    if (known !== undefined) return known
    depths.set(key, 0)
    const above = parentKeys(site).flatMap((parent) => {
      const found = sites.get(parent)
      return found ? [depthOf(parent, found) + 1] : []
    })
    const depth = Math.max(0, ...above)
    depths.set(key, depth)
    return depth
  }
  for (const [key, site] of sites) depthOf(key, site)
  return depths
}

function parentKeys({ spec, metadata }: Body): string[] {
  const parents = (spec as JsonObject | undefined)?.parents
  if (!Array.isArray(parents)) return []
  return parents.map((parent) => {
    const { name, namespace } = Object(parent) as { name?: string; namespace?: string }
    return `${namespace ?? metadata.namespace ?? ''}/${name}`
  })
}
