import type { Api, Target } from '../api.ts'
import { ApiError } from '../api-error.ts'
import type { Representation } from '../served.ts'
import { deleteIn } from './delete.ts'
import { type Listed, listObjects } from './list.ts'
import type { DeleteOptions, ListOptions } from './options.ts'
import { transact } from './write.ts'

/** So many deletions are one transaction: enough to share a flush, few enough to let others in between. */
const batchSize = 200

/** Deletes what a list would show, page by page where `limit` says so. Answers with what was found. */
export async function deleteCollection(
  api: Api,
  target: Target,
  list: ListOptions,
  options: DeleteOptions,
): Promise<Listed> {
  const found = listObjects(api, target, list)
  const [refusal] = await deleteAll(api, target, found.items, options)
  if (refusal) throw refusal
  return found
}

/**
 * Deletes objects of one resource; those that are gone meanwhile, or have been replaced, are left alone. Resolves with the refusals (of policies):
 * one does not keep the others.
 */
export async function deleteAll(
  api: Api,
  target: Target,
  objects: readonly Representation[],
  options: DeleteOptions,
): Promise<readonly ApiError[]> {
  const refusals: ApiError[] = []
  for (let i = 0; i < objects.length; i += batchSize) {
    const batch = objects.slice(i, i + batchSize)
    await transact(api, options.dryRun, (tx) => {
      for (const { value } of batch) {
        const { name = '', namespace = '', uid } = value.metadata
        const of: Target = { ...target, namespace, name }
        if (tx.get(target.served.key(namespace, name))?.value.metadata.uid !== uid) continue
        try {
          deleteIn(api, tx, of, options)
        } catch (err) {
          if (!(err instanceof ApiError)) throw err
          refusals.push(err)
        }
      }
    })
  }
  return refusals
}
