import { type ApiObject, withMetadata } from '../json.ts'
import type { Representation, Served } from '../served.ts'
import type { Transaction } from '../storage/store.ts'

/** Removes an object for good; `object` is its last state, as watchers see it go. */
export function lastState(
  tx: Transaction,
  served: Served,
  key: string,
  object: ApiObject,
  dryRun: boolean,
): Representation {
  if (dryRun) return { value: object, json: Buffer.from(JSON.stringify(object)) }
  const gone = tx.delete(key, served.toStorage(withMetadata(object, { resourceVersion: undefined })))
  return gone ? served.read(gone) : { value: object, json: Buffer.from(JSON.stringify(object)) }
}
