import type { Clock } from '../../runtime/clock.ts'

/** How many distinct networks must say that an appliance fails within the window before it is believed without a probe. */
export const QUORUM = 3
/** How long a hint counts. */
export const WINDOW_MS = 10_000
/** How long an appliance is left out after a quorum; longer while hints keep coming. */
export const QUARANTINE_MS = 10_000
/** A first hint makes it be probed at once, but not more often than this. */
const PROBE_EVERY_MS = 500
const MAX_NETWORKS = 64
const MAX_APPLIANCES = 50_000

export interface HintsOptions {
  readonly clock: Clock
  /** Whoever is hinted at is probed. */
  readonly probe: (appliance: string) => void
  /** An appliance is left out of answers, or no longer. */
  readonly onQuarantine: (appliance: string, out: boolean) => void
  /** Appliances of the same site, itself included. */
  readonly neighbours: (appliance: string) => number
  /** `namespace/name` of its site. */
  readonly siteOf: (appliance: string) => string
}

interface Suspect {
  /** When each network hinted last, monotonic ms. */
  readonly networks: Map<number, number>
  probedAtMs: number
}

interface Quarantined {
  readonly site: string
  cancel: () => void
}

/**
 * What clients say of appliances that failed them. One liar moves nothing: a hint only makes steering look for itself. Where clients of several
 * networks say the same, the appliance is left out for a while, whatever probes say, because there may be no way from these clients to it. Hints never
 * leave out more than a third of a site's appliances, or one where there are fewer: more than that is shown by probes or not at all.
 */
export class Hints {
  readonly #options: HintsOptions
  readonly #suspects = new Map<string, Suspect>()
  readonly #quarantined = new Map<string, Quarantined>()
  /** Since the start. */
  received = 0
  quorums = 0

  constructor(options: HintsOptions) {
    this.#options = options
  }

  get quarantined(): number {
    return this.#quarantined.size
  }

  isQuarantined(appliance: string): boolean {
    return this.#quarantined.has(appliance)
  }

  /** A client of a network says that an appliance failed it. */
  hint(appliance: string, network: number): void {
    this.received++
    const nowMs = this.#options.clock.monotonicMs()
    const suspect = this.#suspectOf(appliance)
    if (suspect.networks.size < MAX_NETWORKS || suspect.networks.has(network)) suspect.networks.set(network, nowMs)
    if (nowMs - suspect.probedAtMs >= PROBE_EVERY_MS) {
      suspect.probedAtMs = nowMs
      this.#options.probe(appliance)
    }
    for (const [other, atMs] of suspect.networks) if (nowMs - atMs > WINDOW_MS) suspect.networks.delete(other)
    if (suspect.networks.size >= QUORUM) this.#quarantine(appliance)
  }

  close(): void {
    for (const { cancel } of this.#quarantined.values()) cancel()
  }

  #suspectOf(appliance: string): Suspect {
    const known = this.#suspects.get(appliance)
    if (known) return known
    // The oldest are forgotten first: a Map keeps the order.
    if (this.#suspects.size >= MAX_APPLIANCES) this.#suspects.delete(this.#suspects.keys().next().value!)
    const suspect = { networks: new Map<number, number>(), probedAtMs: Number.NEGATIVE_INFINITY }
    this.#suspects.set(appliance, suspect)
    return suspect
  }

  #quarantine(appliance: string): void {
    const { clock, onQuarantine, siteOf, neighbours } = this.#options
    const known = this.#quarantined.get(appliance)
    known?.cancel()
    if (!known) {
      const site = siteOf(appliance)
      let out = 0
      for (const each of this.#quarantined.values()) if (each.site === site) out++
      if (out >= Math.max(1, Math.floor(neighbours(appliance) / 3))) return
      this.quorums++
      this.#quarantined.set(appliance, { site, cancel: () => {} })
      onQuarantine(appliance, true)
    }
    this.#quarantined.get(appliance)!.cancel = clock.after(QUARANTINE_MS, () => {
      this.#quarantined.delete(appliance)
      this.#suspects.delete(appliance)
      onQuarantine(appliance, false)
    })
  }
}
