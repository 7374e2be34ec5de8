import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { appliances as applianceResource } from '../../controllers/resources.ts'
import type { Appliance } from '../../crds/types.gen.ts'
import { APPLIANCE_LABEL, tokenSecretName } from '../../reconcilers/credentials/plan-credentials.ts'
import { Cache } from '../../runtime/cache/cache.ts'
import type { Client } from '../../runtime/client/client.ts'
import { type Secret, secrets } from '../../runtime/client/resource.ts'
import { type Clock, systemClock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import { entryFile } from '../entry.ts'

export interface LocalAgentsOptions {
  readonly client: Client
  readonly dir: string
  /** At most so many agents, for the appliances that were made first. */
  readonly count: number
  readonly gatewayUrl: string
  readonly caPath: string
  readonly log: Log
  readonly clock?: Clock
}

const SHORTEST_BACKOFF_MS = 500
const LONGEST_BACKOFF_MS = 30_000
/** An agent that ran for so long did not fail at its start: its back-off begins anew. */
const HEALTHY_AFTER_MS = 60_000
/** How long an agent may take to end before it is killed. */
const STOP_MS = 10_000
/** A log that has grown to this is put aside (one is kept) when its agent starts. */
const MAX_LOG_BYTES = 16 * 1024 * 1024

/**
 * Runs agents of appliances on this machine, each as a process of its own with a folder of its own, and starts those again that die.
 * An agent whose parent is gone stops by itself: its IPC channel closes.
 */
export class LocalAgents {
  readonly #options: LocalAgentsOptions
  readonly #clock: Clock
  readonly #appliances: Cache<Appliance>
  readonly #secrets: Cache<Secret>
  readonly #agents = new Map<string, LocalAgent>()
  #closed = false

  constructor(options: LocalAgentsOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    const { client, log } = options
    this.#appliances = new Cache({ client, resource: applianceResource, log })
    this.#secrets = new Cache({ client, resource: secrets, log, labelSelector: APPLIANCE_LABEL })
    this.#appliances.onChange(() => this.#settle())
    this.#secrets.onChange(() => this.#settle())
  }

  start(): void {
    this.#appliances.start()
    this.#secrets.start()
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#agents.values()].map((agent) => agent.stop()))
    await Promise.all([this.#appliances.close(), this.#secrets.close()])
  }

  /** Starts and stops agents so that the first `count` appliances have one. */
  #settle(): void {
    if (this.#closed || !this.#appliances.synced) return
    const wanted = this.#appliances.list().sort(byAge).slice(0, this.#options.count)
    const keys = new Set(wanted.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`))
    for (const [key, agent] of this.#agents) {
      if (keys.has(key)) continue
      this.#agents.delete(key)
      void agent.stop()
    }
    for (const key of keys) {
      const token = this.#tokenOf(key)
      if (token === undefined) continue
      const agent = this.#agents.get(key) ?? new LocalAgent(key, this.#options, this.#clock)
      this.#agents.set(key, agent)
      agent.run(token)
    }
  }

  #tokenOf(key: string): string | undefined {
    const [namespace, name] = key.split('/') as [string, string]
    const data = this.#secrets.get(`${namespace}/${tokenSecretName(name)}`)?.data?.token
    return data === undefined ? undefined : Buffer.from(data, 'base64').toString('utf8')
  }
}

function byAge(a: Appliance, b: Appliance): number {
  const key = ({ metadata }: Appliance) => `${metadata.creationTimestamp} ${metadata.namespace}/${metadata.name}`
  return key(a) < key(b) ? -1 : 1
}

/** One agent process, kept running. */
class LocalAgent {
  readonly #key: string
  readonly #options: LocalAgentsOptions
  readonly #clock: Clock
  readonly #folder: string
  #token: string | undefined
  #child: ChildProcess | undefined
  #backoffMs = SHORTEST_BACKOFF_MS
  #cancelRestart = () => {}
  #stopped = false

  constructor(key: string, options: LocalAgentsOptions, clock: Clock) {
    this.#key = key
    this.#options = options
    this.#clock = clock
    this.#folder = join(options.dir, 'appliances', ...key.split('/'))
  }

  /** Runs it, if it does not run yet; with a new token it is started again. */
  run(token: string): void {
    if (token === this.#token) return
    const first = this.#token === undefined
    this.#token = token
    const written = writeToken(this.#tokenFile, token)
    written.then(
      () => (first ? this.#start() : this.#child?.kill('SIGTERM')),
      (error: unknown) =>
        this.#options.log.error({ err: error, appliance: this.#key }, 'cannot write the token of a local agent'),
    )
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancelRestart()
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    const cancelKill = this.#clock.after(STOP_MS, () => child.kill('SIGKILL'))
    await ended
    cancelKill()
  }

  get #tokenFile(): string {
    return join(this.#options.dir, 'tokens', `${this.#key.replace('/', '.')}.token`)
  }

  #start(): void {
    if (this.#stopped) return
    const startedMs = this.#clock.monotonicMs()
    const { gatewayUrl, caPath, log } = this.#options
    const logFile = this.#openLog()
    const child = spawn(
      process.execPath,
      [
        ...[entryFile, 'agent', '--gateway', gatewayUrl, '--ca', caPath, '--appliance', this.#key],
        ...['--token-file', this.#tokenFile, '--root', this.#folder],
      ],
      // A group of its own: Ctrl-C at the terminal is for us, and we end the agents in order.
      { stdio: ['ignore', logFile, logFile, 'ipc'], detached: true },
    )
    closeSync(logFile)
    this.#child = child
    child.on('error', (error) => log.error({ err: error, appliance: this.#key }, 'a local agent cannot be started'))
    child.once('exit', (code, signal) => {
      this.#child = undefined
      if (this.#stopped) return
      if (this.#clock.monotonicMs() - startedMs > HEALTHY_AFTER_MS) this.#backoffMs = SHORTEST_BACKOFF_MS
      log.warn({ appliance: this.#key, code, signal, againInMs: this.#backoffMs }, 'a local agent ended')
      this.#cancelRestart = this.#clock.after(this.#backoffMs, () => this.#start())
      this.#backoffMs = Math.min(this.#backoffMs * 2, LONGEST_BACKOFF_MS)
    })
  }

  #openLog(): number {
    const path = join(this.#options.dir, 'logs', `agent.${this.#key.replace('/', '.')}.log`)
    mkdirSync(dirname(path), { recursive: true })
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) renameSync(path, `${path}.old`)
    return openSync(path, 'a')
  }
}

async function writeToken(path: string, token: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(`${path}.partial`, token, { mode: 0o600 })
  await rename(`${path}.partial`, path)
}
