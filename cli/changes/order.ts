import type { KubeObject } from '../../crds/metadata.ts'

/** What others refer to comes first; kinds that are not here come last. */
const ORDER = [
  'Namespace',
  'CustomResourceDefinition',
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'ConfigMap',
  'Secret',
  'HardwareClass',
  'Site',
  'Appliance',
  'Catalog',
  'PlacementPolicy',
]

/** Where a kind comes in the order of applying; deleting goes the other way. */
export function rankOf({ kind }: KubeObject): number {
  const rank = ORDER.indexOf(kind)
  return rank < 0 ? ORDER.length : rank
}
