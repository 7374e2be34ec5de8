import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CatalogBuilder } from '../../reconcilers/catalog/builder.ts'
import { MAX_LINE_BYTES } from '../../reconcilers/catalog/check-line.ts'
import type { SourceReading } from '../../reconcilers/catalog/plan-catalog.ts'
import { type Clock, sleep } from '../../runtime/clock.ts'

export interface SourceOptions {
  readonly clock: Clock
  /** Folders below which `file:` sources may lie; none unless told. A tenant must not read the controllers' own files. */
  readonly fileRoots: readonly string[]
  readonly limits?: Partial<SourceLimits>
}

export interface SourceLimits {
  /** Of the whole source, uncompressed. */
  readonly maxBytes: number
  /** Until the headers are there, and between two pieces of the body. */
  readonly idleTimeoutMs: number
  /** Of everything. */
  readonly totalTimeoutMs: number
  readonly maxRedirects: number
}

const DEFAULT_LIMITS: SourceLimits = {
  maxBytes: 1024 ** 3,
  idleTimeoutMs: 30_000,
  totalTimeoutMs: 900_000,
  maxRedirects: 5,
}

/** How to ask whether a source is as it was. */
export interface Validators {
  readonly etag?: string
  readonly lastModified?: string
}

/** A source that could be read: its lines went into the builder, which says whether they are right. */
export type SourceContent = { readonly type: 'lines'; readonly validators: Validators } | { readonly type: 'unchanged' }

/** The source cannot be read. `message` is stable: the same trouble gives the same sentence. */
export class SourceError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SourceError'
  }
}

/**
 * Reads a catalog's source line by line into `builder`. Throws a SourceError where it cannot be fetched whole, and the signal's reason
 * when aborted.
 */
export async function readSource(
  url: string,
  builder: CatalogBuilder,
  known: Validators,
  options: SourceOptions,
  signal: AbortSignal,
): Promise<SourceContent> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const stop = new AbortController()
  const onAbort = () => stop.abort(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  const deadline = new Deadline(options.clock, limits, (message) =>
    stop.abort(new SourceError(`${shown(url)}: ${message}`)),
  )
  try {
    const opened = url.startsWith('file:')
      ? await openFile(url, known, options.fileRoots)
      : await openUrl(url, known, limits, stop.signal)
    if (opened === 'unchanged') return { type: 'unchanged' }
    await feed(opened.body, builder, url, limits.maxBytes, deadline)
    return { type: 'lines', validators: opened.validators }
  } catch (error) {
    signal.throwIfAborted()
    if (stop.signal.aborted) throw stop.signal.reason
    if (error instanceof SourceError) throw error
    throw new SourceError(`${shown(url)}: ${causeOf(error)}`, { cause: error })
  } finally {
    deadline.end()
    signal.removeEventListener('abort', onAbort)
    stop.abort(new Error('reading has ended'))
  }
}

/** What came of looking at a source, as the reconciler wants it. Throws only the signal's reason. */
export function readingOf(content: SourceContent, builder: CatalogBuilder): SourceReading {
  if (content.type === 'unchanged') return { type: 'unchanged' }
  const built = builder.finish()
  return 'errors' in built ? { type: 'refused', ...built } : { type: 'read', built }
}

interface Opened {
  readonly body: AsyncIterable<Uint8Array>
  readonly validators: Validators
}

async function openFile(url: string, known: Validators, roots: readonly string[]): Promise<Opened | 'unchanged'> {
  let path: string
  try {
    path = fileURLToPath(url)
  } catch {
    throw new SourceError(`${url}: not the URL of a local file`)
  }
  const where =
    roots.length === 0
      ? 'file sources are not allowed; serve it over HTTP'
      : `file sources are allowed below ${roots.join(' and ')} only`
  const refusal = new SourceError(`${url}: ${where}`)
  // By name first, so that nobody learns what exists elsewhere; then by where it really is, so that no symlink leads out.
  if (!roots.some((root) => isBelow(path, root))) throw refusal
  const real = await realpath(path)
  const realRoots = await Promise.all(roots.map((root) => realpath(root).catch(() => root)))
  if (!realRoots.some((root) => isBelow(real, root))) throw refusal
  const stats = await stat(real)
  if (!stats.isFile()) throw new SourceError(`${url}: not a regular file`)
  const etag = `"${stats.ino}-${stats.size}-${stats.mtimeMs}"`
  if (known.etag === etag) return 'unchanged'
  return { body: createReadStream(real, { highWaterMark: 256 * 1024 }), validators: { etag } }
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)
}

