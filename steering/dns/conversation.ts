import type { Socket } from 'node:net'
import type { Clock } from '../../runtime/clock.ts'

export interface ConversationOptions {
  readonly socket: Socket
  readonly clock: Clock
  /** The answer to a question; undefined: none is due, and who asks so is not listened to any longer. */
  readonly answer: (message: Buffer) => Buffer | undefined
  /** Whether one more may be asked now. */
  readonly mayAsk: () => boolean
  /** A whole question has come. */
  readonly onAsked: () => void
}

/** A connection on which no whole question comes for so long, or whose answers nobody reads, is closed; who has more to ask opens another. */
export const IDLE_MS = 10_000
/** Of a question: names are at most 255 bytes, and options few. */
export const MAX_QUERY_BYTES = 4096
/** Questions that are answered before others get their turn. */
const AT_ONCE = 16
/** How long somebody waits who has asked as often as he may. */
const WAIT_MS = 250

/**
 * One TCP connection: messages with their length before each, as many one after the other as the other side likes; answered in order. What comes faster
 * than it may, or than its answers are read, is left in the network. Source: RFC 7766 sections 6.2 and 8.
 */
export class Conversation {
  readonly #options: ConversationOptions
  #rest: Buffer = Buffer.alloc(0)
  #waiting = false
  #cancelIdle = () => {}
  #cancelWait = () => {}

  constructor(options: ConversationOptions) {
    this.#options = options
    const { socket } = options
    socket.on('close', () => {
      this.#cancelIdle()
      this.#cancelWait()
    })
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
      this.#pump()
    })
    socket.on('drain', () => {
      this.#heard()
      this.#goOn()
    })
    this.#heard()
  }

  /** Answers what is there, as far as it may. */
  #pump(): void {
    const { socket, answer, mayAsk, onAsked, clock } = this.#options
    if (this.#waiting) return
    for (let answered = 0; this.#rest.length >= 2; answered++) {
      const length = this.#rest.readUInt16BE(0)
      if (length > MAX_QUERY_BYTES) return void socket.destroy()
      if (this.#rest.length < 2 + length) return
      // `drain` goes on from here.
      if (socket.writableNeedDrain) {
        this.#pause()
        return
      }
      if (answered === AT_ONCE || !mayAsk()) {
        this.#pause()
        this.#cancelWait = clock.after(answered === AT_ONCE ? 0 : WAIT_MS, () => {
          this.#heard()
          this.#goOn()
        })
        return
      }
      const message = this.#rest.subarray(2, 2 + length)
      this.#rest = this.#rest.subarray(2 + length)
      this.#heard()
      onAsked()
      const reply = answer(message)
      if (!reply) return void socket.destroy()
      const framed = Buffer.allocUnsafe(2 + reply.length)
      framed.writeUInt16BE(reply.length)
      framed.set(reply, 2)
      socket.write(framed)
    }
  }

  #pause(): void {
    this.#waiting = true
    this.#cancelWait()
    this.#options.socket.pause()
  }

  #goOn(): void {
    if (!this.#waiting) return
    this.#waiting = false
    this.#options.socket.resume()
    this.#pump()
  }

  #heard(): void {
    const { clock, socket } = this.#options
    this.#cancelIdle()
    this.#cancelIdle = clock.after(IDLE_MS, () => socket.destroy())
  }
}
