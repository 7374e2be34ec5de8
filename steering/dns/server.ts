import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net'
import { type Address, newAddress, parseAddress } from '../../reconcilers/steering/address.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import type { ListenAddress } from '../../runtime/ops/listen-address.ts'
import type { Counters } from '../counters.ts'
import { networkOf } from '../network-of.ts'
import { RateWindow } from '../rate-window.ts'
import type { DnsAnswer } from './responder.ts'

export interface DnsServerOptions {
  readonly listen: ListenAddress
  readonly responder: {
    answer(message: Buffer, resolver: Readonly<Address>, udp: boolean): DnsAnswer | undefined
    truncated(message: Buffer): Buffer | undefined
  }
  readonly counters: Counters
  readonly clock: Clock
  readonly log: Log
  /** Answers per second to one network of resolvers over UDP; 0: without bound. */
  readonly perNetwork: number
}

export interface DnsServer {
  /** `host:port`, of UDP and TCP. */
  readonly address: string
  close(): Promise<void>
}

/** A TCP connection on which nothing comes for so long is closed; a resolver that has more to ask opens another. */
const TCP_IDLE_MS = 10_000
const MAX_TCP_CONNECTIONS = 1000
/** Queries that may wait while something else is done; the system gives as much of it as it allows. */
const RECEIVE_BYTES = 4 * 1024 * 1024
/** Of a query: names are at most 255 bytes. */
const MAX_QUERY_BYTES = 4096
/** Answers that wait for a reader that does not read. */
const MAX_UNREAD_BYTES = 256 * 1024
/** Of what is above the rate, one in so many is told to ask again over TCP: a resolver whose address is forged still gets through. */
const SLIP = 2

/** Serves DNS over UDP and TCP on one port. Throws where it cannot be listened on. */
export async function listenDns(options: DnsServerOptions): Promise<DnsServer> {
  const { host = '::', port } = options.listen
  const door = new Door(options)
  // The TCP port first: where any will do, UDP takes the same.
  const tcp = createServer({ noDelay: true }, (socket) => door.converse(socket))
  tcp.maxConnections = MAX_TCP_CONNECTIONS
  await listening(tcp, port, host)
  const { port: bound, address } = tcp.address() as AddressInfo
  const udp = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', ipv6Only: false, recvBufferSize: RECEIVE_BYTES })
  udp.on('message', (message, from) => door.reply(udp, message, from))
  udp.bind(bound, host)
  try {
    await once(udp, 'listening')
  } catch (error) {
    tcp.close()
    throw error
  }
  udp.on('error', (err) => options.log.warn({ err }, 'DNS over UDP'))
  return {
    address: address.includes(':') ? `[${address}]:${bound}` : `${address}:${bound}`,
    async close() {
      udp.close()
      const closed = once(tcp, 'close')
      tcp.close()
      door.close()
      await closed
    },
  }
}

async function listening(server: Server, port: number, host: string): Promise<void> {
  server.listen(port, host)
  await once(server, 'listening')
}

class Door {
  readonly #options: DnsServerOptions
  readonly #rate: RateWindow
  readonly #resolver = newAddress()
  readonly #open = new Set<Socket>()
  #limited = 0

  constructor(options: DnsServerOptions) {
    this.#options = options
    this.#rate = new RateWindow(options.clock, options.perNetwork)
  }

  close(): void {
    for (const socket of this.#open) socket.destroy()
  }

  reply(udp: UdpSocket, message: Buffer, from: RemoteInfo): void {
    const { counters, responder } = this.#options
    if (from.port === 0 || !this.#read(from.address)) return
    const send = (answer: Buffer) => udp.send(answer, from.port, from.address, () => {})
    if (!this.#rate.take(networkOf(this.#resolver))) {
      counters.rateLimited++
      const again = ++this.#limited % SLIP === 0 ? this.#guarded(() => responder.truncated(message)) : undefined
      if (again) send(again)
      return
    }
    const answer = this.#guarded(() => responder.answer(message, this.#resolver, true))
    if (!answer) return
    counters.dnsAnswered(answer.code)
    send(answer.message)
  }

  /** One connection: messages with their length before each. Source: RFC 7766. */
  converse(socket: Socket): void {
    this.#open.add(socket)
    socket.on('close', () => this.#open.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.setTimeout(TCP_IDLE_MS, () => socket.destroy())
    const resolver = socket.remoteAddress ?? ''
    let rest: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      while (rest.length >= 2) {
        const length = rest.readUInt16BE(0)
        if (length > MAX_QUERY_BYTES || socket.writableLength > MAX_UNREAD_BYTES) return void socket.destroy()
        if (rest.length < 2 + length) return
        const message = rest.subarray(2, 2 + length)
        rest = rest.subarray(2 + length)
        if (!this.#converse(socket, resolver, message)) return void socket.destroy()
      }
    })
  }

  #converse(socket: Socket, resolver: string, message: Buffer): boolean {
    const { counters, responder } = this.#options
    if (!this.#read(resolver)) return false
    const answer = this.#guarded(() => responder.answer(message, this.#resolver, false))
    if (!answer) return false
    counters.dnsAnswered(answer.code)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(answer.message.length)
    socket.write(Buffer.concat([length, answer.message]))
    return true
  }

  #read(address: string): boolean {
    return parseAddress(address.replace(/%.*$/, ''), this.#resolver)
  }

  /** What comes from strangers must not end the program, whatever it is. */
  #guarded<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (err) {
      this.#options.log.error({ err }, 'a DNS query failed')
      this.#options.counters.dnsAnswered('Failed')
      return undefined
    }
  }
}
