import type { Connection } from '../api/connect.ts'
import { concurrently } from '../concurrently.ts'
import type { Io } from '../io.ts'
import type { Body, Change, ChangeOptions, ChangeSet } from './change.ts'
import { fieldChanges } from './field-changes.ts'
import { liveKey, liveObjects } from './live.ts'
import { type Refused, refusal } from './refusal.ts'
import type { Resolved } from './resolve.ts'
import { sendApply, waitsForSet } from './send.ts'

/** Requests under way at once. */
const CONCURRENCY = 32

/** What one manifest makes of its object, and who says so. */
interface Merged {
  readonly resolved: Resolved
  readonly after: Body | undefined
  readonly source: Change['source']
}

/**
 * What applying a set of manifests would change, without changing anything: reads what is there with one list per resource and
 * namespace, and at the same time tries every object. What it must say on the way (a local merge, say) goes to stderr.
 * Throws one CliError with all that is refused (2: what the files get wrong, with places; 4: conflicts; 3: the rest), and what the client
 * throws.
 */
export async function computeChanges(
  _io: Pick<Io, 'err'>,
  connection: Connection,
  set: readonly Resolved[],
  options: ChangeOptions,
): Promise<ChangeSet> {
  const [live, results] = await Promise.all([
    liveObjects(connection, set, options.signal),
    concurrently(set, CONCURRENCY, (resolved) => tryOne(connection, set, resolved, options)),
  ])
  const refused = results.filter((result): result is Refused => 'error' in result)
  if (refused.length > 0) throw refusal(refused)
  return {
    changes: (results as Merged[]).map((merged) => changeOf(merged, live.get(liveKey(merged.resolved)), options)),
  }
}

async function tryOne(
  connection: Connection,
  set: readonly Resolved[],
  resolved: Resolved,
  options: ChangeOptions,
): Promise<Merged | Refused> {
  if (resolved.late) return { resolved, after: resolved.object, source: 'local' }
  try {
    const after = await sendApply(connection.client, resolved, { ...options, dryRun: true })
    return { resolved, after, source: 'server' }
  } catch (error) {
    if (options.signal.aborted) throw error
    return waitsForSet(error, resolved, set)
      ? { resolved, after: resolved.object, source: 'local' }
      : { resolved, error }
  }
}

function changeOf({ resolved, after, source }: Merged, before: Body | undefined, options: ChangeOptions): Change {
  const { manifest, object, resource } = resolved
  const fields = after
    ? fieldChanges({
        manifest,
        sent: object,
        before,
        after,
        fieldManager: options.fieldManager,
        ownStatus: !resource.subresources.includes('status'),
      })
    : []
  const action =
    before === undefined ? 'create' : fields.some((field) => field.class === 'yours') ? 'update' : 'unchanged'
  return { resolved, action, before, after, fields, source }
}
