import type { JsonObject } from '../../crds/metadata.ts'
import type { ResourceInfo } from '../resource.ts'
import type { ServedGroup } from './aggregated.ts'
import { subresourcesOf } from './subresources.ts'

/** `/api` */
export function apiVersions(core: ServedGroup | undefined, serverAddress: string): JsonObject {
  return {
    kind: 'APIVersions',
    versions: core ? core.versions.map(({ version }) => version) : [],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  }
}

/** `/apis` */
export function apiGroupList(groups: readonly ServedGroup[]): JsonObject {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupFields) }
}

/** `/apis/G` */
export function apiGroup(group: ServedGroup): JsonObject {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupFields(group) }
}

function groupFields({ name, versions }: ServedGroup): JsonObject {
  const listed = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: listed, ...(listed[0] && { preferredVersion: listed[0] }) }
}

/** `/api/v1`, `/apis/G/V` */
export function apiResourceList(groupVersion: string, resources: readonly ResourceInfo[]): JsonObject {
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: resources.flatMap(apiResources) }
}

function apiResources(resource: ResourceInfo): JsonObject[] {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories, storageVersionHash } = resource
  const own: JsonObject = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(storageVersionHash !== undefined && { storageVersionHash }),
  }
  const parts = subresourcesOf(resource).map((of) => ({
    name: `${plural}/${of.name}`,
    singularName: '',
    namespaced,
    ...(of.group !== resource.group && { group: of.group, version: of.version }),
    kind: of.kind,
    verbs: of.verbs,
  }))
  return [own, ...parts]
}
