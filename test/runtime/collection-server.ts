import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ConfigMap } from '../../runtime/client/resource.ts'
import { startServer, type TestServer } from './http.ts'

/**
 * Speaks list and watch of config maps as an API server does, and misbehaves when told to: for the cases of the protocol that a healthy
 * server will not show.
 */
export class CollectionServer implements AsyncDisposable {
  readonly requests: string[] = []
  /** Answers to give instead of serving, one per request. */
  readonly instead: ((request: IncomingMessage, response: ServerResponse) => void)[] = []
  readonly #objects = new Map<string, ConfigMap>()
  readonly #journal: { version: number; line: string }[] = []
  readonly #watchers = new Set<ServerResponse>()
  #version = 100
  #oldest = 0
  #http: TestServer | undefined

  static async start(): Promise<CollectionServer> {
    const made = new CollectionServer()
    made.#http = await startServer((request, response) => made.#serve(request, response))
    return made
  }

  get url(): string {
    return this.#http?.url ?? ''
  }

  get watchers(): number {
    return this.#watchers.size
  }

  lists(): number {
    return this.requests.filter((url) => !url.includes('watch=')).length
  }

  put(name: string, data: Record<string, string> = {}): void {
    const resourceVersion = String(++this.#version)
    const type = this.#objects.has(name) ? 'MODIFIED' : 'ADDED'
    const metadata = { namespace: 'default', name, uid: `uid-${name}`, resourceVersion }
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }
    this.#objects.set(name, object)
    this.#publish(type, object)
  }

  remove(name: string): void {
    const object = this.#objects.get(name)
    if (!object) throw new Error(`no ${name}`)
    this.#objects.delete(name)
    const resourceVersion = String(++this.#version)
    this.#publish('DELETED', { ...object, metadata: { ...object.metadata, resourceVersion } })
  }

  bookmark(): void {
    const metadata = { resourceVersion: String(++this.#version) }
    this.#publish('BOOKMARK', { apiVersion: 'v1', kind: 'ConfigMap', metadata })
  }

  /** Forgets what has happened: watches from before get 410. */
  compact(): void {
    this.#oldest = this.#version
    this.#journal.length = 0
  }

  /** Sends raw bytes down every watch. */
  sendRaw(bytes: string): void {
    for (const watcher of this.#watchers) watcher.write(bytes)
  }

  /** Resets every watch connection, in mid-line if bytes were sent. */
  breakWatches(): void {
    for (const watcher of this.#watchers) watcher.destroy()
    this.#watchers.clear()
  }

  /** Ends every watch in good order, as servers do after timeoutSeconds. */
  endWatches(): void {
    for (const watcher of this.#watchers) watcher.end()
    this.#watchers.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http?.[Symbol.asyncDispose]()
  }

  #publish(type: string, object: object): void {
    const line = `${JSON.stringify({ type, object })}\n`
    if (type !== 'BOOKMARK') this.#journal.push({ version: this.#version, line })
    for (const watcher of this.#watchers) watcher.write(line)
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://server')
    this.requests.push(`${url.pathname}${url.search}`)
    const instead = this.instead.shift()
    if (instead) {
      instead(request, response)
      return
    }
    response.setHeader('Content-Type', 'application/json')
    if (url.searchParams.get('watch') !== 'true') {
      const metadata = { resourceVersion: String(this.#version) }
      response.end(
        JSON.stringify({ kind: 'ConfigMapList', apiVersion: 'v1', metadata, items: [...this.#objects.values()] }),
      )
      return
    }
    const from = Number(url.searchParams.get('resourceVersion'))
    if (from < this.#oldest) {
      const status = {
        kind: 'Status',
        code: 410,
        reason: 'Expired',
        message: `too old resource version: ${from} (${this.#oldest})`,
      }
      response.end(`${JSON.stringify({ type: 'ERROR', object: status })}\n`)
      return
    }
    response.flushHeaders()
    for (const { version, line } of this.#journal) if (version > from) response.write(line)
    this.#watchers.add(response)
    response.on('close', () => this.#watchers.delete(response))
  }
}
