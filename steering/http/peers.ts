import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type Address, newAddress, parseAddress } from '../../reconcilers/steering/address.ts'
import { type ForwardingHeader, forwardedClient, type TrustedProxies } from './client-address.ts'
import { HttpProblem } from './problem.ts'
import { rawHeader } from './raw-header.ts'

interface Peer {
  readonly address: Address
  readonly trusted: boolean
}

/** Whose request it is: the socket's other end, unless that is a proxy of ours, which tells. */
export class Peers {
  readonly #trusted: TrustedProxies
  readonly #header: ForwardingHeader
  readonly #known = new WeakMap<Socket, Peer>()
  readonly #client = newAddress()

  constructor(trusted: TrustedProxies, header: ForwardingHeader) {
    this.#trusted = trusted
    this.#header = header
  }

  /** The client's address; valid until the next call. */
  clientOf(req: IncomingMessage): Address {
    const peer = this.#peerOf(req)
    if (!peer.trusted) return peer.address
    const header = rawHeader(req, this.#header)
    if (header === undefined) return peer.address
    const client = this.#client
    client.v6 = peer.address.v6
    client.words.set(peer.address.words)
    forwardedClient(header, this.#header, this.#trusted, client)
    return client
  }

  /** Whether the request may say for which client it asks: one that a trusted proxy makes itself, not one that it passes on for a stranger. */
  mayNameClient(req: IncomingMessage): boolean {
    return this.#peerOf(req).trusted && this.#trusted.has(this.clientOf(req))
  }

  #peerOf({ socket }: IncomingMessage): Peer {
    const known = this.#known.get(socket)
    if (known) return known
    const address = newAddress()
    // A socket that is closed already has none; nobody will read the answer.
    const text = (socket.remoteAddress ?? '0.0.0.0').replace(/%.*$/, '')
    if (!parseAddress(text, address)) throw new HttpProblem(400, 'Invalid', 'the connection has no IP address')
    const peer = { address, trusted: this.#trusted.has(address) }
    this.#known.set(socket, peer)
    return peer
  }
}
