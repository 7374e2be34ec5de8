import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { Client } from '../../runtime/client/client.ts'
import { sleep, systemClock } from '../../runtime/clock.ts'
import { isForbidden } from '../../runtime/errors.ts'
import type { ServedResource } from '../api/discovery.ts'
import { Permissions } from '../changes/permissions.ts'

/** How long controllers may take to see that what was deleted before does not use the rest any more. */
const SEEN_WITHIN_MS = 5000
const AGAIN_MS = 100

export interface OnceUnused {
  readonly resource: ServedResource
  readonly object: KubeObject & JsonObject
  /** Whether this command has deleted anything before: only then waiting may help. */
  readonly afterOthers: boolean
  readonly signal: AbortSignal
}

/**
 * Deletes an object as `remove` does. Admission refuses what is in use, and says so of what used to be until its users went a moment ago: then it is tried
 * again for a while. Throws what the last try threw.
 */
export async function onceUnused<T>(
  client: Client,
  { resource, object, afterOthers, signal }: OnceUnused,
  remove: () => Promise<T>,
): Promise<T> {
  const began = performance.now()
  for (let mayDelete: boolean | undefined; ; await sleep(systemClock, AGAIN_MS, signal)) {
    try {
      return await remove()
    } catch (error) {
      if (!isForbidden(error) || !afterOthers || performance.now() - began > SEEN_WITHIN_MS) throw error
      // Who lacks the right lacks it later, too.
      mayDelete ??= await new Permissions(client, signal).may('delete', { resource, object })
      if (!mayDelete) throw error
    }
  }
}