async function openUrl(
  url: string,
  known: Validators,
  limits: SourceLimits,
  signal: AbortSignal,
): Promise<Opened | 'unchanged'> {
  let at = new URL(url)
  for (let redirects = 0; ; redirects++) {
    const response = await fetch(withoutCredentials(at).href, {
      redirect: 'manual',
      signal,
      headers: requestHeaders(at, known),
    })
    if (response.status === 304) return 'unchanged'
    const location = response.headers.get('location')
    if (response.status >= 300 && response.status < 400 && location !== null) {
      await response.body?.cancel()
      if (redirects >= limits.maxRedirects)
        throw new SourceError(`${shown(url)}: more than ${limits.maxRedirects} redirects`)
      const next = URL.parse(location, at.href)
      if (next?.protocol !== 'http:' && next?.protocol !== 'https:') {
        throw new SourceError(`${shown(url)}: redirects to what is no http(s) URL`)
      }
      at = next
      continue
    }
    if (response.status !== 200 || !response.body) {
      await response.body?.cancel()
      throw new SourceError(
        `${shown(at.href)}: the server answered ${response.status} ${response.statusText}`.trimEnd(),
      )
    }
    const etag = response.headers.get('etag')
    const lastModified = response.headers.get('last-modified')
    return {
      body: response.body as AsyncIterable<Uint8Array>,
      validators: { ...(etag ? { etag } : {}), ...(lastModified ? { lastModified } : {}) },
    }
  }
}

function requestHeaders(url: URL, known: Validators): Record<string, string> {
  const { username, password } = url
  const basic = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  return {
    Accept: 'application/x-ndjson, */*;q=0.5',
    ...(known.etag ? { 'If-None-Match': known.etag } : {}),
    ...(known.lastModified ? { 'If-Modified-Since': known.lastModified } : {}),
    ...(username || password ? { Authorization: `Basic ${basic}` } : {}),
  }
}

/** Splits the body into lines; one that is too long is refused by its number without being gathered. */
async function feed(
  body: AsyncIterable<Uint8Array>,
  builder: CatalogBuilder,
  url: string,
  maxBytes: number,
  deadline: Deadline,
): Promise<void> {
  const lines = new LineFeeder(builder)
  let total = 0
  for await (const chunk of body) {
    deadline.touch()
    total += chunk.length
    if (total > maxBytes) throw new SourceError(`${shown(url)}: larger than ${maxBytes} bytes`)
    lines.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
  }
  lines.end()
}

class LineFeeder {
  readonly #builder: CatalogBuilder
  #parts: Buffer[] = []
  #bytes = 0

  constructor(builder: CatalogBuilder) {
    this.#builder = builder
  }

  push(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      this.#gather(chunk.subarray(start, end))
      this.#finishLine()
      start = end + 1
    }
    this.#gather(chunk.subarray(start))
  }

  end(): void {
    if (this.#bytes > 0) this.#finishLine()
  }

  /** Of a line that is too long only its length is kept. */
  #gather(part: Buffer): void {
    if (part.length === 0) return
    this.#bytes += part.length
    if (this.#bytes > MAX_LINE_BYTES) this.#parts = []
    else this.#parts.push(part)
  }

  #finishLine(): void {
    const parts = this.#parts
    const bytes = this.#bytes
    this.#parts = []
    this.#bytes = 0
    if (bytes > MAX_LINE_BYTES) {
      this.#builder.refuseLine(`longer than ${MAX_LINE_BYTES} bytes`)
      return
    }
    const line = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
    if (isUtf8(line)) this.#builder.addLine(line.toString('utf8'))
    else this.#builder.refuseLine('not UTF-8')
  }
}

/** Two alarms: nothing came for a while, and all of it took too long. */
class Deadline {
  readonly #stop = new AbortController()
  readonly #clock: Clock
  #lastMs: number

  constructor(clock: Clock, { idleTimeoutMs, totalTimeoutMs }: SourceLimits, alarm: (message: string) => void) {
    this.#clock = clock
    this.#lastMs = clock.monotonicMs()
    void this.#guard(totalTimeoutMs, () => alarm(`not read within ${totalTimeoutMs / 1000} s`))
    void this.#watchIdle(idleTimeoutMs, () => alarm(`nothing came for ${idleTimeoutMs / 1000} s`))
  }

  touch(): void {
    this.#lastMs = this.#clock.monotonicMs()
  }

  end(): void {
    this.#stop.abort()
  }

  async #guard(ms: number, alarm: () => void): Promise<void> {
    if (await this.#sleep(ms)) alarm()
  }

  async #watchIdle(ms: number, alarm: () => void): Promise<void> {
    for (let leftMs = ms; leftMs > 0; leftMs = this.#lastMs + ms - this.#clock.monotonicMs()) {
      if (!(await this.#sleep(leftMs))) return
    }
    alarm()
  }

  /** False when ended meanwhile. */
  #sleep(ms: number): Promise<boolean> {
    return sleep(this.#clock, ms, this.#stop.signal).then(
      () => true,
      () => false,
    )
  }
}

function withoutCredentials(url: URL): URL {
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  return bare
}

/** The URL as it may be shown: without credentials and without what is often a token. */
function shown(url: string): string {
  const parsed = URL.parse(url)
  if (!parsed) return url
  const bare = withoutCredentials(parsed)
  return `${bare.origin === 'null' ? `${bare.protocol}//` : bare.origin}${bare.pathname}`
}

/** fetch says only "fetch failed"; what failed is in its causes. */
function causeOf(error: unknown): string {
  const { message, cause, errors, code } = Object(error) as {
    message?: string
    cause?: unknown
    errors?: readonly unknown[]
    code?: string
  }
  if (errors?.length) return causeOf(errors[0])
  if (cause !== undefined) return causeOf(cause)
  return message || code || String(error)
}
