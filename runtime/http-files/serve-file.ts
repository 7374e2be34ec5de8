import { type FileHandle, open } from 'node:fs/promises'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { checkPreconditions, rangeApplies } from './preconditions.ts'
import { requestedRange } from './range.ts'
import { sendRange } from './send.ts'

export interface ServedFile {
  readonly path: string
  /** Its length, where that is known: one of another is not the file. */
  readonly bytes?: number
  /** A strong entity tag with its quotes; made from size and time of change unless told. */
  readonly etag?: string
  readonly contentType?: string
  /** Send Last-Modified, and honour conditions on it. */
  readonly lastModified?: boolean
  /** More headers, such as Cache-Control. */
  readonly headers?: Readonly<Record<string, string>>
  /** Headers where there is no such file. */
  readonly missingHeaders?: Readonly<Record<string, string>>
}

/** What was answered. `bytes` of body were handed to the connection; `whole` is false when it broke on the way. */
export interface Served {
  readonly status: number
  readonly bytes: number
  readonly whole: boolean
}

/**
 * Answers GET and HEAD with a file: 200, 206 (one range), 304, 404 (no such file), 405, 412, 416. Resolves once the answer has been handed
 * over or the connection broke; throws only what the disk throws before the answer has begun.
 */
export async function serveFile(request: IncomingMessage, response: ServerResponse, file: ServedFile): Promise<Served> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, { Allow: 'GET, HEAD' })
  const handle = await openFile(file.path)
  if (!handle) return refuse(response, 404, file.missingHeaders)
  try {
    const stats = await handle.stat()
    if (!stats.isFile() || (file.bytes !== undefined && file.bytes !== stats.size))
      return refuse(response, 404, file.missingHeaders)
    const modifiedMs = Math.floor(stats.mtimeMs / 1000) * 1000
    const etag = file.etag ?? `"${stats.size.toString(16)}-${Math.floor(stats.mtimeMs).toString(16)}"`
    const validators = { etag, ...(file.lastModified ? { modifiedMs } : {}) }
    const common: OutgoingHttpHeaders = {
      'Accept-Ranges': 'bytes',
      ETag: etag,
      ...(file.lastModified ? { 'Last-Modified': new Date(modifiedMs).toUTCString() } : {}),
      ...file.headers,
    }
    const verdict = checkPreconditions(request.headers, validators)
    if (verdict !== 'go') return refuse(response, verdict, common)

    // HEAD answers as GET would without a Range (RFC 9110 §14.2: Range is defined for GET only).
    const ranged = request.method === 'GET' && rangeApplies(first(request.headers['if-range']), validators)
    const range = requestedRange(ranged ? request.headers.range : undefined, stats.size)
    if (range.type === 'unsatisfiable')
      return refuse(response, 416, { ...common, 'Content-Range': `bytes */${stats.size}` })
    const [start, length] = range.type === 'all' ? [0, stats.size] : [range.start, range.end - range.start + 1]
    const status = range.type === 'all' ? 200 : 206
    response.writeHead(status, {
      ...common,
      'Content-Type': file.contentType ?? 'application/octet-stream',
      'Content-Length': length,
      ...(range.type === 'part' ? { 'Content-Range': `bytes ${range.start}-${range.end}/${stats.size}` } : {}),
    })
    if (request.method === 'HEAD' || length === 0) {
      response.end()
      return { status, bytes: 0, whole: true }
    }
    const bytes = await sendRange(response, handle, start, length)
    return { status, bytes, whole: bytes === length && !response.destroyed }
  } finally {
    await handle.close()
  }
}

function refuse(response: ServerResponse, status: number, headers: OutgoingHttpHeaders = {}): Served {
  response.writeHead(status, status === 304 ? headers : { ...headers, 'Content-Length': 0 }).end()
  return { status, bytes: 0, whole: true }
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR' || code === 'ENAMETOOLONG') return undefined
    throw error
  }
}

function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}
