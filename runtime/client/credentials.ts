import { readFileSync } from 'node:fs'
import type { Clock } from '../clock.ts'

/** How one request proves who sends it. Certificates are PEM. */
export interface Credential {
  /** The `Authorization` header. */
  readonly authorization?: string
  readonly cert?: string
  readonly key?: string
  /** Impersonation headers. */
  readonly headers?: Readonly<Record<string, string | string[]>>
}

/** Gives the credential for the next request. */
export interface Credentials {
  get(): Promise<Credential>
  /** The server said 401: forget what is remembered. Returns whether another `get` may give something else. */
  invalidate(): boolean
}

export function fixedCredentials(credential: Credential): Credentials {
  const answer = Promise.resolve(credential)
  return { get: () => answer, invalidate: () => false }
}

export function bearerCredentials(token: string): Credentials {
  return fixedCredentials({ authorization: `Bearer ${token}` })
}

/** How long a token file is believed; service account tokens are rotated by rewriting the file. */
const TOKEN_FILE_TTL_MS = 60_000

/** A bearer token in a file that is read again every minute, and at once after a 401. */
export function tokenFileCredentials(path: string, clock: Clock, base: Credential = {}): Credentials {
  let cached: { credential: Credential; readAtMs: number } | undefined
  return {
    async get() {
      if (cached && clock.monotonicMs() - cached.readAtMs < TOKEN_FILE_TTL_MS) return cached.credential
      const token = readFileSync(path, 'utf8').trim()
      if (token === '') throw new Error(`token file ${path} is empty`)
      cached = { credential: { ...base, authorization: `Bearer ${token}` }, readAtMs: clock.monotonicMs() }
      return cached.credential
    },
    invalidate() {
      cached = undefined
      return true
    },
  }
}
