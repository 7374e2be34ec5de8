import { HostNames } from './host-names.ts'
import {
  type ProbeAddress,
  ProbeConnection,
  type ProbedLoad,
  type ProbeResult,
  type ProbeTimes,
} from './probe-target.ts'

export interface RoundOptions {
  readonly times: ProbeTimes
  /** At most so many probes per second: with more appliances than that allows, the time between two probes of one grows. */
  readonly perSecond: number
  readonly monotonicMs: () => number
  /** 0…1, at random. */
  readonly random: () => number
  /** Connections kept open between probes: what this process may open sets a bound. Beyond it, an appliance is asked on a new one each time. */
  readonly maxKept: number
  /** Connections that are being opened at once. */
  readonly maxOpening: number
  /** Connections that are opened per second for appliances that are new, or none is kept open to: both sides pay more for these than for a probe. */
  readonly opensPerSecond: number
  /** A verdict has changed, or is the first. */
  readonly onVerdict: (id: number, up: boolean, reason: string) => void
  readonly onLoad: (id: number, load: ProbedLoad) => void
}

/** How finely time is told: timers of thousands of appliances are one. */
export const TICK_MS = 20
/** Servers that do not keep connections end them so soon after an answer, every time. Of others, a connection's end is a sign that the process has ended. */
const SUDDEN_MS = 100
/** An appliance that was down answers so often in a row before it is taken for up. */
const ANSWERS_TO_BE_UP = 2
/** Between these answers. */
const CONFIRM_MS = 150
/** What says something of this machine, and nothing of the appliance. */
const OWN_ERRORS = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EAI_AGAIN'])

type Step = 'idle' | 'first' | 'second'

class Target {
  readonly id: number
  readonly connection: ProbeConnection
  up: boolean | undefined
  step: Step = 'idle'
  /** It counts among those whose connection is being opened. */
  opening = false
  /** Its connection is among those that are kept open. */
  keeps = false
  /** It is in the queue of those that wait to be asked. */
  waiting = false
  /** Its last connection ended right after an answer, and it answered on a new one: it seems to keep none. */
  endsConnections = false
  /** In a row. */
  answers = 0
  failures = 0
  answeredAtMs = 0
  /** What the round had been late in all when it was asked. */
  lateMs = 0
  /** When it is asked next, or when what was asked is late. */
  dueMs = 0
  /** Where the wheel has it; its other entries are of the past. */
  slot = -1
  gone = false

  constructor(id: number, connection: ProbeConnection) {
    this.id = id
    this.connection = connection
  }
}

/**
 * Probes appliances, each on a connection of its own, spread over the interval at random. Runs in a thread of its own and is told the time by `tick`.
 * One failure is tried again at once on a new connection; two make it down.
 */
export class ProbeRound {
  readonly #options: RoundOptions
  readonly #targets = new Map<number, Target>()
  /** Who is due in which tick. */
  readonly #wheel: Target[][]
  #atTick: number
  readonly #names: HostNames
  #waiting: Target[] = []
  #opening = 0
  #kept = 0
  /** When the next that is new may be asked, monotonic ms. */
  #nextOpenMs = 0
  /** When the next whose connection has ended may be asked. */
  #nextLostMs = 0
  #tickedMs: number
  /** How late ticks have come in all: this thread had no time, and appliances have so much more. */
  #lateMs = 0
  /** How many probes have been sent. */
  probes = 0
  /** How many could not be sent for want of something on this machine. */
  unable = 0

  constructor(options: RoundOptions) {
    this.#options = options
    const { downIntervalMs } = options.times
    this.#names = new HostNames(options.monotonicMs)
    this.#wheel = Array.from({ length: Math.ceil(downIntervalMs / TICK_MS) * 4 + 64 }, () => [])
    this.#tickedMs = options.monotonicMs()
    this.#atTick = Math.floor(this.#tickedMs / TICK_MS)
  }

  get size(): number {
    return this.#targets.size
  }

