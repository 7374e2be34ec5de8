import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { ServerCertificate } from '../../runtime/certificates/certificate-files.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { ListenAddress } from '../../runtime/ops/listen-address.ts'
import type { Api } from './api.ts'
import type { Peers } from './peers.ts'
import { QuickLane, type QuickLaneOptions } from './quick-lane.ts'
import { ReplyHeads } from './reply-heads.ts'
import { requestHandler } from './request-handler.ts'

/** Bounds on what strangers may take. */
export interface HttpLimits {
  readonly maxConnections: number
  readonly maxHeaderBytes: number
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly keepAliveMs: number
}

export const HTTP_LIMITS: HttpLimits = {
  maxConnections: 20_000,
  maxHeaderBytes: 8192,
  headersTimeoutMs: 5000,
  requestTimeoutMs: 10_000,
  keepAliveMs: 65_000,
}

export interface HttpServer {
  /** `http://host:port`, or `https:`. */
  readonly url: string
  readonly listening: boolean
  /** Connections that were refused because there were too many. */
  readonly refused: number
  useCertificate(certificate: ServerCertificate): void
  /** Takes no more connections, lets requests under way end, and breaks off what then is left. */
  close(): Promise<void>
}

const MIN_VERSION = 'TLSv1.2'
/** How long requests under way may take to end when the program ends. */
const DRAIN_MS = 2000

export interface HttpServerOptions {
  readonly listen: ListenAddress
  readonly tls?: ServerCertificate | undefined
  readonly limits: HttpLimits
  readonly api: Api
  readonly peers: Peers
  /** Origins of pages whose players may read answers; `*`: all. */
  readonly corsOrigins: readonly string[]
  readonly clock: Clock
}

/** Listens for players; over TLS where there is a certificate. Throws where the address cannot be listened on. */
export async function listenHttp({
  listen: { host, port },
  tls,
  limits,
  api,
  peers,
  corsOrigins,
  clock,
}: HttpServerOptions): Promise<HttpServer> {
  const heads = new ReplyHeads(corsOrigins, limits.keepAliveMs)
  const handle = requestHandler({ api, peers, heads })
  const options = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveMs,
    noDelay: true,
  }
  const server: Server | SecureServer = tls
    ? createSecureServer({ ...options, ...tls, minVersion: MIN_VERSION }, handle)
    : createServer(options, handle)
  const lane = tls ? undefined : quickLane(server as Server, { api, peers, heads, clock }, limits)
  server.maxConnections = limits.maxConnections
  let refused = 0
  server.on('drop', () => refused++)
  server.on('clientError', refuse)
  server.on('tlsClientError', (_: Error, socket: Socket) => socket.destroy())
  server.listen(port, host)
  await once(server, 'listening')
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `${tls ? 'https' : 'http'}://${host === undefined ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${bound}`,
    get listening() {
      return server.listening
    },
    get refused() {
      return refused
    },
    useCertificate(certificate) {
      if ('setSecureContext' in server) server.setSecureContext({ ...certificate, minVersion: MIN_VERSION })
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      lane?.close()
      const timer = setTimeout(() => {
        server.closeAllConnections()
        lane?.breakOff()
      }, DRAIN_MS)
      await closed
      clearTimeout(timer)
    },
  }
}

/** Has new connections begin in the quick lane. What is no plain question there goes on as it would have without. */
function quickLane(
  server: Server,
  parts: Pick<QuickLaneOptions, 'api' | 'peers' | 'heads' | 'clock'>,
  { requestTimeoutMs, keepAliveMs }: HttpLimits,
): QuickLane {
  const [connected] = server.listeners('connection')
  server.removeAllListeners('connection')
  const lane = new QuickLane({
    ...parts,
    ...{ firstMs: requestTimeoutMs, keepAliveMs },
    giveWay: (socket) => connected!.call(server, socket),
  })
  server.on('connection', (socket) => lane.take(socket))
  return lane
}

/** What is no HTTP, is too long or takes too long is the client's affair. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request'
  if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
  else socket.destroy()
}
