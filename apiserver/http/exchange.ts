import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { ApiError, badRequest, internalError, tooLarge } from '../api-error.ts'
import type { Accepted } from './media-type.ts'

/** Bodies above this are refused. */
export const maxBodyBytes = 3 * 1024 * 1024
/** Answers above this are compressed for clients that take gzip. */
const gzipFromBytes = 128 * 1024

const compress = promisify(gzip)

/** One request and its answer, whatever carries them. */
export abstract class Exchange {
  readonly method: string
  readonly path: string
  readonly #query: string
  #parsed: URLSearchParams | undefined
  readonly #warnings: string[] = []
  #wait: (() => Promise<void>) | undefined

  constructor(method: string, url: string) {
    this.method = method
    const q = url.indexOf('?')
    this.path = q < 0 ? url : url.slice(0, q)
    this.#query = q < 0 ? '' : url.slice(q + 1)
  }

  /** undefined where there is none: most writes of controllers. */
  get query(): URLSearchParams | undefined {
    if (this.#query === '') return undefined
    this.#parsed ??= new URLSearchParams(this.#query)
    return this.#parsed
  }

  abstract header(name: string): string | undefined

  /** Reads the whole body. Rejects with 413 where it is larger than allowed. */
  abstract body(): Promise<Buffer>

  abstract send(status: number, contentType: string, body: Buffer, headers?: Record<string, string>): Promise<void>

  /** What was warned of so far. */
  protected get warnings(): readonly string[] {
    return this.#warnings
  }

  /** Adds a Warning header to the answer, once per text. */
  readonly warn = (text: string): void => {
    if (!this.#warnings.includes(text)) this.#warnings.push(text)
  }

  /** Whether the answer should be laid out for people: asked for, or a tool that people type. */
  get pretty(): boolean {
    const asked = this.query?.get('pretty')
    if (asked !== null && asked !== undefined && asked !== '') return asked === 'true' || asked === '1'
    const agent = this.header('user-agent') ?? ''
    return agent.startsWith('curl') || agent.startsWith('Wget') || agent.startsWith('Mozilla/5.0')
  }

  /** What must have happened before the answer is sent. */
  beforeAnswer(wait: () => Promise<void>): void {
    this.#wait = wait
  }

  /** Answers with a JSON document, in the form that was negotiated. */
  async json(status: number, json: Buffer, accepted?: Accepted): Promise<void> {
    if (this.#wait) await this.#wait()
    if (accepted?.format === 'yaml') {
      const { stringify } = await import('../../runtime/yaml.ts')
      return this.send(status, 'application/yaml', Buffer.from(stringify(JSON.parse(json.toString('utf8')))))
    }
    if (accepted?.pretty || this.pretty) {
      const laidOut = `${JSON.stringify(JSON.parse(json.toString('utf8')), null, 2)}\n`
      return this.send(status, 'application/json', Buffer.from(laidOut))
    }
    return this.send(status, 'application/json', json)
  }

  /** Answers with the Status of an error; what is no ApiError is a fault of ours: 500, its details only in the log. */
  async fail(err: unknown, log: (err: unknown) => void): Promise<void> {
    let error = err instanceof ApiError ? err : undefined
    if (!error) {
      log(err)
      error = internalError(err instanceof Error ? err.message : 'unknown')
    }
    const { code, details } = error.status
    const headers: Record<string, string> = {}
    if (details?.retryAfterSeconds) headers['Retry-After'] = String(details.retryAfterSeconds)
    const json = JSON.stringify(error.status, undefined, this.pretty ? 2 : undefined)
    await this.send(code, 'application/json', Buffer.from(json), headers)
  }
}

/** A request that came over HTTP on its own. */
export class HttpExchange extends Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse

  constructor(req: IncomingMessage, res: ServerResponse) {
    super(req.method ?? 'GET', req.url ?? '/')
    this.req = req
    this.res = res
  }

  header(name: string): string | undefined {
    const value = this.req.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  body(): Promise<Buffer> {
    const declared = Number(this.req.headers['content-length'] ?? 0)
    if (declared > maxBodyBytes) return Promise.reject(bodyTooLarge())
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let size = 0
      this.req.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > maxBodyBytes) {
          this.req.pause()
          reject(bodyTooLarge())
        } else chunks.push(chunk)
      })
      this.req.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size)))
      this.req.on('error', reject)
      this.req.on('close', () => {
        if (!this.req.complete) reject(badRequest('the client went away'))
      })
    })
  }

  async send(status: number, contentType: string, body: Buffer, headers: Record<string, string> = {}): Promise<void> {
    const { res } = this
    if (res.headersSent || res.destroyed) return
    const all: Record<string, string | number | string[]> = {
      'Cache-Control': 'no-cache, private',
      'Content-Type': contentType,
      ...headers,
    }
    if (this.warnings.length > 0) all.Warning = this.warnings.map(warningHeader)
    let sent = body
    if (body.length > gzipFromBytes && (this.header('accept-encoding') ?? '').includes('gzip')) {
      sent = await compress(body, { level: 1 })
      all['Content-Encoding'] = 'gzip'
      all.Vary = 'Accept-Encoding'
    }
    all['Content-Length'] = sent.length
    if (status === 413) {
      // What was not read of an oversized body must not be taken for the next request.
      all.Connection = 'close'
      res.once('finish', () => this.req.destroy())
    }
    res.writeHead(status, all)
    res.end(this.method === 'HEAD' ? undefined : sent)
  }
}

function bodyTooLarge(): Error {
  return tooLarge(`Request entity too large: limit is ${maxBodyBytes}`)
}

/** RFC 7234 warn-text: a quoted string, without control characters. */
function warningHeader(text: string): string {
  const safe = [...text.slice(0, 4096)].map((c) =>
    c < ' ' || c > '~' ? `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}` : c,
  )
  return `299 - "${safe.join('').replace(/(["\\])/g, '\\$1')}"`
}
