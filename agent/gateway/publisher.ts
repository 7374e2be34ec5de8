import type { Adverts } from '../content/keeper.ts'
import { digestOf } from '../state/blobs.ts'
import type { Tuning } from '../tuning.ts'
import type { GatewayClient } from './client.ts'
import { Loop, type LoopOptions } from './loop.ts'

export interface PublisherOptions extends Omit<LoopOptions, 'name' | 'backoff'> {
  readonly gateway: Pick<GatewayClient, 'putInventory' | 'deleteInventory'>
  readonly tuning: Tuning
  /** What is to be advertised now. */
  readonly adverts: () => Adverts
  /** The gateway has all of it. */
  readonly onAcknowledged: (epoch: number) => void
}

const NOTHING = 'nothing'

/** Tells the gateway what the appliance advertises: what has changed, at once where something is withdrawn, else not too often. */
export class Publisher {
  readonly #options: PublisherOptions
  readonly #loop: Loop
  /** What the gateway has acknowledged in this run, by catalog: a digest or `nothing`. */
  readonly #acknowledged = new Map<string, string>()

  constructor(options: PublisherOptions) {
    const { tuning } = options
    this.#options = options
    const backoff = { baseMs: tuning.reconnectBaseMs, capMs: tuning.reconnectCapMs }
    this.#loop = new Loop(
      { ...options, name: 'publishing inventories', backoff },
      tuning.inventoryIntervalMs,
      (signal) => this.#publish(signal),
    )
  }

  changed(urgent: boolean): void {
    this.#loop.ask(urgent)
  }

  /** The gateway is there again, and may be another: everything is told anew. */
  reconnected(): void {
    this.#acknowledged.clear()
    this.#loop.recovered()
    this.#loop.ask(true)
  }

  close(): Promise<void> {
    return this.#loop.close()
  }

  async #publish(signal: AbortSignal): Promise<void> {
    const { gateway, adverts: now, onAcknowledged } = this.#options
    const { epoch, adverts } = now()
    for (const { catalog, inventory } of adverts) {
      const digest = inventory ? digestOf(inventory) : NOTHING
      if (this.#acknowledged.get(catalog) === digest) continue
      // Should the answer get lost, nobody knows which of the two it is.
      this.#acknowledged.delete(catalog)
      if (inventory) await gateway.putInventory(catalog, inventory, signal)
      else await gateway.deleteInventory(catalog, signal)
      this.#acknowledged.set(catalog, digest)
    }
    const current = new Set(adverts.map(({ catalog }) => catalog))
    for (const catalog of this.#acknowledged.keys()) if (!current.has(catalog)) this.#acknowledged.delete(catalog)
    onAcknowledged(epoch)
  }
}
