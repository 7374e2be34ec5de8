import { Worker } from 'node:worker_threads'
import { type Clock, systemClock } from '../../runtime/clock.ts'
import { type Log, silentLog } from '../../runtime/log.ts'
import { openFilesAllowed } from '../open-files.ts'
import type { FromProber, ProberSettings, ToProber } from './probe-messages.ts'
import { PROBE_TIMES, type ProbeAddress, type ProbedLoad, type ProbeTimes, probeAddressOf } from './probe-target.ts'

export interface ProberOptions {
  readonly clock?: Clock
  readonly log?: Log
  readonly times?: ProbeTimes
  /** Appliances are shared out among so many threads. */
  readonly threads?: number
  /** Probes per second, by all threads together. */
  readonly perSecond?: number
  /** Connections that may be open at once, by all threads together; half of what this process may open unless told. */
  readonly connections?: number
  readonly onVerdict: (key: string, up: boolean, reason: string) => void
  readonly onLoad: (key: string, load: ProbedLoad) => void
  /** What has been said of an appliance does not count any more, as nobody probes it: its thread does not come back. */
  readonly onUnknown?: (key: string) => void
}

/** Unless told: each of 20,000 appliances every 0.7 s. */
const PROBES_PER_SECOND = 30_000
/** By each thread: a new connection costs both sides more than ten probes on one that is there. */
const OPENS_PER_SECOND = 2500
const MAX_OPENING = 2000
/** A thread that dies is started again after so long. */
const RESTART_MS = 500
/** How long appliances that come are waited for before it is told that they are too many. */
const TELL_MS = 2000

interface Thread {
  readonly worker: Worker
  hasSpoken: boolean
  probes: number
  unable: number
}

interface Probed {
  readonly key: string
  readonly address: ProbeAddress
}

/** Probes appliances on threads of their own, each thread its share of them. */
export class Prober {
  readonly #options: ProberOptions
  readonly #clock: Clock
  readonly #log: Log
  readonly #settings: ProberSettings
  readonly #threads: Thread[]
  readonly #ids = new Map<string, number>()
  readonly #probed: (Probed | undefined)[] = []
  readonly #free: number[] = []
  readonly #mostKept: number
  #earlierProbes = 0
  #earlierUnable = 0
  /** Appliances without a kept connection, when that was told last. */
  #toldUnkept = 0
  #cancelTelling: (() => void) | undefined
  #closed = false

