/** What an appliance was asked for, and what viewers got. */
export interface Served {
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

/** The most that an appliance can have served in an hour: one that lies, or whose counter is broken, must not decide what a fleet holds. */
export function mostInAnHour(throughputGbps = MOST_GBPS): Served {
  return { requests: MOST_REQUESTS, bytes: throughputGbps * BYTES_PER_GBPS_HOUR * SLACK }
}

/** What an appliance said of an hour, all its batches together, is more than it can have served. Nothing of the batch was kept. */
export class CannotHaveServed extends Error {
  constructor(appliance: string, hour: number, { requests, bytes }: Served, most: Served) {
    const what =
      bytes > most.bytes
        ? `${bytes} bytes, as ${most.bytes} are the most`
        : `${requests} requests, as ${most.requests} are the most`
    super(`hour ${hour}: ${appliance} cannot have served ${what} in an hour`)
    this.name = 'CannotHaveServed'
  }

  /** Throws where it is more. */
  static unless(
    said: Served,
    most: Served,
    { appliance, hour }: { readonly appliance: string; readonly hour: number },
  ): void {
    if (said.bytes > most.bytes || said.requests > most.requests)
      throw new CannotHaveServed(appliance, hour, said, most)
  }
}
