/** What part of a representation a request asks for; `end` is the last byte, included. */
export type RequestedRange =
  | { readonly type: 'all' }
  | { readonly type: 'part'; readonly start: number; readonly end: number }
  | { readonly type: 'unsatisfiable' }

/**
 * Reads a Range header against `size` bytes. One range is honoured; several, another unit or bad syntax are ignored, as RFC 9110 §14.2
 * allows, and the whole is sent. Of an empty file every range is ignored: there is nothing to be partial about, and a client that resumes
 * gets its (empty) file instead of an error.
 */
export function requestedRange(header: string | undefined, size: number): RequestedRange {
  const match = header === undefined ? null : /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header)
  const first = match?.[1] ?? ''
  const last = match?.[2] ?? ''
  if (!match || size === 0 || (first === '' && last === '')) return { type: 'all' }
  if (first === '') {
    const length = Number(last)
    return length === 0 ? { type: 'unsatisfiable' } : { type: 'part', start: Math.max(0, size - length), end: size - 1 }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return { type: 'all' }
  if (start >= size) return { type: 'unsatisfiable' }
  return { type: 'part', start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}