  /** Begins to probe an appliance, or probes it elsewhere from now on. The first probe comes at once, or in a moment where there are many. */
  set(id: number, address: ProbeAddress): void {
    this.remove(id)
    const target: Target = new Target(
      id,
      new ProbeConnection(
        address,
        this.#names,
        (result) => this.#result(target, result),
        () => this.#lost(target),
      ),
    )
    this.#targets.set(id, target)
    const { monotonicMs, opensPerSecond } = this.#options
    const nowMs = monotonicMs()
    this.#nextOpenMs = Math.max(nowMs, this.#nextOpenMs) + 1000 / opensPerSecond
    this.#later(target, this.#nextOpenMs - nowMs)
  }

  remove(id: number): void {
    const target = this.#targets.get(id)
    if (!target) return
    target.gone = true
    this.#opened(target)
    this.#drop(target)
    this.#targets.delete(id)
  }

  /** Asks one at once: somebody says that it does not answer. */
  askNow(id: number): void {
    const target = this.#targets.get(id)
    if (target?.step === 'idle') this.#later(target, 0)
  }

  /** Does what is due. Call it every TICK_MS. */
  tick(): void {
    const { monotonicMs } = this.#options
    const nowMs = monotonicMs()
    this.#lateMs += Math.max(0, nowMs - this.#tickedMs - 2 * TICK_MS)
    this.#tickedMs = nowMs
    const nowTick = Math.floor(nowMs / TICK_MS)
    // After a long stop (a suspended machine), every slot once.
    const first = Math.max(this.#atTick + 1, nowTick - this.#wheel.length + 1)
    for (let tick = first; tick <= nowTick; tick++) {
      // What becomes due meanwhile comes after this slot: into this one, it would wait for a whole turn of the wheel.
      this.#atTick = tick
      const slot = tick % this.#wheel.length
      const due = this.#wheel[slot]!
      if (due.length === 0) continue
      this.#wheel[slot] = []
      for (const target of due) if (!target.gone && target.slot === slot) this.#due(target)
    }
    this.#atTick = Math.max(this.#atTick, nowTick)
    const waiting = this.#waiting
    this.#waiting = []
    for (const target of waiting) {
      // Asked in between, it has left the queue.
      if (!target.waiting) continue
      target.waiting = false
      if (!target.gone) this.#ask(target)
    }
  }

  close(): void {
    for (const id of [...this.#targets.keys()]) this.remove(id)
  }

  #opened(target: Target): void {
    if (target.opening) this.#opening--
    target.opening = false
  }

  /** Those whose connection cannot be kept open are asked less often, as it has to be opened each time. */
  #intervalMs({ keeps }: Target): number {
    const { times, perSecond, opensPerSecond, maxKept } = this.#options
    const { size } = this.#targets
    const unkept = keeps ? 0 : Math.max(0, size - maxKept)
    return Math.max(times.intervalMs, (size / perSecond) * 1000, (unkept / opensPerSecond) * 1000)
  }

  #keep(target: Target): void {
    if (!target.keeps && this.#kept < this.#options.maxKept) {
      target.keeps = true
      this.#kept++
    }
    if (!target.keeps) target.connection.drop()
  }

