import type { Socket } from 'node:net'
import type { Clock } from '../../runtime/clock.ts'
import type { Api } from './api.ts'
import type { Peer, Peers } from './peers.ts'
import { readPlainHead } from './plain-head.ts'
import type { ReplyHeads } from './reply-heads.ts'

/** A question that is longer than this, head and body, is not for the quick lane. */
const MOST_BYTES = 8192
/** How often it is looked who has been silent for too long. */
const SWEEP_MS = 1000

export interface QuickLaneOptions {
  readonly api: Api
  readonly peers: Peers
  readonly heads: ReplyHeads
  readonly clock: Clock
  /** How long a connection may be silent before its first question, and after one. */
  readonly firstMs: number
  readonly keepAliveMs: number
  /** Takes a connection over on which something else has come than a plain question. */
  readonly giveWay: (socket: Socket) => void
}

interface Connection {
  readonly socket: Socket
  readonly peer: Peer
  /** When it is closed unless something comes: monotonic ms. */
  untilMs: number
  /** Leaves the lane. */
  readonly leave: () => void
}

/**
 * Answers plain questions that come in one piece right from the socket: node:http makes four objects and eight events of each request, which costs more than
 * the answer does. The first thing on a connection that is not such a question, whatever it is, gives the connection over to node:http, which then
 * has it for good: what is malformed, in pieces, several at once, long, or not of the few headers that are understood here is its affair.
 */
export class QuickLane {
  readonly #options: QuickLaneOptions
  readonly #connections = new Set<Connection>()
  #cancelSweep: (() => void) | undefined

  constructor(options: QuickLaneOptions) {
    this.#options = options
  }

  /** Takes a new connection. */
  take(socket: Socket): void {
    const { peers, clock, firstMs, giveWay } = this.#options
    let peer: Peer
    try {
      peer = peers.peerOf(socket)
    } catch {
      // Told by whoever knows how.
      giveWay(socket)
      return
    }
    const onData = (chunk: NonSharedBuffer) => {
      if (this.#answer(connection, chunk)) giveBack(chunk)
      else this.#giveWay(connection, chunk)
    }
    const onEnd = () => socket.destroySoon()
    // Its client is gone; 'close' follows.
    const onError = () => {}
    const onDrain = () => socket.resume()
    const onClose = () => this.#connections.delete(connection)
    const connection: Connection = {
      ...{ socket, peer, untilMs: clock.monotonicMs() + firstMs },
      leave: () => {
        this.#connections.delete(connection)
        socket.off('data', onData).off('end', onEnd).off('error', onError).off('drain', onDrain).off('close', onClose)
      },
    }
    this.#connections.add(connection)
    socket.on('data', onData).on('end', onEnd).on('error', onError).on('drain', onDrain).on('close', onClose)
    this.#cancelSweep ??= clock.after(SWEEP_MS, () => this.#sweep())
  }

  /** Closes what is in the lane, when what was answered has been written. */
  close(): void {
    this.#cancelSweep?.()
    for (const { socket } of this.#connections) socket.destroySoon()
  }

  /** Breaks off what is left. */
  breakOff(): void {
    for (const { socket } of this.#connections) socket.destroy()
  }

  /** False where that is nothing for the lane; nothing has been done then. */
  #answer(connection: Connection, chunk: Buffer): boolean {
    const { api, peers, heads, keepAliveMs } = this.#options
    if (chunk.length > MOST_BYTES) return false
    const { socket, peer } = connection
    const head = readPlainHead(chunk.toString('latin1'), peers.header)
    if (head === undefined || head.end + head.bodyBytes !== chunk.length) return false
    const { method, target, origin, forwarded, end } = head
    const body = head.bodyBytes === 0 ? '' : chunk.toString('utf8', end)
    const reply = api.answer({ method, target, body, peer, forwarded })
    const { wall } = api
    const isTaken = socket.write(heads.text(reply, origin, wall.date) + reply.body, reply.isAscii ? 'latin1' : 'utf8')
    connection.untilMs = wall.followedMs + keepAliveMs
    // Whoever asks and does not read is not listened to.
    if (!isTaken) socket.pause()
    return true
  }

  #giveWay(connection: Connection, chunk: Buffer): void {
    const { socket } = connection
    connection.leave()
    this.#options.giveWay(socket)
    socket.unshift(chunk)
  }

  #sweep(): void {
    const { clock } = this.#options
    const nowMs = clock.monotonicMs()
    for (const { socket, untilMs } of this.#connections) if (untilMs <= nowMs) socket.destroy()
    this.#cancelSweep = this.#connections.size === 0 ? undefined : clock.after(SWEEP_MS, () => this.#sweep())
  }
}

/**
 * Gives back the memory of what was read and is needed no more. Each read gets memory of its own, outside of the heap; left to the garbage collector, that
 * of some eight thousand questions is given back in one pause of 3 ms, which is what the slowest one in a hundred then waits for.
 */
function giveBack({ buffer, length }: NonSharedBuffer): void {
  // Memory that is shared with others, as of Node's pool, is theirs.
  if (buffer.byteLength === length) buffer.transfer(0)
}
