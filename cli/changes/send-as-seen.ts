import { equalValues } from '../../crds/fieldmanager/value.ts'
import type { JsonObject } from '../../crds/metadata.ts'
import type { Client } from '../../runtime/client/client.ts'
import { isConflict, isNotFound } from '../../runtime/errors.ts'
import { CliError, ExitCode } from '../exit.ts'
import type { Body, Change } from './change.ts'
import { comparable } from './comparable.ts'
import { conflictsOf } from './refusal.ts'
import type { Resolved } from './resolve.ts'
import { type SendOptions, sendApply } from './send.ts'

/** Times that an object may change in what nobody decides about (its status, say) between being looked at and being written. */
const TRIES = 10

/**
 * Applies a change only to the very object that it was computed from, by uid and resourceVersion. One that has moved since is looked at again, and
 * applied to only while what its owners say of it is still the same: controllers report all the time, also because of what was written
 * just before. Throws exit code 6 for one that is another by now, and what the client throws.
 */
export async function sendAsSeen(
  client: Client,
  { resolved, before }: Pick<Change, 'resolved' | 'before'>,
  options: SendOptions,
): Promise<Body> {
  const { resource, object } = resolved
  const { name = '', namespace } = object.metadata
  const key = { name, ...(resource.namespaced && namespace ? { namespace } : {}) }
  const look = () => client.find(resource, key, { signal: options.signal }) as Promise<Body | undefined>
  if (!before) {
    // Server-side apply cannot be told that there must be nothing: it is looked for just before.
    if (await look()) throw moved('was added')
    return sendApply(client, resolved, options)
  }
  const { uid } = before.metadata
  let { resourceVersion } = before.metadata
  for (let attempt = 1; ; attempt++) {
    const pinned = { ...object, metadata: { ...object.metadata, uid, resourceVersion } } as Body
    let failure: unknown
    try {
      return await sendApply(client, { resource, object: pinned }, options)
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error
      failure = error
    }
    const now = asSeen(await look(), before, resolved)
    if (conflictsOf(failure).length > 0 || isNotFound(failure) || attempt >= TRIES) throw failure
    resourceVersion = now.metadata.resourceVersion
  }
}

/** An object as it is now, which is still what it was before in all that somebody decides about. Throws exit code 6 where it is not. */
export function asSeen(now: Body | undefined, before: Body, resolved: Resolved): Body {
  if (!now) throw moved('was deleted')
  if (now.metadata.uid !== before.metadata.uid) throw moved('was made again')
  if (!equalValues(owned(now, resolved), owned(before, resolved))) throw moved('was changed')
  return now
}

const moved = (how: string) => new CliError(ExitCode.stalePlan, `${how} since the plan was checked: the plan is stale`)

/** What somebody decides about: neither reports nor what controllers hold on to it with. */
function owned(object: Body, { resource, object: { apiVersion, kind } }: Resolved): JsonObject {
  const { metadata, ...rest } = comparable(
    { ...object, apiVersion, kind } as Body,
    !resource.subresources.includes('status'),
  )
  const { finalizers: _, ...own } = metadata as JsonObject
  return { ...rest, metadata: own, isGoing: object.metadata.deletionTimestamp !== undefined }
}
