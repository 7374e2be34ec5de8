import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net'
import { type Address, newAddress, parseAddress } from '../../reconcilers/steering/address.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import type { ListenAddress } from '../../runtime/ops/listen-address.ts'
import type { Counters } from '../counters.ts'
import { clientKey, networkOf } from '../network-of.ts'
import { RateWindow } from '../rate-window.ts'
import { Conversation, MAX_QUERY_BYTES } from './conversation.ts'
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

/** TCP connections at the same time. When one more comes, the one that has said nothing for longest is closed: it may be opened again. */
const MAX_TCP_CONNECTIONS = 1000
/** Of one client, which needs only one: an IPv4 address, or a /64. Source: RFC 7766 section 6.2.2. */
const MAX_TCP_PER_CLIENT = 20
/** Queries that may wait while something else is done; the system gives as much of it as it allows. */
const RECEIVE_BYTES = 4 * 1024 * 1024
/** Answers over UDP that wait for the network; above, none is given. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024
/** Of what is above the rate, one in so many is told to ask again over TCP: a resolver whose address is forged still gets through. */
const SLIP = 2

/** Serves DNS over UDP and TCP on one port. Throws where it cannot be listened on. */
export async function listenDns(options: DnsServerOptions): Promise<DnsServer> {
  const { host = '::', port } = options.listen
  const door = new Door(options)
  // The TCP port first: where any will do, UDP takes the same.
  const tcp = createServer({ noDelay: true }, (socket) => door.converse(socket))
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
  /** On its own: who is flooded in the name of others is to get through over TCP. */
  readonly #tcpRate: RateWindow
  readonly #resolver = newAddress()
  /** Those that have asked something last come last. */
  readonly #open = new Set<Socket>()
  readonly #perClient = new Map<number | string, number>()
  #limited = 0

  constructor(options: DnsServerOptions) {
    this.#options = options
    this.#rate = new RateWindow(options.clock, options.perNetwork)
    this.#tcpRate = new RateWindow(options.clock, options.perNetwork)
  }

  close(): void {
    for (const socket of this.#open) socket.destroy()
  }

  reply(udp: UdpSocket, message: Buffer, from: RemoteInfo): void {
    const { counters, responder } = this.#options
    if (from.port === 0 || message.length > MAX_QUERY_BYTES || !this.#read(from.address)) return
    if (udp.getSendQueueSize() > MAX_UNSENT_BYTES) return
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

  converse(socket: Socket): void {
    const { counters, clock } = this.#options
    const from = socket.remoteAddress ?? ''
    if (!this.#read(from)) return void socket.destroy()
    const client = clientKey(this.#resolver)
    const network = networkOf(this.#resolver)
    const count = this.#perClient.get(client) ?? 0
    if (count >= MAX_TCP_PER_CLIENT) {
      counters.refusedConnections++
      return void socket.destroy()
    }
    this.#perClient.set(client, count + 1)
    for (const longest of this.#open) {
      if (this.#open.size < MAX_TCP_CONNECTIONS) break
      counters.refusedConnections++
      this.#open.delete(longest)
      longest.destroy()
    }
    this.#open.add(socket)
    socket.on('close', () => {
      this.#open.delete(socket)
      const left = this.#perClient.get(client)! - 1
      if (left === 0) this.#perClient.delete(client)
      else this.#perClient.set(client, left)
    })
    new Conversation({
      ...{ socket, clock },
      answer: (message) => this.#answer(message, from),
      mayAsk: () => {
        const may = this.#tcpRate.take(network)
        if (!may) counters.rateLimited++
        return may
      },
      onAsked: () => {
        // Closed to make room, it has a question on its way all the same.
        if (this.#open.delete(socket)) this.#open.add(socket)
      },
    })
  }

  #answer(message: Buffer, from: string): Buffer | undefined {
    const { counters, responder } = this.#options
    this.#read(from)
    const answer = this.#guarded(() => responder.answer(message, this.#resolver, false))
    if (!answer) return undefined
    counters.dnsAnswered(answer.code)
    return answer.message
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
