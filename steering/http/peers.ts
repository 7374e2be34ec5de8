import type { Socket } from 'node:net'
import { type Address, newAddress, parseAddress } from '../../reconcilers/steering/address.ts'
import { type ForwardingHeader, forwardedClient, type TrustedProxies } from './client-address.ts'
import { HttpProblem } from './problem.ts'

/** The other end of a connection. */
export interface Peer {
  readonly address: Address
  readonly trusted: boolean
}

/** Whose request it is: the socket's other end, unless that is a proxy of ours, which tells. */
export class Peers {
  readonly #trusted: TrustedProxies
  /** By which proxies tell. In small letters. */
  readonly header: ForwardingHeader
  readonly #known = new WeakMap<Socket, Peer>()
  readonly #client = newAddress()

  constructor(trusted: TrustedProxies, header: ForwardingHeader) {
    this.#trusted = trusted
    this.header = header
  }

  /** Throws an HttpProblem where the socket has no IP address. */
  peerOf(socket: Socket): Peer {
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

  /** The client's address, by what the header of the request says where the peer is to be believed; valid until the next call. */
  clientOf(peer: Peer, forwarded: string | undefined): Address {
    if (!peer.trusted || forwarded === undefined) return peer.address
    const client = this.#client
    client.v6 = peer.address.v6
    client.words.set(peer.address.words)
    forwardedClient(forwarded, this.header, this.#trusted, client)
    return client
  }

  /** Whether a request may say for which client it asks: one that a trusted proxy makes itself, not one that it passes on for a stranger. */
  mayNameClient(peer: Peer, client: Readonly<Address>): boolean {
    return peer.trusted && this.#trusted.has(client)
  }
}
