import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { parse } from 'yaml'
import { type RequestInfo, requestInfo } from './request-info.ts'

export interface SeenRequest extends RequestInfo {
  /** Of the answer; 0 where a fault came instead. */
  readonly status: number
  /** The body of a write, parsed; of other requests undefined. */
  readonly body: unknown
}

/** What happens to a request before, or instead of, its being passed on. */
export type Fault =
  | { readonly type: 'delay'; readonly ms: number }
  /** Passed on once this has happened. */
  | { readonly type: 'hold'; readonly until: Promise<unknown> }
  | { readonly type: 'answer'; readonly status: number; readonly reason: string; readonly retryAfterSeconds?: number }
  | { readonly type: 'break' }

export interface ApiProxyOptions {
  /** The server behind it, and as whom it is asked. */
  readonly kubeconfigPath: string
  /** Every request is made as this user. */
  readonly impersonate?: { readonly user: string; readonly groups: readonly string[] }
  /** Headers of answers that are not passed on, in lower case: what another server would not send. */
  readonly withoutHeaders?: readonly string[]
}

/** A door in front of an API server that writes down who asks for what, and can be made to stick. */
export class ApiProxy implements AsyncDisposable {
  readonly seen: SeenRequest[] = []
  /** Asked for every request; undefined: nothing happens to it. */
  fault: ((request: RequestInfo) => Fault | undefined) | undefined
  readonly #server = createServer((req, res) => {
    this.#pass(req, res).catch(() => res.destroy())
  })
  readonly #upstream: URL
  readonly #agent: Agent
  readonly #as: Readonly<Record<string, string | string[]>>
  readonly #withoutHeaders: readonly string[]

  private constructor({ kubeconfigPath, impersonate, withoutHeaders = [] }: ApiProxyOptions) {
    this.#withoutHeaders = withoutHeaders
    const { clusters, users } = parse(readFileSync(kubeconfigPath, 'utf8')) as Kubeconfig
    const { cluster } = clusters[0]!
    const { user } = users[0]!
    const pem = (fields: Fields, name: string) =>
      fields[`${name}-data`] ? Buffer.from(fields[`${name}-data`]!, 'base64') : readFileSync(fields[name]!)
    this.#upstream = new URL(cluster.server!)
    this.#agent = new Agent({
      keepAlive: true,
      ca: pem(cluster, 'certificate-authority'),
      cert: pem(user, 'client-certificate'),
      key: pem(user, 'client-key'),
    })
    this.#as = impersonate ? { 'impersonate-user': impersonate.user, 'impersonate-group': [...impersonate.groups] } : {}
  }

  static async start(options: ApiProxyOptions): Promise<ApiProxy> {
    const proxy = new ApiProxy(options)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  /** Writes a kubeconfig of the proxy, and gives its path back. */
  writeKubeconfig(path: string): string {
    const { port } = this.#server.address() as AddressInfo
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'proxy',
      contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
      clusters: [{ name: 'proxy', cluster: { server: `http://127.0.0.1:${port}` } }],
      users: [{ name: 'proxy', user: {} }],
    }
    writeFileSync(path, JSON.stringify(config))
    return path
  }

  /** Breaks every connection, watches included. */
  cut(): void {
    this.#server.closeAllConnections()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.cut()
    await closed
    this.#agent.destroy()
  }

  async #pass(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await bodyOf(req)
    const info = requestInfo(req.method ?? '', req.url ?? '/')
    const note = (status: number) => this.seen.push({ ...info, status, body: parsed(body) })
    const fault = this.fault?.(info)
    if (fault && (fault.type === 'break' || fault.type === 'answer')) {
      note(0)
      if (fault.type === 'break') req.socket.destroy()
      else refuse(res, fault)
      return
    }
    if (fault?.type === 'hold') await fault.until
    else if (fault) await delay(fault.ms, undefined, { ref: false })
    const { host: _, connection: __, 'content-length': ___, 'transfer-encoding': ____, ...headers } = req.headers
    const { hostname, port } = this.#upstream
    const options = { agent: this.#agent, host: hostname, port, method: req.method, path: req.url }
    const forward = request({ ...options, headers: { ...headers, ...this.#as, 'content-length': body.length } })
    forward.on('response', (answer) => {
      note(answer.statusCode ?? 0)
      const { connection: _____, 'transfer-encoding': ______, ...own } = answer.headers
      for (const name of this.#withoutHeaders) delete own[name]
      res.writeHead(answer.statusCode ?? 502, own)
      // A watch that has nothing to say yet has been taken all the same.
      res.flushHeaders()
      answer.on('error', () => res.destroy())
      answer.on('aborted', () => res.destroy())
      answer.pipe(res)
    })
    forward.on('error', () => {
      note(0)
      res.destroy()
    })
    res.on('close', () => forward.destroy())
    forward.end(body)
  }
}

type Fields = Readonly<Record<string, string>>
interface Kubeconfig {
  readonly clusters: readonly { readonly cluster: Fields }[]
  readonly users: readonly { readonly user: Fields }[]
}

async function bodyOf(req: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function parsed(body: Buffer): unknown {
  if (body.length === 0) return undefined
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

/** As an API server says it. */
function refuse(res: ServerResponse, { status, reason, retryAfterSeconds }: Extract<Fault, { type: 'answer' }>): void {
  const message = `the test says ${reason}`
  const body = JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message, code: status })
  res.writeHead(status, {
    'content-type': 'application/json',
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
  })
  res.end(body)
}