  #drop(target: Target): void {
    if (target.keeps) this.#kept--
    target.keeps = false
    target.connection.drop()
  }

  #due(target: Target): void {
    target.slot = -1
    const lateMs = this.#lateMs - target.lateMs
    const earlyMs = target.dueMs - this.#tickedMs
    // The wheel does not reach as far as one of very many may have to wait.
    if (earlyMs > TICK_MS) this.#later(target, earlyMs)
    else if (target.step === 'idle') this.#ask(target)
    else if (lateMs > 0) {
      target.lateMs = this.#lateMs
      // What has come while this machine slept is read in a moment, however long that was.
      this.#later(target, Math.min(lateMs, this.#options.times.timeoutMs))
    } else {
      const reason = target.connection.isLookingUp ? 'EAI_AGAIN' : 'does not answer'
      this.#result(target, { ok: false, reason })
    }
  }

  #ask(target: Target): void {
    const { times } = this.#options
    // One that is kept but has ended is opened anew, too: of many at once that is as much to be borne.
    const isNew = target.up !== true || target.step === 'first' || !target.keeps || !target.connection.isOpen
    if (isNew && !target.opening && this.#opening >= this.#options.maxOpening) {
      if (!target.waiting) this.#waiting.push(target)
      target.waiting = true
      return
    }
    target.waiting = false
    if (target.connection.isOpen) target.endsConnections = false
    const second = target.step === 'first'
    target.step = second ? 'second' : 'first'
    if (isNew && !target.opening) {
      target.opening = true
      this.#opening++
    }
    this.probes++
    target.lateMs = this.#lateMs
    this.#later(target, second ? times.retryTimeoutMs : times.timeoutMs)
    target.connection.ask()
  }

  #result(target: Target, result: ProbeResult): void {
    if (target.gone || target.step === 'idle') return
    const { onVerdict, onLoad, monotonicMs } = this.#options
    this.#opened(target)
    if (result.ok) {
      this.#keep(target)
      target.step = 'idle'
      target.answers++
      target.failures = 0
      target.answeredAtMs = monotonicMs()
      if (result.load) onLoad(target.id, result.load)
      if (target.up !== true && (target.up === undefined || target.answers >= ANSWERS_TO_BE_UP)) {
        target.up = true
        onVerdict(target.id, true, '')
      }
      this.#later(target, target.up ? this.#intervalMs(target) * (0.9 + 0.2 * this.#options.random()) : CONFIRM_MS)
      return
    }
    this.#drop(target)
    if (OWN_ERRORS.has(result.reason)) {
      this.unable++
      target.step = 'idle'
      this.#later(target, this.#intervalMs(target))
      return
    }
    // Of those that are known to be down, one try is enough.
    if (target.step === 'first' && target.up !== false) {
      this.#ask(target)
      return
    }
    target.step = 'idle'
    target.answers = 0
    target.failures++
    if (target.up !== false) {
      target.up = false
      onVerdict(target.id, false, result.reason)
    }
    this.#later(target, this.#downIntervalMs(target))
  }

  /** An appliance that comes back is to be noticed soon, one that stays away not to be asked for ever as often. */
  #downIntervalMs(target: Target): number {
    const { downIntervalMs } = this.#options.times
    const intervalMs = this.#intervalMs(target)
    const growingMs = intervalMs * 1.3 ** Math.min(target.failures, 20)
    return Math.max(intervalMs, Math.min(downIntervalMs, growingMs)) * (0.9 + 0.2 * this.#options.random())
  }

  /**
   * The connection ended between two probes: mostly its process has, and it is asked at once. Of many, so many per second as are probed otherwise: where they
   * end as nobody has said anything for long, all would be asked on new connections all the time.
   */
  #lost(target: Target): void {
    if (target.gone || target.step !== 'idle') return
    const isSudden = this.#options.monotonicMs() - target.answeredAtMs < SUDDEN_MS
    if (isSudden && target.endsConnections) return
    target.endsConnections = isSudden
    const { monotonicMs, perSecond } = this.#options
    const nowMs = monotonicMs()
    const atMs = Math.max(nowMs, this.#nextLostMs)
    if (atMs >= target.dueMs) return
    this.#nextLostMs = atMs + 1000 / perSecond
    this.#later(target, atMs - nowMs)
  }

  #later(target: Target, ms: number): void {
    target.dueMs = this.#options.monotonicMs() + ms
    const tick = Math.max(this.#atTick + 1, Math.ceil(target.dueMs / TICK_MS))
    const slot = Math.min(tick, this.#atTick + this.#wheel.length - 1) % this.#wheel.length
    if (target.slot === slot) return
    target.slot = slot
    this.#wheel[slot]!.push(target)
  }
}
