import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { ServerCertificate } from '../../runtime/certificates/certificate-files.ts'

export interface ListenAddress {
  /** Undefined: on every address of this machine. */
  readonly host: string | undefined
  /** 0: any that is free. */
  readonly port: number
}

export interface HttpsServer {
  readonly url: string
  /** False once it takes no more connections. */
  readonly listening: boolean
  /** Shows this to who connects from now on; connections that are open stay. Throws where it cannot be used. */
  useCertificate(certificate: ServerCertificate): void
  /** Takes no more connections, and breaks those that are open. */
  close(): Promise<void>
}

const MIN_VERSION = 'TLSv1.2'
/** A client that sends a request this slowly is not one of ours. */
const REQUEST_TIMEOUT_MS = 60_000
/** A connection on which nothing moves, either way, for so long is broken: a reader that does not read, a peer that is gone. */
const IDLE_MS = 60_000

export async function listenHttps(
  { host, port }: ListenAddress,
  tls: ServerCertificate,
  handle: (req: IncomingMessage, res: ServerResponse) => void,
): Promise<HttpsServer> {
  const server = createServer(
    {
      ...tls,
      minVersion: MIN_VERSION,
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: 15_000,
      keepAliveTimeout: 30_000,
      maxHeaderSize: 16_384,
    },
    handle,
  )
  server.setTimeout(IDLE_MS)
  server.on('secureConnection', (socket) => {
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 30_000)
  })
  // Malformed requests and failed handshakes are the client's affair.
  server.on('clientError', (_, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    else socket.destroy()
  })
  server.on('tlsClientError', (_, socket) => socket.destroy())
  server.listen(port, host)
  await once(server, 'listening')
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `https://${host === undefined ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${bound}`,
    get listening() {
      return server.listening
    },
    useCertificate: (certificate) => server.setSecureContext({ ...certificate, minVersion: MIN_VERSION }),
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
