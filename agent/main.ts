import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { type Log, silentLog } from '../runtime/log.ts'
import { Agent } from './agent.ts'
import type { Fetcher } from './fetch/fetcher.ts'
import { HttpFetcher } from './fetch/http-fetcher.ts'
import { type FileIo, nodeFileIo } from './file-io.ts'
import { defaultTuning, type Tuning } from './tuning.ts'

export interface AgentOptions {
  /** Base URL of the gateway. */
  readonly gatewayUrl: string
  /** PEM of the authority that signed the gateway's certificate; the system's authorities when absent. */
  readonly ca?: string
  readonly appliance: { readonly namespace: string; readonly name: string }
  /** The appliance's bearer token. */
  readonly token: string
  /** Folder for content and state; one agent per folder. */
  readonly root: string
  /** Where it serves. Port 0: any. 127.0.0.1:0 unless told. */
  readonly listen?: { readonly host: string; readonly port: number }
  /** Base URL under which clients and peers reach it; made from `listen` where that names one address. */
  readonly advertiseUrl?: string
  /** The most that content may take, in bytes; what the disk has when absent. */
  readonly capacityBytes?: number
  /** The program's version, as it is reported. */
  readonly version?: string
  readonly fileIo?: FileIo
  readonly clock?: Clock
  readonly fetcher?: Fetcher
  readonly log?: Log
  /** In [0, 1). */
  readonly random?: () => number
  readonly tuning?: Partial<Tuning>
}

export interface RunningAgent {
  /** Base URL under which it serves. */
  readonly url: string
  /** Ends it cleanly: files half filled are kept and continued by the next run. */
  close(): Promise<void>
}

/**
 * Runs one appliance's agent: takes up what an earlier run was told and serves it at once, with or without the gateway; then does as the
 * gateway says. Throws LockedError when another agent uses `root`, a RangeError for addresses that cannot be, or what the disk throws.
 */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const { root, fileIo = nodeFileIo, clock = systemClock, log = silentLog, version = '0.0.0' } = options
  const tuning: Tuning = { ...defaultTuning, ...options.tuning }
  const listen = options.listen ?? { host: '127.0.0.1', port: 0 }
  checkAddresses(listen.host, options.advertiseUrl)
  await fileIo.makeFolder(join(root, 'state', 'blobs'))
  const unlock = await fileIo.lock(join(root, 'state', 'lock'))
  const timeouts = { connectMs: tuning.connectTimeoutMs, idleMs: tuning.idleTimeoutMs }
  const authority = options.ca === undefined ? {} : { ca: options.ca }
  const fetcher =
    options.fetcher ?? new HttpFetcher({ clock, timeouts, userAgent: `weir-agent/${version}`, ...authority })
  const agent = new Agent({
    gatewayUrl: options.gatewayUrl,
    ca: options.ca,
    appliance: options.appliance,
    token: options.token,
    root,
    listen,
    advertiseUrl: options.advertiseUrl?.replace(/\/$/, ''),
    capacityBytes: options.capacityBytes,
    version,
    bootId: randomUUID(),
    io: fileIo,
    clock,
    fetcher,
    log,
    random: options.random ?? Math.random,
    tuning,
  })
  const close = async () => {
    await agent.close()
    if (!options.fetcher) fetcher.close()
    unlock()
  }
  try {
    return { url: await agent.start(), close }
  } catch (error) {
    await close()
    throw error
  }
}

function checkAddresses(host: string, advertiseUrl: string | undefined): void {
  if (advertiseUrl === undefined) {
    const isAny = host === '' || host === '::' || host === '0.0.0.0'
    if (isAny) throw new RangeError('listening on every address: say under which URL others reach it (advertise)')
    return
  }
  if (!/^https?:\/\/[^/ ]+\/?$/.test(advertiseUrl) || !URL.canParse(advertiseUrl)) {
    throw new RangeError(`not an http or https URL without a path: ${JSON.stringify(advertiseUrl)}`)
  }
}
