import type { ApplianceAddress, ApplianceContent, AssignmentSpec } from '../../crds/types.gen.ts'
import { DELTA_TYPE } from '../../reconcilers/blobs/catalog-delta.ts'
import type { RequestCounts } from '../../reconcilers/gateway/request-counts.ts'
import { LineSplitter } from '../../runtime/client/ndjson.ts'
import { Transport, type TransportRequest } from '../../runtime/client/transport.ts'
import type { Clock } from '../../runtime/clock.ts'
import { TimeoutError } from '../../runtime/errors.ts'
import type { Tuning } from '../tuning.ts'

export interface GatewayClientOptions {
  /** https, as a rule. */
  readonly url: string
  /** PEM of the authority that signed the gateway's certificate. */
  readonly ca: string | undefined
  readonly appliance: { readonly namespace: string; readonly name: string }
  readonly token: string
  readonly clock: Clock
  readonly tuning: Tuning
}

/** One line of the assignment stream. */
export type StreamMessage =
  | { readonly type: 'PING' }
  | { readonly type: 'ASSIGNMENT'; readonly assignment: AssignmentSpec; readonly uid?: string }

/** What `PUT …/status` carries. */
export interface StatusReport {
  readonly bootId: string
  readonly version: string
  readonly startedAt: string
  readonly addresses: readonly ApplianceAddress[]
  readonly content: Omit<ApplianceContent, 'inventories'>
}

/** An appliance to fill from, as the gateway names it. */
export interface NamedSource {
  /** `namespace/name`. */
  readonly name: string
  readonly url: string
  readonly inventories: readonly { readonly catalog: string; readonly catalogDigest: string; readonly digest: string }[]
}

export interface NamedSources {
  readonly peers: readonly NamedSource[]
  readonly parents: readonly NamedSource[]
}

/** The gateway answered, and it is no. */
export class GatewayError extends Error {
  readonly status: number

  constructor(request: string, status: number, message: string) {
    super(`${request}: the gateway answered ${status}${message === '' ? '' : `: ${message}`}`)
    this.name = 'GatewayError'
    this.status = status
  }
}

/** A million files take some 150 MB of catalog; over a thin line that takes its time. */
const BLOB_TIMEOUT_MS = 15 * 60_000

/** The gateway's protocol, one method per request. Every method throws GatewayError, ConnectError or TimeoutError. */
export class GatewayClient {
  readonly #options: GatewayClientOptions
  readonly #transport: Transport
  readonly #base: string

  constructor(options: GatewayClientOptions) {
    const { url, ca, clock, appliance } = options
    this.#options = options
    const access = { server: url.replace(/\/$/, ''), ...(ca !== undefined && { ca }) }
    this.#transport = new Transport({ access, clock, maxConnections: 8 })
    this.#base = `/v1/appliances/${encodeURIComponent(appliance.namespace)}/${encodeURIComponent(appliance.name)}`
  }

  /** Hands on what the stream says, until it ends. Silence for too long ends it with TimeoutError. */
  async watchAssignment(onMessage: (message: StreamMessage) => void, signal: AbortSignal): Promise<void> {
    const { clock, tuning } = this.#options
    const path = `${this.#base}/assignment?watch=true`
    const response = await this.#transport.open(this.#request('GET', path, { stream: true, signal }))
    if (response.statusCode !== 200) {
      const body: Buffer[] = []
      for await (const chunk of response) body.push(chunk as Buffer)
      throw new GatewayError('GET assignment', response.statusCode ?? 0, messageOf(Buffer.concat(body)))
    }
    const silent = () => response.destroy(new TimeoutError('assignment stream', tuning.streamSilenceMs))
    let cancel = clock.after(tuning.streamSilenceMs, silent)
    try {
      const lines = new LineSplitter()
      for await (const chunk of response) {
        cancel()
        cancel = clock.after(tuning.streamSilenceMs, silent)
        for (const line of lines.push(chunk as Buffer)) onMessage(JSON.parse(line) as StreamMessage)
      }
    } finally {
      cancel()
      response.destroy()
    }
  }

  async heartbeat(bootId: string, signal: AbortSignal): Promise<void> {
    await this.#send('POST', `${this.#base}/heartbeat`, { body: JSON.stringify({ bootId }), signal })
  }

  async putStatus(report: StatusReport, signal: AbortSignal): Promise<void> {
    await this.#send('PUT', `${this.#base}/status`, { body: JSON.stringify(report), signal })
  }

  /** Replaces what is advertised of a catalog (`namespace/name`). */
  async putInventory(catalog: string, inventory: Uint8Array, signal: AbortSignal): Promise<void> {
    await this.#send('PUT', `${this.#base}/inventory/${catalog}`, { body: inventory, signal })
  }

  /** Withdraws all of a catalog. */
  async deleteInventory(catalog: string, signal: AbortSignal): Promise<void> {
    await this.#send('DELETE', `${this.#base}/inventory/${catalog}`, { signal })
  }

  async putDemand(counts: RequestCounts, signal: AbortSignal): Promise<void> {
    await this.#send('PUT', `${this.#base}/demand`, { body: JSON.stringify(counts), signal })
  }

  async sources(signal: AbortSignal): Promise<NamedSources> {
    return JSON.parse((await this.#send('GET', `${this.#base}/sources`, { signal })).toString()) as NamedSources
  }

  /** The bytes are not checked here. */
  blob(digest: string, signal: AbortSignal): Promise<Buffer> {
    return this.#send('GET', `/v1/blobs/${digest}`, { signal, timeoutMs: BLOB_TIMEOUT_MS })
  }

  /** A version of a catalog, for who has `from`: what changed since then, or the whole where that is not known or hardly less. Not checked here. */
  async catalog(digest: string, from: string, signal: AbortSignal): Promise<{ bytes: Buffer; isDelta: boolean }> {
    const path = `/v1/blobs/${digest}?from=${from}`
    const { headers, body } = await this.#answer('GET', path, { signal, timeoutMs: BLOB_TIMEOUT_MS })
    return { bytes: body, isDelta: headers['content-type'] === DELTA_TYPE }
  }

  close(): void {
    this.#transport.close()
  }

  async #send(method: string, path: string, more: Partial<TransportRequest>): Promise<Buffer> {
    return (await this.#answer(method, path, more)).body
  }

  async #answer(method: string, path: string, more: Partial<TransportRequest>) {
    const { status, headers, body } = await this.#transport.read(this.#request(method, path, more))
    if (status >= 200 && status < 300) return { headers, body }
    throw new GatewayError(`${method} ${path}`, status, messageOf(body))
  }

  #request(method: string, path: string, more: Partial<TransportRequest>): TransportRequest {
    const { token, tuning } = this.#options
    const type = typeof more.body === 'string' ? 'application/json' : 'application/octet-stream'
    return {
      method,
      path,
      headers: more.body === undefined ? {} : { 'Content-Type': type },
      credential: { authorization: `Bearer ${token}` },
      timeoutMs: tuning.gatewayTimeoutMs,
      ...more,
    }
  }
}

function messageOf(body: Buffer): string {
  const text = body.toString('utf8', 0, 1000)
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    return typeof message === 'string' ? message : text
  } catch {
    return text.trim()
  }
}
