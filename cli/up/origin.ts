import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { contentTypeOf } from '../../runtime/http-files/content-type.ts'
import { fileBelow } from '../../runtime/http-files/folder.ts'
import { serveFile } from '../../runtime/http-files/serve-file.ts'
import type { Log } from '../../runtime/log.ts'
import type { HashedFile } from '../catalog/hash-file.ts'
import { hashTree } from '../catalog/hash-tree.ts'
import { catalogNdjson } from '../catalog/ndjson.ts'
import { type TreeFile, walkTree } from '../catalog/walk.ts'

export interface OriginOptions {
  /** The folder whose files are served. */
  readonly folder: string
  /** Absolute paths of what is below the folder and not to be served, such as Weir's own data. */
  readonly exclude: readonly string[]
  /** Remembers digests between runs, so that only what changed is read again. */
  readonly indexFile: string
  /** 0: any that is free. */
  readonly port: number
  readonly log: Log
  readonly onProgress?: (done: number, total: number) => void
}

/** A folder on HTTP: its files, and `/catalog.ndjson`, the list of them. */
export interface Origin {
  /** `http://127.0.0.1:8480` */
  readonly url: string
  /** Resolves once the list is there. Rejects when the folder cannot be read. */
  readonly ready: Promise<{
    readonly files: number
    readonly bytes: number
    readonly skipped: readonly string[]
    readonly paths: readonly string[]
  }>
  close(): Promise<void>
}

/** The name under which the list is served; a file of this name at the top of the folder is hidden by it. */
const LIST = 'catalog.ndjson'
/** A list older than this is made anew when somebody asks for it. */
const FRESH_MS = 5000
/** How long a request waits for the first list before it is told to come again: well within what clients take for a stall. */
const LONGEST_WAIT_MS = 10_000

interface Index {
  readonly list: Buffer
  readonly etag: string
  readonly byPath: ReadonlyMap<string, TreeFile & HashedFile>
  readonly skipped: readonly string[]
}

/** Serves a folder on 127.0.0.1. Only what the list names is served: links out of the folder, for one, are not. */
export async function startOrigin(options: OriginOptions): Promise<Origin> {
  const state = new OriginIndex(options)
  const server = createServer((request, response) => {
    answer(state, request, response).catch((error: unknown) => {
      options.log.warn({ err: error, url: request.url }, 'the origin could not answer')
      if (!response.headersSent) response.writeHead(500, { 'Content-Length': 0 })
      response.end()
    })
  })
  server.keepAliveTimeout = 60_000
  server.listen(options.port, '127.0.0.1')
  await once(server, 'listening')
  const first = state.refresh()
  // Whoever does not wait for it finds out by the 503s.
  first.catch(() => {})
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ready: first.then(({ byPath, skipped }) => ({
      files: byPath.size,
      bytes: [...byPath.values()].reduce((sum, { size }) => sum + size, 0),
      skipped,
      paths: [...byPath.keys()],
    })),
    async close() {
      state.stop()
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(state: OriginIndex, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!state.current) await state.firstOrTimeout()
  if (!state.current) {
    response.writeHead(503, { 'Content-Length': 0, 'Retry-After': '1' }).end()
    return
  }
  if (request.url === `/${LIST}` || request.url?.startsWith(`/${LIST}?`)) return sendList(state, request, response)
  const path = fileBelow('/', request.url ?? '/')?.slice(1)
  const file = path === undefined ? undefined : state.current.byPath.get(path)
  if (!file) {
    response.writeHead(404, { 'Content-Length': 0 }).end()
    return
  }
  const contentType = contentTypeOf(path!)
  await serveFile(request, response, { path: file.absolute, lastModified: true, ...(contentType && { contentType }) })
}

/** The list as it is; an old one is renewed behind its reader's back, for the next. */
function sendList(state: OriginIndex, request: IncomingMessage, response: ServerResponse): void {
  const { list, etag } = state.current!
  if (Date.now() - state.madeAtMs > FRESH_MS) state.refresh().catch(() => {})
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { 'Content-Length': 0, Allow: 'GET, HEAD' }).end()
  } else if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, { ETag: etag }).end()
  } else {
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Content-Length': list.length, ETag: etag })
    response.end(request.method === 'HEAD' ? undefined : list)
  }
}

/** What is in the folder, made on worker threads, one making at a time. */
class OriginIndex {
  readonly #options: OriginOptions
  readonly #stop = new AbortController()
  #making: Promise<Index> | undefined
  current: Index | undefined
  madeAtMs = 0

  constructor(options: OriginOptions) {
    this.#options = options
  }

  stop(): void {
    this.#stop.abort(new Error('the origin was stopped'))
  }

  /**
   * Resolves when the first list is there, cannot be made, or takes too long. After a restart, agents that ask at once would otherwise tell
   * of every file that it cannot be had.
   */
  async firstOrTimeout(): Promise<void> {
    const waited = sleep(LONGEST_WAIT_MS, undefined, { ref: false })
    await Promise.race([this.refresh(), waited]).catch(() => {})
  }

  refresh(): Promise<Index> {
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined
    })
    return this.#making
  }

  async #make(): Promise<Index> {
    const { folder, exclude, indexFile, log, onProgress } = this.#options
    try {
      const known = this.current?.byPath ?? (await readIndex(indexFile, folder))
      const root = resolve(folder)
      const tree = await walkTree(root, new Set([join(root, LIST), ...exclude]))
      const hashed = await hashTree(tree.files, {
        known,
        signal: this.#stop.signal,
        onProgress: (done) => onProgress?.(done, tree.files.length),
      })
      for (const { path, error } of hashed.failed) log.warn({ path, error }, 'the origin leaves a file out')
      const list = Buffer.from([...catalogNdjson(hashed.files)].join(''))
      const etag = `"${createHash('sha256').update(list).digest('hex')}"`
      const skipped = [...tree.skipped, ...hashed.failed.map(({ path, error }) => `${path}: ${error}`)]
      const index = { list, etag, skipped, byPath: new Map(hashed.files.map((file) => [file.path, file])) }
      if (this.current?.etag !== etag) await writeIndex(indexFile, folder, index.byPath)
      this.current = index
      this.madeAtMs = Date.now()
      return index
    } catch (error) {
      if (!this.#stop.signal.aborted) log.warn({ err: error, folder }, 'the origin cannot be read')
      throw error
    }
  }
}

interface IndexFile {
  readonly folder: string
  readonly files: readonly (readonly [path: string, size: number, sha256: string, mark: string])[]
}

/** What an earlier run found; nothing where there is none, or it was of another folder. */
async function readIndex(path: string, folder: string): Promise<ReadonlyMap<string, HashedFile>> {
  try {
    const index = JSON.parse(await readFile(path, 'utf8')) as IndexFile
    if (index.folder !== resolve(folder)) return new Map()
    return new Map(index.files.map(([name, size, sha256, mark]) => [name, { size, sha256, mark }]))
  } catch {
    return new Map()
  }
}

async function writeIndex(path: string, folder: string, byPath: ReadonlyMap<string, HashedFile>): Promise<void> {
  const files = [...byPath].map(([name, { size, sha256, mark }]) => [name, size, sha256, mark] as const)
  const index: IndexFile = { folder: resolve(folder), files }
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.partial`, JSON.stringify(index))
  await rename(`${path}.partial`, path)
}
