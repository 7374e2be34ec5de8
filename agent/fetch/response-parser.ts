import { FetchError } from './fetcher.ts'

export interface ResponseEvents {
  head(status: number, headers: ReadonlyMap<string, string>): void
  /** A piece of the body: a view of the bytes that were pushed. */
  body(chunk: Uint8Array): void
  end(): void
}

const MAX_HEAD_BYTES = 64 * 1024
const HEAD_END = Buffer.from('\r\n\r\n')
const CR = 0x0d
const LF = 0x0a

type State = 'head' | 'length' | 'close' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailer' | 'done'

/**
 * Reads answers to GET as HTTP/1.1 frames them (RFC 9112 §6): by length, in chunks, or up to the end of the connection. Pure: bytes in,
 * events out, whatever the borders of the pieces they come in. Throws FetchError `Protocol`.
 */
export class ResponseParser {
  readonly #events: ResponseEvents
  #state: State = 'head'
  /** Bytes of a head or a line that is not complete yet. */
  #rest: Buffer = Buffer.alloc(0)
  /** Bytes left of the body, or of the chunk. */
  #left = 0
  #keepAlive = false

  constructor(events: ResponseEvents) {
    this.#events = events
  }

  get isDone(): boolean {
    return this.#state === 'done'
  }

  /** Whether the connection may be asked again once this answer is done. */
  get keepAlive(): boolean {
    return this.#keepAlive
  }

  push(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length) {
      switch (this.#state) {
        case 'head':
          at = this.#pushHead(bytes, at)
          break
        case 'length':
        case 'chunk-data':
        case 'close':
          at = this.#pushBody(bytes, at)
          break
        case 'done':
          // We never ask twice before an answer: more bytes belong to nothing.
          this.#keepAlive = false
          return
        default:
          at = this.#pushLine(bytes, at)
      }
    }
  }

  /** The other side has closed. Says whether the answer is whole. */
  close(): boolean {
    if (this.#state === 'close') this.#finish()
    return this.#state === 'done'
  }

  #pushHead(bytes: Uint8Array, at: number): number {
    const before = this.#rest.length
    const all = before === 0 ? asBuffer(bytes.subarray(at)) : Buffer.concat([this.#rest, bytes.subarray(at)])
    const end = all.indexOf(HEAD_END)
    if (end > MAX_HEAD_BYTES || (end < 0 && all.length > MAX_HEAD_BYTES)) throw protocol('its head is too long')
    if (end < 0) {
      // A copy: what was pushed is only lent.
      this.#rest = Buffer.from(all)
      return bytes.length
    }
    this.#rest = Buffer.alloc(0)
    this.#readHead(all.toString('latin1', 0, end))
    return at + end + HEAD_END.length - before
  }

  #readHead(text: string): void {
    const [statusLine = '', ...lines] = text.split('\r\n')
    const match = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/.exec(statusLine)
    if (!match) throw protocol(`it begins with ${JSON.stringify(statusLine.slice(0, 40))}`)
    const status = Number(match[2])
    if (status === 101) throw protocol('it switches protocols')
    if (status < 200) return
    const headers = readHeaders(lines)
    const connection = headers.get('connection')?.toLowerCase() ?? ''
    this.#keepAlive = match[1] === '1' ? !connection.includes('close') : connection.includes('keep-alive')
    const encoding = headers.get('transfer-encoding')
    const length = headers.get('content-length')
    if (encoding !== undefined && encoding.toLowerCase() !== 'chunked') {
      throw protocol(`its transfer encoding is ${JSON.stringify(encoding)}`)
    }
    if (length !== undefined && !/^\d{1,15}$/.test(length)) throw protocol(`its length is ${JSON.stringify(length)}`)
    if (encoding !== undefined) this.#state = 'chunk-size'
    else if (length !== undefined) this.#state = 'length'
    else this.#state = 'close'
    this.#left = Number(length ?? 0)
    const bodiless = status === 204 || status === 304
    if (this.#state === 'close' && !bodiless) this.#keepAlive = false
    this.#events.head(status, headers)
    if (bodiless || (this.#state === 'length' && this.#left === 0)) this.#finish()
  }

  #pushBody(bytes: Uint8Array, at: number): number {
    const end = this.#state === 'close' ? bytes.length : Math.min(bytes.length, at + this.#left)
    this.#left -= end - at
    this.#events.body(bytes.subarray(at, end))
    if (this.#left === 0 && this.#state === 'length') this.#finish()
    if (this.#left === 0 && this.#state === 'chunk-data') this.#state = 'chunk-end'
    return end
  }

  /** Chunk sizes, the line ends after chunks, trailers: short lines. */
  #pushLine(bytes: Uint8Array, at: number): number {
    const newline = bytes.indexOf(LF, at)
    const end = newline < 0 ? bytes.length : newline
    if (this.#rest.length + end - at > MAX_HEAD_BYTES) throw protocol('a line between its chunks is too long')
    const line = Buffer.concat([this.#rest, bytes.subarray(at, end)])
    if (newline < 0) {
      this.#rest = line
      return end
    }
    this.#rest = Buffer.alloc(0)
    if (line.at(-1) !== CR) throw protocol('a line between its chunks has no carriage return')
    this.#readLine(line.toString('latin1', 0, line.length - 1))
    return newline + 1
  }

  #readLine(line: string): void {
    if (this.#state === 'chunk-end') {
      if (line !== '') throw protocol('a chunk is longer than it says')
      this.#state = 'chunk-size'
    } else if (this.#state === 'trailer') {
      if (line === '') this.#finish()
    } else {
      const size = /^([0-9a-fA-F]{1,12})\s*(?:;|$)/.exec(line)?.[1]
      if (size === undefined) throw protocol(`a chunk has the size ${JSON.stringify(line.slice(0, 20))}`)
      this.#left = Number.parseInt(size, 16)
      this.#state = this.#left === 0 ? 'trailer' : 'chunk-data'
    }
  }

  #finish(): void {
    this.#state = 'done'
    this.#events.end()
  }
}

function readHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon <= 0 || /\s/.test(line.slice(0, colon))) throw protocol('it has a malformed header')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    const before = headers.get(name)
    if (before !== undefined && name === 'content-length' && before !== value) throw protocol('it has two lengths')
    headers.set(name, before === undefined || name === 'content-length' ? value : `${before}, ${value}`)
  }
  return headers
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function protocol(what: string): FetchError {
  return new FetchError('Protocol', `the answer is not valid HTTP: ${what}`)
}
