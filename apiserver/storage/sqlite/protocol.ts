import type { StoreErrorCode } from '../errors.ts'
import type { Packed } from './packed.ts'

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