  constructor(options: ProberOptions) {
    const {
      threads = 1,
      perSecond = PROBES_PER_SECOND,
      times = PROBE_TIMES,
      clock = systemClock,
      log = silentLog,
    } = options
    const connections = Math.max(16, Math.floor((options.connections ?? openFilesAllowed() / 2) / threads))
    const maxOpening = Math.min(MAX_OPENING, Math.ceil(connections / 10))
    this.#options = options
    this.#clock = clock
    this.#log = log
    this.#settings = {
      times,
      perSecond: Math.max(1, perSecond / threads),
      maxOpening,
      maxKept: connections - maxOpening,
      opensPerSecond: OPENS_PER_SECOND,
    }
    this.#mostKept = this.#settings.maxKept * threads
    this.#threads = Array.from({ length: threads }, (_, index) => this.#start(index))
  }

  /** How many probes have been sent. */
  get probes(): number {
    return this.#threads.reduce((sum, { probes }) => sum + probes, this.#earlierProbes)
  }

  /** How many could not be sent for want of something on this machine, such as open files. */
  get unable(): number {
    return this.#threads.reduce((sum, { unable }) => sum + unable, this.#earlierUnable)
  }

  /** Appliances to which no connection can be kept open: they are probed on a new one each time, and less often. */
  get unkept(): number {
    return Math.max(0, this.#ids.size - this.#mostKept)
  }

  get size(): number {
    return this.#ids.size
  }

  /** Probes an appliance at the base of its URLs from now on; false where that is no URL, and then it is not probed. */
  set(key: string, url: string): boolean {
    const address = probeAddressOf(url)
    if (!address) {
      this.remove(key)
      return false
    }
    const known = this.#ids.get(key)
    const before = known === undefined ? undefined : this.#probed[known]?.address
    if (before && sameAddress(before, address)) return true
    const id = known ?? this.#free.pop() ?? this.#probed.length
    this.#ids.set(key, id)
    this.#probed[id] = { key, address }
    this.#tell(id, { type: 'set', id, address })
    if (this.unkept > this.#toldUnkept * 1.5)
      this.#cancelTelling ??= this.#clock.after(TELL_MS, () => this.#tellUnkept())
    return true
  }

  remove(key: string): void {
    const id = this.#ids.get(key)
    if (id === undefined) return
    this.#ids.delete(key)
    this.#probed[id] = undefined
    this.#tell(id, { type: 'remove', id })
    // What the thread has said of it meanwhile would be taken for somebody else's: the number rests for a while.
    this.#clock.after(5000, () => this.#free.push(id))
  }

  /** Asks one at once. */
  askNow(key: string): void {
    const id = this.#ids.get(key)
    if (id !== undefined) this.#tell(id, { type: 'now', id })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelTelling?.()
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()))
  }

  #tellUnkept(): void {
    this.#cancelTelling = undefined
    this.#toldUnkept = this.unkept
    const everySeconds = Math.ceil(this.unkept / this.#threads.length / OPENS_PER_SECOND)
    this.#log.warn(
      { appliances: this.size, keptConnections: this.#mostKept, unkept: this.unkept, everySeconds },
      'there are more appliances than connections may be kept open: those beyond are probed on new ones, and less often; raise the limit of open files (ulimit -n)',
    )
  }

  #tell(id: number, message: ToProber): void {
    this.#threads[id % this.#threads.length]!.worker.postMessage(message)
  }

  #start(index: number): Thread {
    // Compiled, this file and the worker's end in .js.
    const script = import.meta.url.endsWith('.ts') ? './probe-worker.ts' : './probe-worker.js'
    const worker = new Worker(new URL(script, import.meta.url), {
      workerData: this.#settings,
      env: {},
      execArgv: ['--disable-warning=ExperimentalWarning'],
    })
    const thread: Thread = { worker, hasSpoken: false, probes: 0, unable: 0 }
    worker.on('message', (message: FromProber) => this.#heard(thread, message))
    worker.on('error', (err) => this.#log.error({ err }, 'a thread of probes failed'))
    worker.on('exit', (code) => this.#ended(index, code))
    return thread
  }

  #ended(index: number, code: number): void {
    if (this.#closed) return
    this.#log.error({ code }, 'a thread of probes ended; it is started again')
    const { hasSpoken, probes, unable } = this.#threads[index]!
    this.#earlierProbes += probes
    this.#earlierUnable += unable
    if (!hasSpoken) for (const { key } of this.#of(index)) this.#options.onUnknown?.(key)
    this.#clock.after(RESTART_MS, () => this.#restart(index))
  }

  #restart(index: number): void {
    if (this.#closed) return
    try {
      this.#threads[index] = this.#start(index)
    } catch (err) {
      this.#log.error({ err }, 'a thread of probes cannot be started')
      this.#clock.after(RESTART_MS, () => this.#restart(index))
      return
    }
    for (const { id, address } of this.#of(index)) this.#tell(id, { type: 'set', id, address })
  }

  /** Those that a thread probes. */
  *#of(index: number): Generator<Probed & { readonly id: number }> {
    for (const [id, probed] of this.#probed.entries())
      if (probed && id % this.#threads.length === index) yield { ...probed, id }
  }

  #heard(thread: Thread, message: FromProber): void {
    thread.hasSpoken = true
    if (message.type === 'verdicts') {
      for (const { id, up, reason } of message.verdicts) {
        const probed = this.#probed[id]
        if (probed) this.#options.onVerdict(probed.key, up, reason)
      }
      return
    }
    thread.probes = message.probes
    thread.unable = message.unable
    const { loads } = message
    for (let i = 0; i < loads.length; i += 3) {
      const probed = this.#probed[loads[i]!]
      if (probed) this.#options.onLoad(probed.key, { requests: loads[i + 1]!, bytesPerSecond: loads[i + 2]! })
    }
  }
}

function sameAddress(a: ProbeAddress, b: ProbeAddress): boolean {
  return a.host === b.host && a.port === b.port && a.secure === b.secure && a.path === b.path
}
