import net from 'node:net'
import tls from 'node:tls'
import type { Clock } from '../../runtime/clock.ts'
import { FetchError } from './fetcher.ts'
import { ResponseParser } from './response-parser.ts'

export interface Timeouts {
  /** Until the connection stands. */
  readonly connectMs: number
  /** Without a byte, once it stands. */
  readonly idleMs: number
}

export interface Target {
  readonly tls: boolean
  readonly host: string
  readonly port: number
  /** PEM of authorities to believe besides the system's. */
  readonly ca: string | undefined
}

export interface Exchange {
  /** The request, as it goes over the wire. */
  readonly request: string
  head(status: number, headers: ReadonlyMap<string, string>): void
  data(chunk: Uint8Array): Promise<void> | undefined
  readonly signal: AbortSignal
}

const BUFFER_BYTES = 256 * 1024
/** One is being read into, the others are with the consumer: more in flight would only wait for the disk. */
const BUFFERS = 4

/**
 * One HTTP connection, one request at a time. Reads into a few buffers of its own, again and again, and lends them to the consumer: at
 * hundreds of megabytes a second, a fresh buffer per read costs more than everything else. When all are lent it stops reading.
 */
export class Connection {
  readonly #clock: Clock
  readonly #timeouts: Timeouts
  readonly #target: Target
  readonly #free: Buffer[] = []
  #allocated = 0
  #socket: net.Socket | undefined
  #connected = false
  #paused = false
  #parser: ResponseParser | undefined
  #exchange: Exchange | undefined
  #settle: ((error?: unknown) => void) | undefined
  readonly #lent = new Set<Promise<void>>()
  /** What the read under way has lent out. */
  #lentNow: Promise<void>[] = []
  #activeAtMs = 0
  #used = false
  #answered = false
  /** Lets the watch over silence know that another limit holds. */
  #lookNow: () => void = () => {}

  constructor(target: Target, timeouts: Timeouts, clock: Clock) {
    this.#target = target
    this.#timeouts = timeouts
    this.#clock = clock
  }

  get isOpen(): boolean {
    return this.#socket !== undefined && !this.#socket.destroyed
  }

  /** Whether an earlier exchange went over it: then the other side may have closed it in the meantime. */
  get used(): boolean {
    return this.#used
  }

  /** Whether the exchange under way, or the last one, has had any answer. */
  get answered(): boolean {
    return this.#answered
  }

