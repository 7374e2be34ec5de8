import type { StoreErrorCode } from '../errors.ts'

/**
 * Objects on their way between the threads: parallel arrays, and all JSON in one buffer that is handed over, not copied. A length of -1 says
 * that the key was deleted.
 */
export interface Packed {
  readonly keys: readonly string[]
  readonly createRevisions: readonly number[]
  readonly modRevisions: readonly number[]
  readonly lengths: readonly number[]
  readonly json: Uint8Array<ArrayBuffer>
}

export type Request = { readonly type: 'append'; readonly entries: Packed } | { readonly type: 'close' }

export type Reply =
  | { readonly type: 'records'; readonly records: Packed }
  | { readonly type: 'loaded'; readonly revision: number }
  | { readonly type: 'appended' }
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly code: StoreErrorCode; readonly message: string }

export interface WorkerData {
  /** The database file. */
  readonly file: string
}
