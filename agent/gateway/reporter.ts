import type { Tuning } from '../tuning.ts'
import type { GatewayClient, StatusReport } from './client.ts'
import { Loop, type LoopOptions } from './loop.ts'

export interface ReporterOptions extends Omit<LoopOptions, 'name' | 'backoff'> {
  readonly gateway: Pick<GatewayClient, 'putStatus' | 'heartbeat'>
  readonly tuning: Tuning
  readonly report: () => StatusReport
  /** Whether what is reported may change without anybody saying so, as bytes come in. */
  readonly isBusy: () => boolean
}

/** Tells the gateway how the appliance is when that changes, at most so often, and that it is there when nothing changes. */
export class Reporter {
  readonly #options: ReporterOptions
  readonly #loop: Loop
  /** What the gateway has last taken, as JSON. */
  #told: string | undefined
  #toldAtMs = Number.NEGATIVE_INFINITY

  constructor(options: ReporterOptions) {
    const { tuning } = options
    this.#options = options
    // Heartbeats fail as long as the gateway is away: they must not come much later than it.
    const backoff = { baseMs: tuning.reconnectBaseMs, capMs: Math.min(tuning.reconnectCapMs, 4000) }
    this.#loop = new Loop({ ...options, name: 'reporting status', backoff }, tuning.statusIntervalMs, (signal) =>
      this.#tell(signal),
    )
  }

  changed(): void {
    this.#loop.ask()
  }

  /** The gateway is there again, and may be another. */
  reconnected(): void {
    this.#told = undefined
    this.#loop.recovered()
    this.#loop.ask(true)
  }

  close(): Promise<void> {
    return this.#loop.close()
  }

  async #tell(signal: AbortSignal): Promise<void> {
    const { gateway, report: now, tuning, clock, isBusy } = this.#options
    const report = now()
    const json = JSON.stringify(report)
    const nowMs = clock.monotonicMs()
    if (json !== this.#told) {
      await gateway.putStatus(report, signal)
      this.#told = json
      this.#toldAtMs = nowMs
    } else if (nowMs - this.#toldAtMs >= tuning.heartbeatIntervalMs) {
      await gateway.heartbeat(report.bootId, signal)
      this.#toldAtMs = nowMs
    }
    const heartbeatInMs = this.#toldAtMs + tuning.heartbeatIntervalMs - nowMs
    this.#loop.askIn(isBusy() ? Math.min(tuning.statusIntervalMs, heartbeatInMs) : heartbeatInMs)
  }
}
