/** What an appliance says that it was asked for in an hour or a part of one. */
export interface Plausible {
  /** `namespace/name`. */
  readonly appliance: string
  /** Of the batch. */
  readonly id: string
  /** Hours since 1970-01-01T00:00Z. */
  readonly hour: number
  readonly requests: number
  readonly bytes: number
}

const BYTES_PER_GBPS_HOUR = (1e9 / 8) * 3600
/** Clocks and hardware classes are not exact. */
const SLACK = 1.25
/** No appliance has more, where its own throughput is not known. */
const MOST_GBPS = 1600
/** No appliance answers more in an hour: a million in a second. */
const MOST_REQUESTS = 3.6e9

interface Hour {
  readonly hour: number
  /** Bytes by batch: one that is sent again counts once. */
  readonly batches: Map<string, number>
}

/** Keeps what each appliance says within what it can have served: one that lies, or whose counter is broken, must not decide what a fleet holds. */
export class ServedHours {
  /** The newest hour of each appliance. */
  readonly #hours = new Map<string, Hour>()

  /** Why a batch cannot be true, or undefined where it can: then it counts towards its hour. */
  refuse({ appliance, id, hour, requests, bytes }: Plausible, throughputGbps = MOST_GBPS): string | undefined {
    const newest = this.#hours.get(appliance)
    const batches = newest?.hour === hour ? newest.batches : new Map<string, number>()
    let all = bytes
    for (const [other, more] of batches) if (other !== id) all += more
    const most = throughputGbps * BYTES_PER_GBPS_HOUR
    const what = `hour ${hour}: ${appliance} cannot have served`
    if (all > most * SLACK) return `${what} ${all} bytes: at ${throughputGbps} Gbit/s it is ${most} in an hour`
    if (requests > MOST_REQUESTS) return `${what} ${requests} requests`
    batches.set(id, bytes)
    if (!newest || hour >= newest.hour) this.#hours.set(appliance, { hour, batches })
    return undefined
  }
}
