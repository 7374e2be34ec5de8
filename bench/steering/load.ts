import { connect, type OnReadOpts, type Socket } from 'node:net'

/** An answer and its head fit into it, mostly. */
const BUFFER_BYTES = 8192

/** One connection that asks and waits for the answer, over and over. It reads into one buffer: a client that is slower than who answers measures itself. */
class Asker {
  readonly #socket: Socket
  #left = 0
  #onAnswer: (() => void) | undefined
  #isClosed = false

  private constructor(port: number, from: string) {
    const callback = (bytes: number, buffer: Uint8Array) => {
      this.#read(bytes, buffer as Buffer)
      return true
    }
    const onread: OnReadOpts = { buffer: Buffer.alloc(BUFFER_BYTES), callback }
    this.#socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true, onread })
  }

  static async open(port: number, from: string): Promise<Asker> {
    const asker = new Asker(port, from)
    await new Promise<void>((resolve, reject) => {
      asker.#socket.once('connect', resolve)
      asker.#socket.once('error', reject)
    })
    asker.#socket.once('close', () => {
      if (!asker.#isClosed) throw new Error('the server has closed a connection')
    })
    return asker
  }

  ask(request: Buffer, onAnswer: () => void): void {
    this.#onAnswer = onAnswer
    this.#socket.write(request)
  }

  close(): void {
    this.#isClosed = true
    this.#socket.destroy()
  }

  #read(bytes: number, buffer: Buffer): void {
    if (this.#left === 0) {
      const text = buffer.toString('latin1', 0, Math.min(bytes, 400))
      const end = text.indexOf('\r\n\r\n')
      if (!text.startsWith('HTTP/1.1 200') || end < 0) throw new Error(`answered ${text}`)
      this.#left = end + 4 + Number.parseInt(text.slice(text.indexOf('Content-Length: ') + 16), 10)
    }
    this.#left -= bytes
    if (this.#left > 0) return
    const onAnswer = this.#onAnswer!
    this.#onAnswer = undefined
    onAnswer()
  }
}

/** What is asked in turn, and the addresses of this machine that it comes from. */
export interface Questions {
  readonly requests: readonly Buffer[]
  readonly from: readonly string[]
}

/** Connections to one server, kept from one measurement to the next. */
export class Load {
  readonly #requests: readonly Buffer[]
  readonly #askers: readonly Asker[]
  #at = 0
  #turn = 0

  private constructor(requests: readonly Buffer[], askers: readonly Asker[]) {
    this.#requests = requests
    this.#askers = askers
  }

  static async open(port: number, { requests, from }: Questions, connections: number): Promise<Load> {
    const opened = Array.from({ length: connections }, (_, i) => Asker.open(port, from[i % from.length]!))
    return new Load(requests, await Promise.all(opened))
  }

  close(): void {
    for (const asker of this.#askers) asker.close()
  }

  /** How many answers come, and in how many seconds, when so many of the connections ask without a pause. */
  async full(connections: number, ms: number): Promise<{ readonly answers: number; readonly seconds: number }> {
    const startedMs = performance.now()
    const endMs = startedMs + ms
    let answers = 0
    const run = (asker: Asker) =>
      new Promise<void>((resolve) => {
        const next = () => {
          if (performance.now() >= endMs) return resolve()
          asker.ask(this.#next(), () => {
            answers++
            next()
          })
        }
        next()
      })
    // All have their turn: one that is silent for long is closed.
    const whose = Array.from({ length: connections }, () => this.#askers[this.#turn++ % this.#askers.length]!)
    await Promise.all(whose.map(run))
    return { answers, seconds: (performance.now() - startedMs) / 1000 }
  }

  /** Latencies in ms, rising, of requests that come at a rate whether or not those before have been answered; measured from when each was due. */
  async paced(perSecond: number, ms: number): Promise<Float64Array> {
    const free = [...this.#askers]
    const count = Math.floor((perSecond * ms) / 1000)
    const latencies = new Float64Array(count)
    const startedMs = performance.now()
    let sent = 0
    let answered = 0
    await new Promise<void>((resolve) => {
      const send = (asker: Asker) => {
        const mine = sent++
        const dueMs = startedMs + (mine * 1000) / perSecond
        asker.ask(this.#next(), () => {
          latencies[mine] = performance.now() - dueMs
          free.push(asker)
          if (++answered === count) resolve()
        })
      }
      const tick = () => {
        const due = Math.min(count, Math.floor(((performance.now() - startedMs) * perSecond) / 1000))
        while (sent < due && free.length > 0) send(free.pop()!)
        if (sent < count) setImmediate(tick)
      }
      tick()
    })
    return latencies.sort()
  }

  #next(): Buffer {
    return this.#requests[this.#at++ % this.#requests.length]!
  }
}
