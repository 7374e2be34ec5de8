import { STATUS_CODES } from 'node:http'
import type { Reply } from './question.ts'

/** Writes the heads of replies: what all have in common, and which pages' scripts may read them. */
export class ReplyHeads {
  readonly #origins: readonly string[]
  readonly #anyOrigin: boolean
  /** The head of an answer up to its length. */
  readonly #begin: string
  /** From the date's line on, and the date that it is for. */
  #end = ''
  #endOf = ''
  readonly #keepAliveSeconds: number

  /** `corsOrigins`: origins of pages whose players may read answers; `*`: all. */
  constructor(corsOrigins: readonly string[], keepAliveMs: number) {
    this.#origins = corsOrigins
    this.#anyOrigin = corsOrigins.includes('*')
    this.#keepAliveSeconds = Math.floor(keepAliveMs / 1000)
    const common = ['Content-Type', 'application/json', 'Cache-Control', 'no-store', ...this.#cors(undefined)]
    this.#begin = `HTTP/1.1 200 OK\r\n${lines(common)}Content-Length: `
  }

  /** Names and values in turn, as `writeHead` takes them. `origin`: of the page that asks. */
  headers(reply: Reply, origin: string | undefined): string[] {
    const { type, more } = reply
    const headers = type === undefined ? [] : ['Content-Type', type, 'Cache-Control', 'no-store']
    headers.push(...this.#cors(origin), ...more)
    if (reply.status !== 204) headers.push('Content-Length', String(bytesOf(reply)))
    return headers
  }

  /** The whole head of a reply on a connection that is kept. `date`: as the header has it. */
  text(reply: Reply, origin: string | undefined, date: string): string {
    if (date !== this.#endOf) {
      this.#endOf = date
      this.#end = `\r\n${lines(['Date', date, 'Connection', 'keep-alive', 'Keep-Alive', `timeout=${this.#keepAliveSeconds}`])}\r\n`
    }
    const isUsual =
      reply.status === 200 &&
      reply.type === 'application/json' &&
      reply.more.length === 0 &&
      (this.#anyOrigin || origin === undefined)
    if (isUsual) return `${this.#begin}${bytesOf(reply)}${this.#end}`
    const { status } = reply
    return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines(this.headers(reply, origin)).slice(0, -2)}${this.#end}`
  }

  #cors(origin: string | undefined): readonly string[] {
    if (this.#anyOrigin) return ['Access-Control-Allow-Origin', '*']
    const isAllowed = origin !== undefined && this.#origins.includes(origin)
    return isAllowed ? ['Vary', 'Origin', 'Access-Control-Allow-Origin', origin] : ['Vary', 'Origin']
  }
}

export const bytesOf = ({ body, isAscii }: Reply) => (isAscii ? body.length : Buffer.byteLength(body))

function lines(headers: readonly string[]): string {
  let text = ''
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
  return text
}
