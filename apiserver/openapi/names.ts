import type { ResourceInfo } from '../resource.ts'
import { builtInDefinitionName } from './kubernetes.ts'

/** Where OpenAPI v3 documents keep their schemas. */
export const V3_PREFIX = '#/components/schemas/'

/** `fleet.weir.dev`, `v1`, `Site` → `dev.weir.fleet.v1.Site` */
export function customDefinitionName(group: string, version: string, kind: string): string {
  return [...group.split('.').reverse(), version, kind].join('.')
}

export function definitionName(resource: ResourceInfo): string {
  const { group, version, kind, builtIn } = resource
  return (
    (builtIn ? builtInDefinitionName(group, version, kind) : undefined) ?? customDefinitionName(group, version, kind)
  )
}

export function listDefinitionName(resource: ResourceInfo): string {
  const { group, version, listKind, builtIn } = resource
  return (
    (builtIn ? builtInDefinitionName(group, version, listKind) : undefined) ??
    customDefinitionName(group, version, listKind)
  )
}

/** The path of a group version: `api/v1`, `apis/fleet.weir.dev/v1alpha1`. */
export function groupVersionPath(group: string, version: string): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`
}

/** As operations name a group version: `FleetWeirDevV1alpha1`, `CoreV1`, `RbacAuthorizationV1`. */
export function operationGroup(group: string, version: string): string {
  return [...groupParts(group), version].map(title).join('')
}

/** As tags name it: `fleetWeirDev_v1alpha1`, `core_v1`. */
export function tagOf(group: string, version: string): string {
  const [first = '', ...rest] = groupParts(group)
  return `${first}${rest.map(title).join('')}_${version}`
}

function groupParts(group: string): string[] {
  return (group === '' ? 'core' : group.replace(/\.k8s\.io$/, '')).split(/[^0-9A-Za-z]+/)
}

function title(part: string): string {
  return part.charAt(0).toUpperCase() + part.slice(1)
}
