import { badRequest } from '../api-error.ts'

/** Where the next page starts: after this key (without the collection's prefix), in the state of this revision; -1: the latest. */
export interface Continue {
  readonly revision: number
  readonly startAfter: string
}

/** Opaque to clients. */
export function encodeContinue(at: Continue): string {
  return Buffer.from(JSON.stringify({ v: 'weir/v1', rv: at.revision, start: at.startAfter })).toString('base64url')
}

/** Throws 400 where the token is none of ours. */
export function decodeContinue(token: string): Continue {
  try {
    const parsed = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as Record<string, unknown>
    const { v, rv, start } = parsed
    if (v === 'weir/v1' && typeof rv === 'number' && Number.isSafeInteger(rv) && typeof start === 'string') {
      return { revision: rv, startAfter: start }
    }
  } catch {
    // Answered below.
  }
  throw badRequest('continue key is not valid: the token was not made by this server')
}
