import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApiServer, type ApiServerOptions, startApiServer } from '../../../apiserver/server.ts'
import { openMemoryStore } from '../../../apiserver/storage/open.ts'
import type { JsonObject } from '../../../crds/metadata.ts'

/** A parsed answer. `body` is the JSON, or the text where it is none. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  // Tests look into answers freely; what is not there fails the expectation.
  readonly body: Loose
}

export interface Loose {
  readonly [key: string]: Loose
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** undefined: the administrator. */
  readonly token?: string | null
}

/** An event of a watch. */
export interface WatchEvent {
  readonly type: string
  readonly object: Loose
}

export interface WatchReader {
  /** The next event; rejects after five seconds without one, or when the watch has ended. */
  next(): Promise<WatchEvent>
  /** Resolves when the server ends the watch. */
  readonly ended: Promise<void>
  close(): void
}

/** A real server over HTTPS on a port of its own, with a plain client. */
export class TestServer {
  readonly server: ApiServer
  readonly folder: string
  readonly #ca: string
  readonly #agent: Agent

  private constructor(server: ApiServer, folder: string, ca: string) {
    this.server = server
    this.folder = folder
    this.#ca = ca
    this.#agent = new Agent({ keepAlive: true, ca, maxSockets: 50 })
  }

  /** Everything in memory unless `durable`, or a folder of an earlier server is given. */
  static async start(
    options: Partial<ApiServerOptions> & { readonly durable?: boolean; readonly folder?: string } = {},
  ): Promise<TestServer> {
    const { durable, folder: given, ...rest } = options
    const folder = given ?? (await mkdtemp(join(tmpdir(), 'weir-apiserver-')))
    const server = await startApiServer({
      dataDir: folder,
      tokens: new Map([
        ['admin-token', { name: 'admin', groups: ['system:masters'] }],
        ['bob-token', { name: 'bob', groups: [] }],
      ]),
      ...(durable || given ? {} : { store: await openMemoryStore() }),
      ...rest,
    })
    return new TestServer(server, folder, await readFile(join(folder, 'pki', 'ca.crt'), 'utf8'))
  }

  /** Runs `fn` with a server of its own, which is stopped whatever happens. */
  static async during(
    options: Parameters<typeof TestServer.start>[0] & { readonly keepFolder?: boolean },
    fn: (server: TestServer) => Promise<void>,
  ): Promise<string> {
    const { keepFolder, ...rest } = options
    const server = await TestServer.start(rest)
    try {
      await fn(server)
    } finally {
      await server.stop(keepFolder)
    }
    return server.folder
  }

  async stop(keepFolder = false): Promise<void> {
    this.#agent.destroy()
    await this.server.close()
    if (!keepFolder) await rm(this.folder, { recursive: true, force: true })
  }

  get ca(): string {
    return this.#ca
  }

  request(method: string, path: string, body?: unknown, options: RequestOptions = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const raw = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
      const req = this.#open(method, path, {
        ...(raw !== undefined
          ? { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(raw)) }
          : {}),
        ...authorization(options.token),
        ...options.headers,
      })
      req.on('response', (res) => {
        const chunks: Buffer[] = []
        res.on('data', (c: Buffer) => chunks.push(c))
        res.on('error', reject)
        res.on('end', () => resolve(answer(res, Buffer.concat(chunks))))
      })
      req.on('error', reject)
      req.end(raw)
    })
  }

  get(path: string, options?: RequestOptions): Promise<Answer> {
    return this.request('GET', path, undefined, options)
  }

  post(path: string, body: unknown, options?: RequestOptions): Promise<Answer> {
    return this.request('POST', path, body, options)
  }

  put(path: string, body: unknown, options?: RequestOptions): Promise<Answer> {
    return this.request('PUT', path, body, options)
  }

  delete(path: string, body?: unknown, options?: RequestOptions): Promise<Answer> {
    return this.request('DELETE', path, body, options)
  }

  /** `type` without `application/` and `+json` (apply: server-side apply). */
  patch(
    path: string,
    type: 'json-patch' | 'merge-patch' | 'strategic-merge-patch' | 'apply',
    body: unknown,
  ): Promise<Answer> {
    const contentType = type === 'apply' ? 'application/apply-patch+yaml' : `application/${type}+json`
    return this.request('PATCH', path, body, { headers: { 'content-type': contentType } })
  }

  /** Creates an object, and fails the test where that is refused. */
  async create(path: string, body: JsonObject): Promise<Loose> {
    const made = await this.post(path, body)
    if (made.status !== 201) throw new Error(`POST ${path}: ${made.status} ${made.text}`)
    return made.body
  }

  /** Reads until `done` holds of the answer; rejects after half a minute, telling the last one. */
  async until(path: string, done: (answer: Answer) => boolean): Promise<Answer> {
    const end = Date.now() + 30_000
    for (;;) {
      const last = await this.get(path)
      if (done(last)) return last
      if (Date.now() > end) throw new Error(`GET ${path} stays at ${last.status} ${last.text}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  /** Opens a watch; resolves once it is accepted. */
  watch(path: string, headers: Readonly<Record<string, string>> = {}): Promise<WatchReader> {
    return new Promise((resolve, reject) => {
      const req = this.#open('GET', path, { ...authorization(undefined), ...headers })
      req.on('error', reject)
      req.on('response', (res) => {
        if (res.statusCode === 200) return resolve(reader(res, () => req.destroy()))
        res.resume()
        reject(new Error(`watch ${path}: ${res.statusCode}`))
      })
      req.end()
    })
  }

  #open(method: string, path: string, headers: Record<string, string>) {
    const url = new URL(path, this.server.url)
    return request(url, { method, headers, agent: this.#agent })
  }
}

function authorization(token: string | null | undefined): Record<string, string> {
  return token === null ? {} : { authorization: `Bearer ${token ?? 'admin-token'}` }
}

function answer(res: IncomingMessage, bytes: Buffer): Answer {
  const text = bytes.toString('utf8')
  let body: unknown = text
  try {
    body = JSON.parse(text)
  } catch {
    // Not JSON: the text will do.
  }
  return { status: res.statusCode ?? 0, headers: res.headers, text, body: body as Loose }
}

function reader(res: IncomingMessage, close: () => void): WatchReader {
  const events: WatchEvent[] = []
  let wake = () => {}
  let over = false
  let rest = ''
  res.setEncoding('utf8')
  res.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') events.push(JSON.parse(line) as WatchEvent)
    wake()
  })
  res.on('error', () => {})
  const ended = new Promise<void>((resolve) => {
    res.on('close', () => {
      over = true
      wake()
      resolve()
    })
  })
  return {
    ended,
    close,
    async next() {
      const end = Date.now() + 30_000
      for (;;) {
        const event = events.shift()
        if (event) return event
        if (over) throw new Error('the watch has ended')
        const left = end - Date.now()
        if (left <= 0) throw new Error('no event came')
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
    },
  }
}
