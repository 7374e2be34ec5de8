import type { JsonObject } from '../../crds/metadata.ts'
import type { ResourceInfo } from '../resource.ts'
import { type Document, jsonDocument, withEtag } from './document.ts'
import { subresourcesOf } from './subresources.ts'

export type AggregatedVersion = 'v2' | 'v2beta1'

/** One group with its resources by version, best version first. */
export interface ServedGroup {
  readonly name: string
  readonly versions: readonly { readonly version: string; readonly resources: readonly ResourceInfo[] }[]
}

/** apidiscovery.k8s.io: everything about the groups in one document. */
export function aggregatedDocument(groups: readonly ServedGroup[], version: AggregatedVersion): Document {
  const list = {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(groupDiscovery),
  }
  return withEtag(jsonDocument(list, `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`))
}

function groupDiscovery({ name, versions }: ServedGroup): JsonObject {
  return {
    metadata: name === '' ? {} : { name },
    versions: versions.map(({ version, resources }) => ({
      version,
      resources: resources.map(resourceDiscovery),
      freshness: 'Current',
    })),
  }
}

function resourceDiscovery(resource: ResourceInfo): JsonObject {
  const { group, version, kind, plural, singular, namespaced, verbs, shortNames, categories } = resource
  const subresources = subresourcesOf(resource).map((of) => ({
    subresource: of.name,
    responseKind: { group: of.group, version: of.version, kind: of.kind },
    verbs: of.verbs,
  }))
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 && { shortNames }),
    ...(categories.length > 0 && { categories }),
    ...(subresources.length > 0 && { subresources }),
  }
}
