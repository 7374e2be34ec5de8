import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { StatusReport } from '../../agent/gateway/client.ts'
import { type AgentOptions, type RunningAgent, startAgent } from '../../agent/main.ts'
import type { Tuning } from '../../agent/tuning.ts'
import type { AssignmentSpec, ContentAssignment, ContentEntry } from '../../crds/types.gen.ts'
import { type CatalogFile, catalogOf, encodeCatalog } from '../../reconcilers/blobs/catalog.ts'
import { DELTA_TYPE } from '../../reconcilers/blobs/catalog-delta.ts'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { decodeFileSet, encodeFileSet, type FileSetBlob } from '../../reconcilers/blobs/file-set-blob.ts'

/** Undoes what a test has started, newest first. */
export class Cleanup {
  readonly #undo: (() => unknown)[] = []

  add(undo: () => unknown): void {
    this.#undo.push(undo)
  }

  async run(): Promise<void> {
    for (const undo of this.#undo.splice(0).reverse()) await undo()
  }

  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'weir-agent-'))
    this.add(() => rmSync(folder, { recursive: true, force: true }))
    return folder
  }
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Resolves with what `look` gives as soon as that is not undefined; fails with what was last seen. */
export async function until<T>(look: () => T | undefined | Promise<T | undefined>, what: () => unknown, ms = 45_000) {
  const end = performance.now() + ms
  for (;;) {
    const seen = await look()
    if (seen !== undefined) return seen
    if (performance.now() > end)
      throw new Error(`it did not happen within ${ms} ms: ${JSON.stringify(what(), null, 1)}`)
    await delay(10)
  }
}

