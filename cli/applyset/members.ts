import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { isNotFound } from '../../runtime/errors.ts'
import type { Connection } from '../api/connect.ts'
import type { Discovery, ServedResource } from '../api/discovery.ts'
import { AS_JSON, readPages } from '../api/request.ts'
import { concurrently } from '../concurrently.ts'
import { PART_OF_LABEL } from './id.ts'
import { type ApplySet, groupKind } from './parent.ts'

/** Requests under way at once. */
const CONCURRENCY = 16

/** An object with the label of a set. */
export interface Member {
  readonly resource: ServedResource
  readonly object: KubeObject & JsonObject
}

export interface Members {
  readonly members: readonly Member[]
  /** Kinds that the set may have members of and that the server does not serve, so that nothing is known of them. */
  readonly unserved: readonly string[]
}

interface Place {
  readonly resource: ServedResource
  readonly namespace?: string
}

/** Every member that a set has on the server now: one list per kind and namespace. */
export async function readMembers(
  { client }: Connection,
  discovery: Discovery,
  { id, scope }: ApplySet,
  signal: AbortSignal,
): Promise<Members> {
  const { resources, unserved } = memberResources(discovery, scope.kinds)
  const places = resources.flatMap((resource): readonly Place[] =>
    resource.namespaced ? [...scope.namespaces].map((namespace) => ({ resource, namespace })) : [{ resource }],
  )
  const found = await concurrently(places, CONCURRENCY, async ({ resource, namespace }): Promise<Member[]> => {
    const request = { resource, accept: AS_JSON, labelSelector: `${PART_OF_LABEL}=${id}`, signal }
    // What stopped being served since it was discovered has no objects.
    const pages = await readPages(client, { ...request, ...(namespace ? { namespace } : {}) }, 500).catch((error) => {
      if (isNotFound(error)) return []
      throw error
    })
    const { group, version, kind } = resource
    const type = { apiVersion: group === '' ? version : `${group}/${version}`, kind }
    return pages.flatMap((page) =>
      ((page as { items?: readonly (KubeObject & JsonObject)[] }).items ?? []).map((item) => ({
        resource,
        object: { ...item, ...type } as Member['object'],
      })),
    )
  })
  return { members: found.flat(), unserved }
}

/** Where members are looked for. Without a list of kinds: in all that can be listed and deleted. */
function memberResources(
  { resources }: Discovery,
  kinds: ReadonlySet<string> | undefined,
): { readonly resources: readonly ServedResource[]; readonly unserved: readonly string[] } {
  // Of several versions the first, which the server prefers; of several resources of a kind (pods and its like) the one that lists.
  const served = new Map<string, ServedResource>()
  for (const resource of resources) {
    const key = groupKind(resource)
    if (!served.has(key) && resource.verbs.includes('list') && resource.verbs.includes('delete'))
      served.set(key, resource)
  }
  if (!kinds) return { resources: [...served.values()], unserved: [] }
  return {
    resources: [...kinds].flatMap((kind) => served.get(kind) ?? []),
    unserved: [...kinds].filter((kind) => !served.has(kind)),
  }
}
