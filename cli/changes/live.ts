import { isNotFound } from '../../runtime/errors.ts'
import type { Connection } from '../api/connect.ts'
import { AS_JSON, readPages } from '../api/request.ts'
import { concurrently } from '../concurrently.ts'
import type { Body } from './change.ts'
import type { Resolved } from './resolve.ts'

/** Requests under way at once. */
const CONCURRENCY = 16

/** Where `liveObjects` has an object. */
export const liveKey = ({ resource, object }: Resolved) =>
  `${resource.group}/${resource.plural}/${object.metadata.namespace ?? ''}/${object.metadata.name}`

/** The objects of a set as they are on the server, read with one list per resource and namespace. */
export async function liveObjects(
  connection: Connection,
  set: readonly Resolved[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Body>> {
  const served = set.filter(({ late }) => !late)
  const places = Map.groupBy(
    served,
    ({ resource, object }) => `${resource.group}/${resource.plural}/${object.metadata.namespace ?? ''}`,
  )
  const found = new Map<string, Body>()
  await concurrently([...places], CONCURRENCY, async ([place, members]) => {
    const [{ resource, object }] = members as [Resolved]
    const { namespace } = object.metadata
    const request = {
      resource,
      accept: AS_JSON,
      signal,
      ...(namespace === undefined ? {} : { namespace }),
      // Of a large collection one object is wanted, maybe.
      ...(members.length === 1 ? { fieldSelector: `metadata.name=${object.metadata.name}` } : {}),
    }
    for (const page of await readPages(connection.client, request, 500).catch(noneThere)) {
      // Items of typed lists do not say what they are.
      for (const item of (page as { items?: readonly Body[] }).items ?? [])
        found.set(`${place}/${item.metadata.name}`, {
          ...item,
          apiVersion: object.apiVersion,
          kind: object.kind,
        } as Body)
    }
  })
  return found
}

/** A collection that is not there holds nothing. */
function noneThere(error: unknown): unknown[] {
  if (isNotFound(error)) return []
  throw error
}
