import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { ServerCertificate } from '../../runtime/certificates/certificate-files.ts'
import type { ListenAddress } from '../../runtime/ops/listen-address.ts'

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

/** Listens for players; over TLS where there is a certificate. Throws where the address cannot be listened on. */
export async function listenHttp(
  { host, port }: ListenAddress,
  tls: ServerCertificate | undefined,
  limits: HttpLimits,
  handle: (req: IncomingMessage, res: ServerResponse) => void,
): Promise<HttpServer> {
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
      const timer = setTimeout(() => server.closeAllConnections(), DRAIN_MS)
      await closed
      clearTimeout(timer)
    },
  }
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
