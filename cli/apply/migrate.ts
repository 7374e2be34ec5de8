import type { JsonObject } from '../../crds/metadata.ts'
import type { Client } from '../../runtime/client/client.ts'
import { isConflict } from '../../runtime/errors.ts'
import type { Body } from '../changes/change.ts'
import { clientSideManagers, handedOver } from '../changes/migration.ts'
import type { Resolved } from '../changes/resolve.ts'

/** Times that an object may change while its managers are rewritten. */
const TRIES = 5

export interface MigrateOptions {
  readonly fieldManager: string
  readonly signal: AbortSignal
  /** Applies the manifest to the object as it is by then. */
  readonly reapply: (now: Body) => Promise<Body>
  /** Throws where the object has become what it must not be written to any more; asked whenever it has changed in between. */
  readonly check: (now: Body | undefined) => void
}

/**
 * Hands what client-side apply owns over to `fieldManager`, and applies again, so that what the manifest has lost goes. Gives the object
 * as it is then. Throws what the client throws, and what `check` does.
 */
export async function migrate(
  client: Client,
  { resource, object }: Resolved,
  applied: Body,
  { fieldManager, signal, reapply, check }: MigrateOptions,
): Promise<Body> {
  const { name = '', namespace } = object.metadata
  const key = { name, ...(resource.namespaced && namespace ? { namespace } : {}) }
  let live = applied
  for (let attempt = 1; ; attempt++) {
    const entries = live.metadata.managedFields ?? []
    const managers = clientSideManagers(entries, fieldManager)
    if (managers.length === 0) return reapply(live)
    const operations = [
      { op: 'replace', path: '/metadata/managedFields', value: handedOver(entries, managers, fieldManager) },
      // Replaced rather than tested: then a change in between is a conflict, not an invalid request.
      { op: 'replace', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
    ] as unknown as readonly JsonObject[]
    try {
      const handed = await client.patch(resource, key, { type: 'json', operations }, { fieldManager, signal })
      return await reapply(handed as Body)
    } catch (error) {
      if (!isConflict(error) || attempt >= TRIES) throw error
      const now = (await client.find(resource, key, { signal })) as Body | undefined
      check(now)
      if (!now) throw error
      live = now
    }
  }
}
