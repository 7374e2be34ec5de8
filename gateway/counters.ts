/** What a gateway has done since its start, for metrics. */
export class Counters {
  heartbeats = 0
  reports = 0
  statusWrites = 0
  inventories = 0
  demandReports = 0
  blobsServed = 0
  blobBytesServed = 0
  /** Catalogs of which only what changed was sent. */
  catalogDeltasServed = 0
  /** By HTTP code; a stream counts when it begins. */
  readonly answers = new Map<number, number>()

  answered(code: number): void {
    this.answers.set(code, (this.answers.get(code) ?? 0) + 1)
  }
}
