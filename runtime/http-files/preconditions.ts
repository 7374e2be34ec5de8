import type { IncomingHttpHeaders } from 'node:http'

/** What a representation is compared by. `etag` is strong and quoted; `modifiedMs` is in whole seconds. */
export interface Validators {
  readonly etag?: string
  readonly modifiedMs?: number
}

/** Whether the headers let the request through, in the order of RFC 9110 §13.2.2. For GET and HEAD. */
export function checkPreconditions(headers: IncomingHttpHeaders, { etag, modifiedMs }: Validators): 'go' | 304 | 412 {
  const ifMatch = headers['if-match']
  const unmodifiedSince = headers['if-unmodified-since']
  if (ifMatch !== undefined) {
    if (!listed(ifMatch, etag, false)) return 412
  } else if (unmodifiedSince !== undefined && modifiedMs !== undefined && modifiedMs > Date.parse(unmodifiedSince)) {
    return 412
  }
  const ifNoneMatch = headers['if-none-match']
  const modifiedSince = headers['if-modified-since']
  if (ifNoneMatch !== undefined) {
    if (listed(ifNoneMatch, etag, true)) return 304
  } else if (modifiedSince !== undefined && modifiedMs !== undefined && modifiedMs <= Date.parse(modifiedSince)) {
    return 304
  }
  return 'go'
}

/** Whether a Range header counts: without If-Range, or when If-Range names this very representation (RFC 9110 §13.1.5). */
export function rangeApplies(ifRange: string | undefined, { etag, modifiedMs }: Validators): boolean {
  if (ifRange === undefined) return true
  if (ifRange.startsWith('"')) return ifRange === etag
  if (ifRange.startsWith('W/')) return false
  return modifiedMs !== undefined && Date.parse(ifRange) === modifiedMs
}

function listed(header: string, etag: string | undefined, weakly: boolean): boolean {
  if (header.trim() === '*') return true
  for (const match of header.matchAll(/(W\/)?("[^"]*")/g)) {
    if (match[2] === etag && (weakly || !match[1])) return true
  }
  return false
}
