import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { HostNames } from './host-names.ts'

/** How an appliance is asked whether it is there. All times in ms. */
export interface ProbeTimes {
  /** Between two probes of an appliance that answers. */
  readonly intervalMs: number
  /** How long an answer may take. */
  readonly timeoutMs: number
  /** How long the second try may take, on a connection of its own, after the first has failed. */
  readonly retryTimeoutMs: number
  /** The longest between two probes of an appliance that has been down for long. */
  readonly downIntervalMs: number
}

/**
 * At most 700 + 10 % + 500 + 400 ms from the moment in which an appliance goes silent until that is known; where its process ends, the connection that
 * is kept open says so at once.
 */
export const PROBE_TIMES: ProbeTimes = { intervalMs: 700, timeoutMs: 500, retryTimeoutMs: 400, downIntervalMs: 5000 }

/** What an appliance says of its load with every answer. */
export interface ProbedLoad {
  readonly requests: number
  readonly bytesPerSecond: number
}

/** What comes of a probe. */
export type ProbeResult =
  | { readonly ok: true; readonly load: ProbedLoad | undefined; readonly keep: boolean }
  | { readonly ok: false; readonly reason: string }

/** A head longer than this is not the answer of an agent. */
const MAX_HEAD = 4096

/** Where an appliance is probed. */
export interface ProbeAddress {
  readonly secure: boolean
  readonly host: string
  readonly port: number
  readonly path: string
}

/** Of the base of an appliance's URLs; undefined where it is none. */
export function probeAddressOf(url: string): ProbeAddress | undefined {
  if (!URL.canParse(url)) return undefined
  const { protocol, hostname, port, pathname } = new URL(url)
  if (protocol !== 'http:' && protocol !== 'https:') return undefined
  const secure = protocol === 'https:'
  return {
    secure,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    path: `${pathname.replace(/\/+$/, '')}/healthz`,
  }
}

/**
 * One appliance's connection for probes: kept open between them, so that its end is noticed. One probe at a time. Whoever has it keeps time.
 */
export class ProbeConnection {
  readonly #address: ProbeAddress
  readonly #request: string
  readonly #onResult: (result: ProbeResult) => void
  /** The kept connection broke while nothing was asked. */
  readonly #onLost: () => void
  readonly #names: HostNames
  #socket: Socket | undefined
  #asking = false
  #head = ''
  /** The host's addresses are known by now. */
  #isFound = false

  constructor(address: ProbeAddress, names: HostNames, onResult: (result: ProbeResult) => void, onLost: () => void) {
    this.#address = address
    this.#names = names
    const host = address.host.includes(':') ? `[${address.host}]` : address.host
    this.#request = `HEAD ${address.path} HTTP/1.1\r\nHost: ${host}:${address.port}\r\nUser-Agent: weir-steering\r\n\r\n`
    this.#onResult = onResult
    this.#onLost = onLost
  }

  /** Asks, on the connection that is open, or on a new one. */
  ask(): void {
    this.#asking = true
    this.#head = ''
    const socket = this.#socket
    if (socket) socket.write(this.#request)
    else this.#open().write(this.#request)
  }

  /** Whether the connection of the probe before is still there. */
  get isOpen(): boolean {
    return this.#socket !== undefined
  }

  /** Whether it has not even been found yet where to ask. */
  get isLookingUp(): boolean {
    return this.#asking && this.#socket !== undefined && !this.#isFound
  }

  /** Nothing is waited for any more; what was asked is answered to nobody. */
  drop(): void {
    this.#asking = false
    const socket = this.#socket
    this.#socket = undefined
    socket?.destroy()
  }

  #open(): Socket {
    const { secure, host, port } = this.#address
    // Whether it answers is asked, not who it is: players check the certificate.
    const { lookup } = this.#names
    const to = { host, port, lookup }
    // An address is no name that a certificate could be chosen by.
    const named = isIP(host) === 0 ? { servername: host } : {}
    const socket = secure ? connectTls({ ...to, ...named, rejectUnauthorized: false }) : connectPlain(to)
    this.#socket = socket
    this.#isFound = isIP(host) !== 0
    socket.setNoDelay(true)
    socket.on('lookup', () => {
      if (this.#socket === socket) this.#isFound = true
    })
    socket.on('data', (chunk: Buffer) => {
      if (this.#socket === socket) this.#read(chunk)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => this.#ended(socket, error.code ?? error.message))
    socket.on('close', () => this.#ended(socket, 'closed the connection'))
    // The end of its process shows as this first.
    socket.on('end', () => this.#ended(socket, 'closed the connection'))
    return socket
  }

  #ended(socket: Socket, reason: string): void {
    socket.destroy()
    if (this.#socket !== socket) return
    this.#socket = undefined
    if (this.#asking) this.#answer({ ok: false, reason })
    else this.#onLost()
  }

  #read(chunk: Buffer): void {
    this.#head += chunk.toString('latin1')
    const end = this.#head.indexOf('\r\n\r\n')
    if (end < 0) {
      if (this.#head.length > MAX_HEAD) this.#fail('its answer is not HTTP')
      return
    }
    const head = this.#head.slice(0, end + 2)
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0)
    if (status < 200 || status > 299) {
      this.#fail(status === 0 ? 'its answer is not HTTP' : `answers ${status}`)
      return
    }
    const keep = !/\r\nconnection:\s*close\s*\r\n/i.test(head)
    const load = loadOf(head)
    if (!keep) {
      const socket = this.#socket
      this.#socket = undefined
      socket?.destroy()
    }
    this.#answer({ ok: true, load, keep })
  }

  #fail(reason: string): void {
    if (!this.#asking) {
      this.drop()
      return
    }
    this.drop()
    this.#onResult({ ok: false, reason })
  }

  #answer(result: ProbeResult): void {
    if (!this.#asking) return
    this.#asking = false
    this.#onResult(result)
  }
}

/** `Weir-Load: requests=12, bytes-per-second=34567`. Numbers as they are said: whoever decides by them keeps them in bounds. */
function loadOf(head: string): ProbedLoad | undefined {
  const line = /\r\nweir-load:([^\r]*)\r\n/i.exec(head)?.[1]
  const number = (name: string) =>
    Number(new RegExp(`\\b${name}=([0-9.eE+-]{1,24})`).exec(line ?? '')?.[1] ?? Number.NaN)
  return line === undefined ? undefined : { requests: number('requests'), bytesPerSecond: number('bytes-per-second') }
}
