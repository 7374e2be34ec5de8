import type { JsonObject } from '../../crds/metadata.ts'
import type { Client } from '../../runtime/client/client.ts'
import { isConflict } from '../../runtime/errors.ts'
import type { Body } from '../changes/change.ts'
import { clientSideManagers, handedOver } from '../changes/migration.ts'
import type { Resolved } from '../changes/resolve.ts'

/** Times that an object may change while its managers are rewritten. */
const TRIES = 5

/**
 * Hands what client-side apply owns over to `fieldManager`, and applies again, so that what the manifest has lost goes. Gives the object
 * as it is then. Throws what the client throws.
 */
export async function migrate(
  client: Client,
  { resource, object }: Resolved,
  applied: Body,
  fieldManager: string,
  reapply: () => Promise<Body>,
  signal: AbortSignal,
): Promise<Body> {
  const { name = '', namespace } = object.metadata
  const key = { name, ...(resource.namespaced && namespace ? { namespace } : {}) }
  let live = applied
  for (let attempt = 1; ; attempt++) {
    const entries = live.metadata.managedFields ?? []
    const managers = clientSideManagers(entries, fieldManager)
    if (managers.length === 0) return reapply()
    const operations = [
      { op: 'replace', path: '/metadata/managedFields', value: handedOver(entries, managers, fieldManager) },
      // Replaced rather than tested: then a change in between is a conflict, not an invalid request.
      { op: 'replace', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
    ] as unknown as readonly JsonObject[]
    try {
      await client.patch(resource, key, { type: 'json', operations }, { fieldManager, signal })
      return await reapply()
    } catch (error) {
      if (!isConflict(error) || attempt >= TRIES) throw error
      live = (await client.get(resource, key, { signal })) as Body
    }
  }
}