  /**
   * Sends a request and hands its answer over; resolves once the consumer has given back the last piece. Says whether the connection may be
   * used again. Rejects with FetchError, or with what the consumer threw; then it is closed.
   */
  async exchange(exchange: Exchange): Promise<boolean> {
    if (exchange.signal.aborted) throw aborted(exchange.signal)
    this.#exchange = exchange
    this.#answered = false
    const finished = new Promise<void>((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error))
    })
    this.#parser = new ResponseParser({
      head: (status, headers) => exchange.head(status, headers),
      body: (chunk) => this.#lend(exchange.data(chunk)),
      end: () => this.#settle?.(),
    })
    const onAbort = () => this.#fail(aborted(exchange.signal))
    exchange.signal.addEventListener('abort', onAbort, { once: true })
    this.#activeAtMs = this.#clock.monotonicMs()
    const stopWatch = this.#watchIdle()
    try {
      this.#socket ??= this.#connect()
      this.#socket.write(exchange.request, 'latin1')
      await finished
      await Promise.all(this.#lent)
      return this.#parser.keepAlive && this.isOpen
    } catch (error) {
      this.close()
      // Lent buffers are still being written from: whoever waits for us may close the file next.
      await Promise.allSettled(this.#lent)
      throw error
    } finally {
      this.#used = true
      stopWatch()
      exchange.signal.removeEventListener('abort', onAbort)
      this.#exchange = undefined
      this.#settle = undefined
    }
  }

  close(): void {
    this.#socket?.destroy()
  }

  #connect(): net.Socket {
    const { host, port, ca } = this.#target
    const onread = {
      buffer: () => this.#takeBuffer(),
      callback: (length: number, buffer: Uint8Array) => this.#onRead(length, buffer as Buffer),
    }
    const options = { host, port, onread, noDelay: true }
    const socket = this.#target.tls
      ? tls.connect({
          ...options,
          ALPNProtocols: ['http/1.1'],
          ...(net.isIP(host) ? {} : { servername: host }),
          ...(ca === undefined ? {} : { ca: [...tls.rootCertificates, ca] }),
        })
      : net.connect(options)
    socket.on(this.#target.tls ? 'secureConnect' : 'connect', () => {
      this.#connected = true
      this.#activeAtMs = this.#clock.monotonicMs()
      this.#lookNow()
    })
    socket.on('error', (error) => this.#fail(this.#errorOf(error)))
    socket.on('end', () => this.#onEnd())
    socket.on('close', () => this.#onEnd())
    return socket
  }

  #onRead(length: number, buffer: Buffer): boolean {
    this.#activeAtMs = this.#clock.monotonicMs()
    this.#answered = true
    this.#lentNow = []
    try {
      if (!this.#exchange) throw new FetchError('Protocol', 'the answer goes on after its end')
      this.#parser?.push(buffer.subarray(0, length))
    } catch (error) {
      this.#fail(error)
    }
    if (this.#lentNow.length === 0) this.#free.push(buffer)
    else Promise.allSettled(this.#lentNow).then(() => this.#giveBack(buffer))
    // The next buffer is taken right after this returns; without another one behind it, reading has to wait.
    this.#paused = this.#free.length + BUFFERS - this.#allocated < 2
    return !this.#paused
  }

  #takeBuffer(): Buffer {
    const buffer = this.#free.pop()
    if (buffer) return buffer
    this.#allocated++
    return Buffer.allocUnsafeSlow(BUFFER_BYTES)
  }

  #giveBack(buffer: Buffer): void {
    this.#free.push(buffer)
    if (!this.#paused) return
    this.#paused = false
    this.#activeAtMs = this.#clock.monotonicMs()
    this.#socket?.resume()
  }

  #lend(promise: Promise<void> | undefined): void {
    if (!promise) return
    this.#lent.add(promise)
    this.#lentNow.push(promise)
    promise.then(
      () => this.#lent.delete(promise),
      (error) => {
        this.#lent.delete(promise)
        this.#fail(error)
      },
    )
  }

  #onEnd(): void {
    if (!this.#exchange || this.#parser?.isDone) return
    if (this.#parser?.close()) return
    const where = this.#answered ? 'before the answer was whole' : 'without an answer'
    this.#fail(new FetchError('Closed', `the connection was closed ${where}`))
  }

  #fail(error: unknown): void {
    this.#settle?.(error)
    this.#socket?.destroy()
  }

  #errorOf(error: Error): FetchError {
    const first = error instanceof AggregateError ? (error.errors[0] as Error) : error
    const message = first.message || String(first)
    if (!this.#connected) return new FetchError('Unreachable', message, { cause: error })
    return new FetchError('Closed', `the connection broke: ${message}`, { cause: error })
  }

  /** One timer that looks again, rather than one per read. */
  #watchIdle(): () => void {
    let cancel = () => {}
    const look = () => {
      cancel()
      const limitMs = this.#connected ? this.#timeouts.idleMs : this.#timeouts.connectMs
      // While we make it wait, the other side is not to blame.
      if (this.#paused) this.#activeAtMs = this.#clock.monotonicMs()
      const leftMs = this.#activeAtMs + limitMs - this.#clock.monotonicMs()
      if (leftMs > 0) cancel = this.#clock.after(leftMs, look)
      else if (!this.#connected) this.#fail(new FetchError('Unreachable', `no connection within ${limitMs / 1000} s`))
      else this.#fail(new FetchError('Stalled', `nothing came for ${limitMs / 1000} s`))
    }
    look()
    this.#lookNow = look
    return () => {
      cancel()
      this.#lookNow = () => {}
    }
  }
}

function aborted(signal: AbortSignal): FetchError {
  return new FetchError('Aborted', 'aborted', { cause: signal.reason })
}
