import { FetchError } from '../fetch/fetcher.ts'
import { errorCode } from '../file-io.ts'

/**
 * Who is at fault, and so what happens next:
 * - `file`: this file at this source; other files may well come from there, and the file from elsewhere.
 * - `source`: nothing will come from there for now.
 * - `miss`: the source does not have it, as peers may not; no failure.
 * - `disk`: ours. No source is to blame.
 * - `stopped`: we stopped it ourselves.
 */
export type Blame = 'file' | 'source' | 'miss' | 'disk' | 'stopped'

/** Why a file could not be fetched. `reason` is one word, `message` a sentence without times or counters of its own. */
export class FillError extends Error {
  readonly reason: string
  readonly blame: Blame
  /** The bytes so far are good for nothing: start again. */
  readonly poisoned: boolean

  constructor(reason: string, blame: Blame, message: string, { poisoned = false } = {}) {
    super(message)
    this.name = 'FillError'
    this.reason = reason
    this.blame = blame
    this.poisoned = poisoned
  }
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** Brings whatever a download threw under one roof. */
export function fillErrorOf(error: unknown): FillError {
  if (error instanceof FillError) return error
  if (error instanceof FetchError) {
    switch (error.failure) {
      case 'Unreachable':
        return new FillError('Unreachable', 'source', error.message)
      case 'Stalled':
        return new FillError('Stalled', 'file', error.message)
      case 'Closed':
        return new FillError('Truncated', 'file', error.message)
      case 'Protocol':
        return new FillError('BadAnswer', 'file', error.message)
      case 'Aborted':
        return new FillError('Stopped', 'stopped', 'stopped')
    }
  }
  const code = errorCode(error)
  const { name, message } = typeof error === 'object' && error !== null ? (error as Error) : new Error(String(error))
  if (code !== undefined && FULL.has(code)) return new FillError('StorageFull', 'disk', message)
  if (name === 'AbortError') return new FillError('Stopped', 'stopped', 'stopped')
  return new FillError('StorageError', 'disk', message)
}
