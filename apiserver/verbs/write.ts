import type { KubeObject } from '../../crds/metadata.ts'
import type { Api } from '../api.ts'
import { internalError, serviceUnavailable } from '../api-error.ts'
import type { ApiObject } from '../json.ts'
import type { Representation, Served } from '../served.ts'
import { StoreError } from '../storage/errors.ts'
import type { Stored, Transaction } from '../storage/store.ts'

/** A transaction that keeps nothing: what a dry run gets. Writes of its own are not read back. */
function scratch(tx: Transaction): Transaction {
  const pretend = (key: string, value: KubeObject, old: Stored | undefined): Stored => ({
    key,
    value,
    json: Buffer.from(JSON.stringify(value)),
    createRevision: old?.createRevision ?? 0,
    modRevision: old?.modRevision ?? 0,
  })
  return {
    get: (key) => tx.get(key),
    put: (key, value) => pretend(key, value, tx.get(key)),
    delete(key, last) {
      const old = tx.get(key)
      return old && pretend(key, last ?? old.value, old)
    },
  }
}

/** Runs one write; with `dryRun` everything is done but kept. Storage failures become answers. */
export async function transact<T>(api: Api, dryRun: boolean, fn: (tx: Transaction) => T): Promise<T> {
  try {
    return await api.store.transact((tx) => fn(dryRun ? scratch(tx) : tx))
  } catch (err) {
    throw storeFailure(err)
  }
}

/** What a failure of the store is to a client. Anything else is returned as it is. */
function storeFailure(err: unknown): unknown {
  if (!(err instanceof StoreError)) return err
  if (err.code === 'WriteFailed') return internalError(err.message)
  if (err.code === 'Unavailable' || err.code === 'Closed') return serviceUnavailable(err.message)
  return err
}

/** Stores an object of a served version; in a dry run nothing is stored and the answer is the object itself. */
export function put(tx: Transaction, served: Served, key: string, object: ApiObject, dryRun: boolean): Representation {
  if (dryRun) return { value: object, json: Buffer.from(JSON.stringify(object)) }
  return served.wrote(tx.put(key, served.toStorage(object)))
}
