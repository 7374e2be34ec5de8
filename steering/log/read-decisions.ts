import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Miss, Purpose } from '../../reconcilers/steering/types.ts'
import { LOG_HEADER } from './decision-log.ts'

/** One decision as the log tells it. */
export interface LoggedDecision {
  readonly atMs: number
  /** A prefix of 24 bits, or 48 of IPv6. */
  readonly network: string
  readonly purpose: Purpose
  /** `namespace/name`. */
  readonly catalog: string
  /** Paths in the catalog, the one that the URL was of first. */
  readonly files: readonly string[]
  readonly seed: number
  readonly affinityKey: number
  readonly canaryKey: number
  /** Who was named, best first: `namespace/name`, or `fallback i`. */
  readonly named: readonly string[]
  /** Index into TIERS of the first; -1: nobody was named. */
  readonly tier: number
  readonly miss: Miss
  readonly policy: string
}

/** Reads a log, a decision at a time. What is no decision, such as a last line that was cut off, is counted in `broken`. Throws where the file is no log. */
export async function* readDecisions(path: string, broken: { lines: number }): AsyncGenerator<LoggedDecision> {
  let first = true
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const value = parsed(line)
    if (first) {
      first = false
      if ((value as typeof LOG_HEADER | undefined)?.weirDecisions !== LOG_HEADER.weirDecisions)
        throw new RangeError(`${path} is no log of decisions of version ${LOG_HEADER.weirDecisions}`)
      continue
    }
    const decision = decisionOf(value)
    if (decision) yield decision
    else if ((value as typeof LOG_HEADER | undefined)?.weirDecisions === undefined) broken.lines++
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** `[ms, network, purpose, catalog, files, seed, affinity key, canary key, named, tier, miss, policy]` */
function decisionOf(value: unknown): LoggedDecision | undefined {
  if (!Array.isArray(value) || value.length < 12 || !Array.isArray(value[4]) || !Array.isArray(value[8]))
    return undefined
  const [atMs, network, purpose, catalog, files, seed, affinityKey, canaryKey, named, tier, miss, policy] = value
  return { atMs, network, purpose, catalog, files, seed, affinityKey, canaryKey, named, tier, miss, policy }
}
