import { isConflict, isNotFound } from '../../runtime/errors.ts'
import type { Connection } from '../api/connect.ts'
import { comparable } from '../changes/comparable.ts'
import { printJson } from '../output/json.ts'
import type { Member } from './members.ts'
import { keepReason } from './orphans.ts'
import type { ApplySet } from './parent.ts'

export interface PruneOptions {
  readonly dryRun: boolean
  readonly signal: AbortSignal
}

/** What became of an object that was to be pruned. */
export type Pruned =
  | { readonly type: 'deleted' }
  /** Somebody changed it after it was looked at, so that it is not the object any more whose deletion was agreed to. */
  | { readonly type: 'kept'; readonly reason: string }

/** Times that an object may change in what nobody decides about (its status, say) between being looked at and being deleted. */
const TRIES = 10

/**
 * Deletes one object (a member of `set`, if one is given) as it was seen, by uid and resourceVersion; one that has changed since is looked at again, and goes only when what
 * it says and who may delete it is still the same. Throws what the client throws.
 */
export async function prune(
  { client }: Connection,
  set: Pick<ApplySet, 'id'> | undefined,
  { resource, object: seen }: Member,
  { dryRun, signal }: PruneOptions,
): Promise<Pruned> {
  const { name = '', namespace, uid = '' } = seen.metadata
  const key = { name, ...(resource.namespaced && namespace !== undefined ? { namespace } : {}) }
  let resourceVersion = seen.metadata.resourceVersion
  for (let attempt = 1; ; attempt++) {
    try {
      await client.delete(resource, key, {
        preconditions: { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
        propagationPolicy: 'Background',
        dryRun,
        signal,
      })
      return { type: 'deleted' }
    } catch (error) {
      if (isNotFound(error)) return { type: 'deleted' }
      if (!isConflict(error) || attempt >= TRIES) throw error
    }
    const now = (await client.find(resource, key, { signal })) as Member['object'] | undefined
    if (!now) return { type: 'deleted' }
    if (now.metadata.uid !== uid) return { type: 'kept', reason: 'was deleted and made anew in the meantime' }
    const reason = set && keepReason(now, set)
    if (reason !== undefined) return { type: 'kept', reason }
    const { apiVersion, kind } = seen
    if (printJson(comparable({ ...now, apiVersion, kind } as Member['object']), '') !== printJson(comparable(seen), ''))
      return { type: 'kept', reason: 'was changed in the meantime' }
    resourceVersion = now.metadata.resourceVersion
  }
}
