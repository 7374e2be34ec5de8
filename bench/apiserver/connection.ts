import { connect, type TLSSocket } from 'node:tls'
import type { KeyPair } from '../../runtime/certificates/issue.ts'

/** Where a server is, whom to trust, who to be. */
export interface Access {
  readonly host: string
  readonly port: number
  readonly authority: string
  readonly client: KeyPair
}

export interface Answer {
  readonly status: number
  readonly body: string
}

/**
 * HTTP/1.1 over one TLS connection, one request at a time, with little code: a load generator must cost less than the server it loads. Knows
 * just what API servers answer: Content-Length or chunked.
 */
export class Connection {
  readonly #socket: TLSSocket
  #received: Buffer = Buffer.alloc(0)
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined

  static open({ host, port, authority, client }: Access): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const options = {
        host,
        port,
        ca: authority,
        cert: client.certificate,
        key: client.key,
        ALPNProtocols: ['http/1.1'],
      }
      const socket = connect(options, () => {
        socket.off('error', reject)
        resolve(new Connection(socket))
      })
      socket.once('error', reject)
    })
  }

  constructor(socket: TLSSocket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (data) => this.#take(data))
    socket.on('error', (error) => this.#waiting?.reject(error))
    socket.on('close', () => this.#waiting?.reject(new Error('the server closed the connection')))
  }

  request(method: string, path: string, body = ''): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      const length =
        body === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
      this.#socket.write(
        `${method} ${path} HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\n${length}\r\n${body}`,
      )
    })
  }

  /** Sends a watch; calls back with whatever comes. Nothing else can be asked of this connection any more. */
  watch(path: string, onData: (data: Buffer) => void): void {
    this.#socket.removeAllListeners('data')
    this.#socket.on('data', onData)
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\n\r\n`)
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(data: Buffer): void {
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data])
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const head = this.#received.toString('latin1', 0, headEnd)
    const start = headEnd + 4
    const length = /^content-length: (\d+)/im.exec(head)
    let body: string
    if (length) {
      if (this.#received.length < start + Number(length[1])) return
      body = this.#received.toString('utf8', start)
    } else {
      if (!this.#received.subarray(start).toString('latin1').endsWith('0\r\n\r\n')) return
      body = this.#received.toString('utf8', start).replace(/(^|\r\n)[0-9a-f]+\r\n/g, '')
    }
    this.#received = Buffer.alloc(0)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve({ status: Number(head.slice(9, 12)), body })
  }
}