async function listen(server: http.Server, cleanup: Cleanup, port = 0): Promise<string> {
  await once(server.listen(port, '127.0.0.1'), 'listening')
  cleanup.add(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Answers for one file, instead of the origin. */
export type Fault = (request: IncomingMessage, response: ServerResponse, bytes: Buffer) => void

/** A web server with files in memory, that does wrong where it is told to. */
export class Origin {
  readonly files: ReadonlyMap<string, Buffer>
  /** By path. */
  readonly faults = new Map<string, Fault>()
  readonly requests: { path: string; range: string | undefined }[] = []
  url = ''
  sentBytes = 0
  #server: http.Server | undefined

  constructor(files: ReadonlyMap<string, Buffer>) {
    this.files = files
  }

  static async start(cleanup: Cleanup, files: ReadonlyMap<string, Buffer>): Promise<Origin> {
    const origin = new Origin(files)
    await origin.listen(cleanup)
    return origin
  }

  async listen(cleanup: Cleanup, port = 0): Promise<void> {
    this.#server = http.createServer((request, response) => this.#answer(request, response))
    this.url = await listen(this.#server, cleanup, port)
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections()
    this.#server?.close()
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '').split('/').slice(1).map(decodeURIComponent).join('/')
    this.requests.push({ path, range: request.headers.range })
    const bytes = this.files.get(path)
    const fault = this.faults.get(path)
    if (fault) fault(request, response, bytes ?? Buffer.alloc(0))
    else if (!bytes) response.writeHead(404).end('no such file')
    else this.sendRanged(request, response, bytes)
  }

  /** What an origin without faults does. */
  sendRanged(request: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const part = bytes.subarray(start)
    this.sentBytes += part.length
    if (start === 0) response.writeHead(200, { 'Content-Length': bytes.length })
    else {
      response.writeHead(206, {
        'Content-Length': part.length,
        'Content-Range': `bytes ${start}-${bytes.length - 1}/${bytes.length}`,
      })
    }
    response.end(part)
  }
}

/** A version of a catalog and everything that names it. */
export interface TestCatalog {
  readonly namespace: string
  readonly name: string
  /** By index; `null` for an index that is no longer used. */
  readonly entries: readonly (CatalogFile | null)[]
  readonly blob: Uint8Array
  readonly digest: string
}

/** `paths` in index order, `null` for an index that is no longer used. `lies` are what the catalog says instead of the truth. */
export function makeCatalog(
  name: string,
  files: ReadonlyMap<string, Buffer>,
  paths: readonly (string | null)[] = [...files.keys()],
  lies: ReadonlyMap<string, Partial<{ sha256: string; size: number }>> = new Map(),
): TestCatalog {
  return makeCatalogOf(
    name,
    paths.map((path) => {
      const bytes = path === null ? undefined : files.get(path)
      return path === null || !bytes ? null : { path, size: bytes.length, sha256: sha256(bytes), ...lies.get(path) }
    }),
  )
}

export function makeCatalogOf(
  name: string,
  entries: readonly (CatalogFile | null)[],
  gone?: ReadonlyMap<number, string>,
): TestCatalog {
  const blob = encodeCatalog(catalogOf(entries, gone))
  return { namespace: 'isp', name, entries, blob, digest: `sha256:${sha256(blob)}` }
}

/** What the gateway was told, and by which request. */
export interface Told {
  readonly what: 'status' | 'heartbeat' | 'inventory' | 'withdrawal'
  readonly catalog?: string
  /** Of an inventory. */
  readonly indices?: readonly number[]
}

/** The gateway's protocol for one appliance, kept in memory. */
export class TestGateway {
  readonly appliance: string
  readonly blobs = new Map<string, Uint8Array>()
  readonly inventories = new Map<string, FileSetBlob>()
  readonly told: Told[] = []
  /** Requests, by method and path, that are answered with 503; the stream is not asked about. */
  refuses: (request: string) => boolean = () => false
  /** What is answered to who asks for what changed in a catalog. Without it, the whole. */
  delta: string | undefined
  readonly blobsAsked: string[] = []
  sources: unknown = { peers: [], parents: [] }
  status: StatusReport | undefined
  url = ''
  streamsOpened = 0
  #assignment: { assignment: AssignmentSpec; uid?: string } | undefined
  #streams = new Set<ServerResponse>()
  #server: http.Server | undefined
  #port = 0

  constructor(appliance: string) {
    this.appliance = appliance
  }

  static async start(cleanup: Cleanup, appliance = 'isp/a'): Promise<TestGateway> {
    const gateway = new TestGateway(appliance)
    await gateway.listen(cleanup)
    return gateway
  }

  async listen(cleanup: Cleanup): Promise<void> {
    this.#server = http.createServer((request, response) => void this.#answer(request, response))
    this.url = await listen(this.#server, cleanup, this.#port)
    this.#port = Number(new URL(this.url).port)
  }

  /** Gone, as when its machine has lost power: connections break. `listen` brings it back under the same URL. */
  async stop(): Promise<void> {
    const closed = once(this.#server!, 'close')
    this.#server!.close()
    this.#server!.closeAllConnections()
    this.#streams.clear()
    await closed
  }

  get streams(): number {
    return this.#streams.size
  }

  /** An entry for the files of a catalog at these indices; all of them unless told. */
  entry(catalog: TestCatalog, originUrl: string, indices?: readonly number[]): ContentEntry {
    const wanted = indices ?? catalog.entries.flatMap((file, i) => (file === null ? [] : [i]))
    const set = FileSet.of(wanted)
    const bytes = wanted.reduce((sum, i) => sum + (catalog.entries[i]?.size ?? 0), 0)
    const manifest = encodeFileSet({ catalog: catalog.digest, files: set.size, bytes, set })
    const manifestDigest = `sha256:${sha256(manifest)}`
    this.blobs.set(catalog.digest, catalog.blob)
    this.blobs.set(manifestDigest, manifest)
    const { namespace, name, digest: catalogDigest } = catalog
    return {
      catalog: { namespace, name },
      catalogDigest,
      catalogFiles: catalog.entries.length,
      originUrl: `${originUrl}/`,
      manifestDigest,
      files: set.size,
      bytes,
      plans: ['isp/plan'],
    }
  }

  assign(content: Partial<ContentAssignment> & Pick<ContentAssignment, 'entries'>, uid?: string): void {
    const assignment: ContentAssignment = {
      generation: (this.#assignment?.assignment.content?.generation ?? 0) + 1,
      fill: { timeZone: 'UTC', windows: [] },
      drainSeconds: 0,
      serve: true,
      ...content,
    }
    this.#assignment = { assignment: { content: assignment }, ...(uid !== undefined && { uid }) }
    for (const stream of this.#streams) this.#tell(stream)
  }

  #tell(stream: ServerResponse): void {
    stream.write(`${JSON.stringify({ type: 'ASSIGNMENT', ...this.#assignment })}\n`)
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body: Buffer[] = []
    for await (const chunk of request) body.push(chunk as Buffer)
    const path = request.url ?? ''
    const own = `/v1/appliances/${this.appliance}/`
    if (request.headers.authorization !== 'Bearer secret') {
      response.writeHead(401).end(JSON.stringify({ message: 'the token is not valid' }))
    } else if (path === `${own}assignment?watch=true`) {
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' })
      this.#streams.add(response)
      this.streamsOpened++
      response.on('close', () => this.#streams.delete(response))
      response.write('{"type":"PING"}\n')
      if (this.#assignment) this.#tell(response)
    } else if (this.refuses(`${request.method} ${path}`)) {
      response.writeHead(503).end(JSON.stringify({ message: 'refused by the test' }))
    } else if (path.startsWith('/v1/blobs/')) {
      const [digest = '', query] = path.slice('/v1/blobs/'.length).split('?')
      const blob = this.blobs.get(digest)
      this.blobsAsked.push(path.slice('/v1/blobs/'.length))
      if (query !== undefined && this.delta) response.setHeader('Content-Type', DELTA_TYPE).end(this.delta)
      else if (blob) response.end(blob)
      else response.writeHead(404).end()
    } else if (path.startsWith(own)) {
      this.#answerOwn(request.method ?? '', path.slice(own.length), Buffer.concat(body), response)
    } else {
      response.writeHead(403).end()
    }
  }

  #answerOwn(method: string, path: string, body: Buffer, response: ServerResponse): void {
    const catalog = /^inventory\/([^/]+\/[^/]+)$/.exec(path)?.[1]
    if (method === 'GET' && path === 'sources') {
      response.end(JSON.stringify(this.sources))
      return
    }
    if (method === 'POST' && path === 'heartbeat') this.told.push({ what: 'heartbeat' })
    else if (method === 'PUT' && path === 'status') {
      this.status = JSON.parse(body.toString()) as StatusReport
      this.told.push({ what: 'status' })
    } else if (method === 'PUT' && catalog) {
      const inventory = decodeFileSet(body)
      this.inventories.set(catalog, inventory)
      this.told.push({ what: 'inventory', catalog, indices: [...inventory.set] })
    } else if (method === 'DELETE' && catalog) {
      this.inventories.delete(catalog)
      this.told.push({ what: 'withdrawal', catalog })
    } else {
      response.writeHead(404).end()
      return
    }
    response.writeHead(204).end()
  }
}

/** Fast where the real thing is slow. */
export const fast: Partial<Tuning> = {
  idleTimeoutMs: 10_000,
  connectTimeoutMs: 10_000,
  commitIntervalMs: 20,
  retryBaseMs: 20,
  retryCapMs: 200,
  penaltyBaseMs: 500,
  unreachableBaseMs: 20,
  penaltyCapMs: 500,
  statusIntervalMs: 20,
  inventoryIntervalMs: 20,
  heartbeatIntervalMs: 200,
  sourcesIntervalMs: 50,
  reconnectBaseMs: 20,
  reconnectCapMs: 100,
  roomIntervalMs: 50,
  reserveBytes: 0,
  scrubBytesPerSecond: 1 << 30,
}

export async function runAgent(
  cleanup: Cleanup,
  gateway: { readonly url: string; readonly appliance: string },
  options: Partial<AgentOptions> & { readonly root: string },
): Promise<RunningAgent> {
  const [namespace = '', name = ''] = gateway.appliance.split('/')
  const agent = await startAgent({
    gatewayUrl: gateway.url,
    appliance: { namespace, name },
    token: 'secret',
    version: '1.2.3',
    ...options,
    tuning: { ...fast, ...options.tuning },
  })
  let open = true
  const close = async () => {
    if (open) await agent.close()
    open = false
  }
  cleanup.add(close)
  return { url: agent.url, close }
}

/** Waits until the agent reports that it holds everything of its newest Assignment. */
export function filled(gateway: TestGateway, generation?: number): Promise<StatusReport> {
  return until(
    () => {
      const content = gateway.status?.content
      const isDone =
        content && content.generation > 0 && content.filesHeld === content.filesDesired && !content.waitingFor
      return isDone && (generation === undefined || content.generation === generation) ? gateway.status : undefined
    },
    () => gateway.status,
  )
}

/** Every file below `content/`, by its name; without those that an agent evicts meanwhile. */
export function contentOf(root: string): Map<string, Buffer> {
  const content = new Map<string, Buffer>()
  for (const folder of readdirSync(join(root, 'content'))) {
    for (const name of readdirSync(join(root, 'content', folder))) {
      try {
        content.set(name, readFileSync(join(root, 'content', folder, name)))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    }
  }
  return content
}
