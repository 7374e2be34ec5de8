import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Metrics } from '../metrics/metrics.ts'
import type { ListenAddress } from './listen-address.ts'

/** Names of what is looked at, each with what is wrong with it, or undefined where nothing is. */
export type Checks = () => Readonly<Record<string, string | undefined>>

export interface OpsOptions {
  readonly listen: ListenAddress
  readonly metrics: Metrics
  /** What a restart would help with. Never the API server: all would restart, and help nothing. */
  readonly health: Checks
  /** What the program must have to do its work. */
  readonly readiness: Checks
}

export interface OpsServer {
  readonly url: string
  close(): Promise<void>
}

/** Serves `/healthz`, `/readyz` and `/metrics` to kubelet and Prometheus, over HTTP. Throws where the address cannot be listened on. */
export async function startOpsServer(options: OpsOptions): Promise<OpsServer> {
  const server = createServer((req, res) => {
    answer(options, req, res).catch((error: unknown) => send(res, 500, `${(error as Error).message}\n`))
  })
  const { host, port } = options.listen
  server.listen(port, host)
  await once(server, 'listening')
  const { address, port: bound } = server.address() as AddressInfo
  return {
    url: `http://${host === undefined ? 'localhost' : address.includes(':') ? `[${address}]` : address}:${bound}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(options: OpsOptions, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { metrics, health, readiness } = options
  const path = req.url?.split('?', 1)[0]
  if (req.method !== 'GET' && req.method !== 'HEAD') send(res, 405, 'only GET\n', { Allow: 'GET, HEAD' })
  else if (path === '/metrics') send(res, 200, await metrics.text(), { 'Content-Type': metrics.contentType })
  else if (path === '/healthz' || path === '/livez') report(res, 'healthz', health())
  else if (path === '/readyz') report(res, 'readyz', readiness())
  else send(res, 404, 'not found: there are /healthz, /readyz and /metrics\n')
}

/** As API servers report: a line for each check. */
function report(res: ServerResponse, name: string, checks: ReturnType<Checks>): void {
  const entries = Object.entries(checks)
  const failed = entries.some(([, problem]) => problem !== undefined)
  const lines = entries.map(([check, problem]) =>
    problem === undefined ? `[+]${check} ok` : `[-]${check}: ${problem}`,
  )
  send(res, failed ? 500 : 200, `${[...lines, `${name} check ${failed ? 'failed' : 'passed'}`].join('\n')}\n`)
}

function send(res: ServerResponse, status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
  const all = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store', ...headers }
  res.writeHead(status, all).end(text)
}
