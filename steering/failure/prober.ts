import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { type Clock, systemClock } from '../../runtime/clock.ts'
import { type Log, silentLog } from '../../runtime/log.ts'
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
  readonly onVerdict: (key: string, up: boolean, reason: string) => void
  readonly onLoad: (key: string, load: ProbedLoad) => void
}

/** A thread that dies is started again after so long. */
const RESTART_MS = 500

interface Thread {
  worker: Worker
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
  #earlierProbes = 0
  #closed = false

  constructor(options: ProberOptions) {
    const { threads = 1, perSecond = 20_000, times = PROBE_TIMES, clock = systemClock, log = silentLog } = options
    this.#options = options
    this.#clock = clock
    this.#log = log
    this.#settings = {
      times,
      perSecond: Math.max(1, perSecond / threads),
      maxKept: Math.max(16, Math.floor(openFilesAllowed() / 2 / threads)),
    }
    this.#threads = Array.from({ length: threads }, (_, index) => this.#start(index))
  }

  /** How many probes have been sent. */
  get probes(): number {
    return this.#threads.reduce((sum, { probes }) => sum + probes, this.#earlierProbes)
  }

  /** How many could not be sent for want of something on this machine, such as open files. */
  get unable(): number {
    return this.#threads.reduce((sum, { unable }) => sum + unable, 0)
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
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()))
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
    const thread: Thread = { worker, probes: 0, unable: 0 }
    worker.on('message', (message: FromProber) => this.#heard(thread, message))
    worker.on('error', (err) => this.#log.error({ err }, 'a thread of probes failed'))
    worker.on('exit', (code) => this.#ended(index, code))
    return thread
  }

  #ended(index: number, code: number): void {
    if (this.#closed) return
    this.#log.error({ code }, 'a thread of probes ended; it is started again')
    this.#clock.after(RESTART_MS, () => {
      if (this.#closed) return
      this.#earlierProbes += this.#threads[index]!.probes
      this.#threads[index] = this.#start(index)
      for (const [id, probed] of this.#probed.entries()) {
        if (probed && id % this.#threads.length === index) this.#tell(id, { type: 'set', id, address: probed.address })
      }
    })
  }

  #heard(thread: Thread, message: FromProber): void {
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

/** How many files and connections this process may have open; a low guess where the system does not say. */
function openFilesAllowed(): number {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1024)
  } catch {
    return 1024
  }
}
