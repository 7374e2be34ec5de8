import type { Socket } from 'node:net'

/** A rate is measured over at least so long. */
const LEAST_MS = 250
/** How much the newest measurement counts: transfers come in bursts. */
const NEWEST_SHARE = 0.5

/** How busy serving is: requests for bytes that are being answered, and what leaves this machine for them. */
export class ServingLoad {
  /** Being answered now. */
  requests = 0
  readonly #open = new Set<Socket>()
  #closedBytes = 0
  #measuredBytes = 0
  #measuredMs = performance.now()
  #bytesPerSecond = 0

  /** A connection has been opened; what is sent on it counts. */
  opened(socket: Socket): void {
    this.#open.add(socket)
    socket.once('close', () => {
      this.#open.delete(socket)
      this.#closedBytes += socket.bytesWritten
    })
  }

  /** As the header `Weir-Load` says it: `requests=12, bytes-per-second=34567`. */
  text(): string {
    const nowMs = performance.now()
    const passedMs = nowMs - this.#measuredMs
    if (passedMs >= LEAST_MS) {
      let bytes = this.#closedBytes
      for (const socket of this.#open) bytes += socket.bytesWritten
      const rate = ((bytes - this.#measuredBytes) * 1000) / passedMs
      this.#bytesPerSecond += (rate - this.#bytesPerSecond) * NEWEST_SHARE
      this.#measuredBytes = bytes
      this.#measuredMs = nowMs
    }
    return `requests=${this.requests}, bytes-per-second=${Math.max(0, Math.round(this.#bytesPerSecond))}`
  }
}
