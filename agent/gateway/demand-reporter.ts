import type { Tally } from '../serve/tally.ts'
import type { Tuning } from '../tuning.ts'
import { type GatewayClient, GatewayError } from './client.ts'
import { Loop, type LoopOptions } from './loop.ts'

export interface DemandReporterOptions extends Omit<LoopOptions, 'name' | 'backoff'> {
  readonly gateway: Pick<GatewayClient, 'putDemand'>
  readonly tuning: Tuning
  readonly tally: Tally
}

/** Tells the gateway what clients asked for, now and then: each batch until it is acknowledged, the oldest first. */
export class DemandReporter {
  readonly #options: DemandReporterOptions
  readonly #loop: Loop

  constructor(options: DemandReporterOptions) {
    const { tuning, random } = options
    this.#options = options
    const backoff = {
      baseMs: tuning.reconnectBaseMs,
      capMs: Math.max(tuning.reconnectCapMs, tuning.demandIntervalMs / 10),
    }
    this.#loop = new Loop({ ...options, name: 'reporting demand', backoff }, 0, (signal) => this.#tell(signal))
    // Appliances that start together do not all tell at the same time ever after.
    this.#loop.askIn(tuning.demandIntervalMs * (0.5 + random() / 2))
  }

  /** The gateway is there again. */
  reconnected(): void {
    this.#loop.recovered()
  }

  close(): Promise<void> {
    return this.#loop.close()
  }

  async #tell(signal: AbortSignal): Promise<void> {
    const { gateway, tally, tuning, log } = this.#options
    tally.seal()
    for (let batch = tally.next; batch; batch = tally.next) {
      try {
        await gateway.putDemand(batch, signal)
      } catch (err) {
        if (!isFinal(err)) throw err
        // Nobody keeps it, or it will never be taken: it is of no use to send it again.
        const say = err.status === 404 ? log.debug : log.warn
        say.call(log, { err, batch: batch.id }, 'what was asked for is not kept')
      }
      tally.settle(batch.id)
    }
    this.#loop.askIn(tuning.demandIntervalMs)
  }
}

/** Whether the same request would be answered the same again. */
function isFinal(error: unknown): error is GatewayError {
  return error instanceof GatewayError && [400, 404, 405, 413, 422].includes(error.status)
}
