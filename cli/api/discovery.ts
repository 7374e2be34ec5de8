import type { IncomingHttpHeaders } from 'node:http'
import type { Client } from '../../runtime/client/client.ts'
import type { Resource } from '../../runtime/client/resource.ts'
import { ApiError } from '../../runtime/errors.ts'

/** A resource that the server serves at one version. */
export interface ServedResource extends Resource {
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly verbs: readonly string[]
  readonly subresources: readonly string[]
}

/** Everything that the server serves, the versions that it prefers first. */
export interface Discovery {
  readonly resources: readonly ServedResource[]
  /** Where it takes many requests in one, of servers that do. */
  readonly batchPath?: string
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

interface AggregatedList {
  readonly kind?: string
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string }
    readonly versions?: readonly {
      readonly version: string
      readonly resources?: readonly {
        readonly resource: string
        readonly responseKind?: { readonly kind?: string }
        readonly scope: 'Namespaced' | 'Cluster'
        readonly singularResource?: string
        readonly shortNames?: readonly string[]
        readonly categories?: readonly string[]
        readonly verbs: readonly string[]
        readonly subresources?: readonly { readonly subresource: string }[]
      }[]
    }[]
  }[]
}

/** Asks the server what it serves: two requests, or one per group version of servers that do not aggregate. */
export async function discover(client: Client, signal?: AbortSignal): Promise<Discovery> {
  const request = { accept: `${AGGREGATED},application/json`, ...(signal ? { signal } : {}) }
  let batchPath: string | undefined
  const onHeaders = (headers: IncomingHttpHeaders) => {
    const path = headers['weir-batch']
    if (typeof path === 'string' && path.startsWith('/')) batchPath = path
  }
  const [core, groups] = (await Promise.all([
    client.raw('/api', request),
    client.raw('/apis', { ...request, onHeaders }),
  ])) as [AggregatedList, AggregatedList]
  if (core.kind !== 'APIGroupDiscoveryList' || groups.kind !== 'APIGroupDiscoveryList')
    return discoverEach(client, core, groups, signal)
  const resources = [...(core.items ?? []), ...(groups.items ?? [])].flatMap(groupResources)
  return { resources, ...(batchPath === undefined ? {} : { batchPath }) }
}

function groupResources(group: NonNullable<AggregatedList['items']>[number]): ServedResource[] {
  return (group.versions ?? []).flatMap(({ version, resources = [] }) =>
    resources
      .filter((resource) => resource.responseKind?.kind)
      .map((resource) => ({
        group: group.metadata?.name ?? '',
        version,
        plural: resource.resource,
        kind: resource.responseKind?.kind ?? '',
        namespaced: resource.scope === 'Namespaced',
        singular: resource.singularResource ?? '',
        shortNames: resource.shortNames ?? [],
        categories: resource.categories ?? [],
        verbs: resource.verbs,
        subresources: (resource.subresources ?? []).map(({ subresource }) => subresource),
      })),
  )
}

interface LegacyResourceList {
  readonly resources?: readonly {
    readonly name: string
    readonly singularName?: string
    readonly kind: string
    readonly namespaced: boolean
    readonly verbs: readonly string[]
    readonly shortNames?: readonly string[]
    readonly categories?: readonly string[]
  }[]
}

async function discoverEach(client: Client, core: unknown, groups: unknown, signal?: AbortSignal): Promise<Discovery> {
  const { versions = [] } = core as { versions?: readonly string[] }
  const { groups: list = [] } = groups as {
    groups?: readonly {
      name: string
      versions: readonly { version: string }[]
      preferredVersion?: { version: string }
    }[]
  }
  const groupVersions = [
    ...versions.map((version) => ({ group: '', version })),
    ...list.flatMap(({ name, versions: all, preferredVersion }) => {
      const first = preferredVersion?.version
      const sorted = [...all].sort((a, b) => Number(b.version === first) - Number(a.version === first))
      return sorted.map(({ version }) => ({ group: name, version }))
    }),
  ]
  const lists = await Promise.all(groupVersions.map((each) => legacyResources(client, each, signal)))
  return { resources: lists.flat() }
}

async function legacyResources(
  client: Client,
  { group, version }: { group: string; version: string },
  signal?: AbortSignal,
): Promise<ServedResource[]> {
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  let resources: LegacyResourceList['resources']
  try {
    resources = ((await client.raw(path, signal ? { signal } : {})) as LegacyResourceList).resources
  } catch (error) {
    // An aggregated API whose server is down must not take the others with it.
    if (error instanceof ApiError) return []
    throw error
  }
  const all = resources ?? []
  return all
    .filter(({ name }) => !name.includes('/'))
    .map((resource) => ({
      group,
      version,
      plural: resource.name,
      kind: resource.kind,
      namespaced: resource.namespaced,
      singular: resource.singularName ?? '',
      shortNames: resource.shortNames ?? [],
      categories: resource.categories ?? [],
      verbs: resource.verbs,
      subresources: all
        .filter(({ name }) => name.startsWith(`${resource.name}/`))
        .map(({ name }) => name.slice(resource.name.length + 1)),
    }))
}

/** `appliances.fleet.weir.dev`, `configmaps`: how messages and kubectl name a resource. */
export function qualifiedName({ group, plural }: Pick<Resource, 'group' | 'plural'>): string {
  return group === '' ? plural : `${plural}.${group}`
}

/** `appliance.fleet.weir.dev`, `configmap`: how kubectl names a kind before a slash and a name. */
export function qualifiedKind({ group, kind }: Pick<Resource, 'group' | 'kind'>): string {
  return group === '' ? kind.toLowerCase() : `${kind.toLowerCase()}.${group}`
}
