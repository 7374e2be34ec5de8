/** Times and limits of the agent. Times in ms, sizes in bytes. */
export interface Tuning {
  /** Until a connection to a source stands. */
  readonly connectTimeoutMs: number
  /** A source that sends nothing for so long has stalled. */
  readonly idleTimeoutMs: number
  /** Files fetched at once, while they are small together. */
  readonly maxTransfers: number
  /** Files fetched at once whatever their size: what one connection cannot carry over a long way, several do. */
  readonly maxLargeTransfers: number
  /** More than `maxLargeTransfers` start only while fewer bytes than this are still to come. */
  readonly transferBytesAhead: number
  /** While files keep coming, those that are whole are made to count together, so often. */
  readonly commitIntervalMs: number
  /** Wait before a file is tried again at a source where it failed: doubles from base to cap. */
  readonly retryBaseMs: number
  readonly retryCapMs: number
  /** How long a source that sent wrong bytes, or cannot be reached, is left alone: doubles from base to cap. */
  readonly penaltyBaseMs: number
  readonly unreachableBaseMs: number
  readonly penaltyCapMs: number
  /** A file is reported as failing after so many failures. */
  readonly failingAfterAttempts: number
  /** How often at most what changed is told to the gateway. */
  readonly statusIntervalMs: number
  readonly inventoryIntervalMs: number
  readonly heartbeatIntervalMs: number
  /** How often it tells what clients asked for. */
  readonly demandIntervalMs: number
  /** How often it asks whom to fill from, while it fills. */
  readonly sourcesIntervalMs: number
  /** An assignment stream that says nothing, not even PING, for so long is dead. */
  readonly streamSilenceMs: number
  readonly gatewayTimeoutMs: number
  readonly reconnectBaseMs: number
  readonly reconnectCapMs: number
  /** How often it looks again whether a full disk has room. */
  readonly roomIntervalMs: number
  /** Left free on a disk whose capacity was not given, for everything else on it. */
  readonly reserveBytes: number
  /** How fast held files are read again to see whether they are still right, and how often all of them at most. */
  readonly scrubBytesPerSecond: number
  readonly scrubIntervalMs: number
  /** Clients that may be connected at once, and how long one may stay silent. */
  readonly maxConnections: number
  readonly clientTimeoutMs: number
}

const KIB = 1024
const MIB = 1024 * KIB

export const defaultTuning: Tuning = {
  connectTimeoutMs: 10_000,
  idleTimeoutMs: 20_000,
  maxTransfers: 32,
  maxLargeTransfers: 4,
  transferBytesAhead: 64 * MIB,
  commitIntervalMs: 1000,
  retryBaseMs: 1000,
  retryCapMs: 120_000,
  penaltyBaseMs: 60_000,
  unreachableBaseMs: 1000,
  penaltyCapMs: 600_000,
  failingAfterAttempts: 2,
  statusIntervalMs: 1000,
  inventoryIntervalMs: 2000,
  heartbeatIntervalMs: 10_000,
  demandIntervalMs: 3_600_000,
  sourcesIntervalMs: 5000,
  streamSilenceMs: 30_000,
  gatewayTimeoutMs: 30_000,
  reconnectBaseMs: 500,
  reconnectCapMs: 10_000,
  roomIntervalMs: 5000,
  reserveBytes: 64 * MIB,
  scrubBytesPerSecond: 16 * MIB,
  scrubIntervalMs: 24 * 3_600_000,
  maxConnections: 4096,
  clientTimeoutMs: 60_000,
}
