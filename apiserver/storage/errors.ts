/** Why the store refuses. Callers switch on this, never on the text. */
export type StoreErrorCode =
  /** The revision asked for is no longer in the history: relist (410 Expired). */
  | 'Compacted'
  /** The revision asked for has not been committed yet (504 "Too large resource version"). */
  | 'FutureRevision'
  /** The write was rolled back and is not stored, the disk is full for example; trying again may help (500). */
  | 'WriteFailed'
  /** A write failed in a way that leaves unknown what the disk holds. No write is accepted until a restart (503). */
  | 'Unavailable'
  /** The store has been closed (503). */
  | 'Closed'
  /** The data directory is in use by another process. */
  | 'Locked'
  /** The data directory was written by a newer version of the program, or is none of ours. */
  | 'UnknownFormat'
  /** The data directory cannot be read back. */
  | 'Corrupt'

export class StoreError extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
  }
}
