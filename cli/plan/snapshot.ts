import type { KubeObject } from '../../crds/metadata.ts'
import type { Client } from '../../runtime/client/client.ts'
import { apiVersionOf } from '../../runtime/client/resource.ts'
import { isForbidden, isNotFound } from '../../runtime/errors.ts'
import { type FleetKind, type FleetSnapshot, fleetKinds, fleetResources } from './fleet-model.ts'

/** What of the fleet could be read, and why not where it could not. */
export interface ReadFleet {
  readonly snapshot: FleetSnapshot
  /** Why nothing can be said of the fleet: some kind of it may not be read. */
  readonly unreadable: string | undefined
}

/** Reads everything that decisions are made on, with one list per kind. Kinds that are not served yet have no objects. */
export async function readFleet(client: Client, signal: AbortSignal): Promise<ReadFleet> {
  let unreadable: string | undefined
  const lists = await Promise.all(
    fleetKinds.map(async (kind): Promise<[FleetKind, readonly KubeObject[]]> => {
      try {
        return [kind, (await client.list<KubeObject>(fleetResources[kind], { signal })).items.map(typed(kind))]
      } catch (error) {
        if (isNotFound(error)) return [kind, []]
        if (!isForbidden(error)) throw error
        unreadable ??= (error as Error).message
        return [kind, []]
      }
    }),
  )
  return { snapshot: Object.fromEntries(lists) as unknown as FleetSnapshot, unreadable }
}

/** Items of a list do not say what they are. */
function typed(kind: FleetKind): (object: KubeObject) => KubeObject {
  const apiVersion = apiVersionOf(fleetResources[kind])
  return (object) => (object.apiVersion ? object : { ...object, apiVersion, kind: fleetResources[kind].kind })
}
