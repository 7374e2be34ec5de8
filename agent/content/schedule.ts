import type { FillSchedule } from '../../crds/types.gen.ts'
import { sayLocalTime } from '../../reconcilers/agent/local-time.ts'
import { fillAllowance } from '../../reconcilers/agent/windows.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'

export interface ScheduleOptions {
  readonly clock: Clock
  readonly log: Log
  /** Called at once, and whenever what may be filled at changes. Infinity: no cap. */
  readonly onChange: (open: boolean, bytesPerSecond: number) => void
}

/** The clock on a machine may be set: nobody waits longer than this without looking at it. */
const LOOK_EVERY_MS = 60_000

/** Keeps to fill windows and rate caps. */
export class Schedule {
  readonly #options: ScheduleOptions
  #fill: FillSchedule = { timeZone: 'UTC', windows: [] }
  #opensAt: string | undefined
  #open = false
  #cancelTimer: () => void = () => {}

  constructor(options: ScheduleOptions) {
    this.#options = options
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** When filling may begin, in the site's time; undefined while it may, and when it never may. */
  get opensAt(): string | undefined {
    return this.#opensAt
  }

  /** Whether nothing is filled whatever the windows, until there is another Assignment. */
  get isPaused(): boolean {
    return this.#fill.paused ?? false
  }

  set(fill: FillSchedule): void {
    this.#fill = fill
    this.#look()
  }

  close(): void {
    this.#cancelTimer()
  }

  #look(): void {
    const { clock, onChange } = this.#options
    this.#cancelTimer()
    const now = clock.now()
    const { open, rate, changesAt } = this.#read(now)
    this.#open = open
    this.#opensAt = open || !changesAt ? undefined : sayLocalTime(this.#fill.timeZone, changesAt)
    const inMs = changesAt ? changesAt.getTime() - now.getTime() : LOOK_EVERY_MS
    if (this.#fill.windows.length > 0) {
      this.#cancelTimer = clock.after(Math.min(LOOK_EVERY_MS, Math.max(1, inMs)), () => this.#look())
    }
    onChange(open, rate)
  }

  #read(now: Date): { open: boolean; rate: number; changesAt: Date | undefined } {
    const { windows, timeZone, paused, maxBytesPerSecond: share = Number.POSITIVE_INFINITY } = this.#fill
    if (paused) return { open: false, rate: 0, changesAt: undefined }
    try {
      const { open, maxBytesPerSecond = Number.POSITIVE_INFINITY, changesAt } = fillAllowance(windows, timeZone, now)
      return { open, rate: Math.min(share, maxBytesPerSecond), changesAt }
    } catch (err) {
      // Windows that cannot be read allow nothing: they were made to keep traffic off.
      this.#options.log.error({ err }, 'cannot read the fill windows')
      return { open: false, rate: 0, changesAt: undefined }
    }
  }
}
