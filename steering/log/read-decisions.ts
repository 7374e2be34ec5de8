import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import {
  LOCATION_SOURCES,
  type LocationSource,
  MISSES,
  type Miss,
  PURPOSES,
  type Purpose,
} from '../../reconcilers/steering/types.ts'
import { LOG_VERSION } from './decision-lines.ts'

/** One decision as the log tells it. */
export interface LoggedDecision {
  readonly type: 'decision'
  readonly atMs: number
  /** A prefix of 24 bits, or 48 of IPv6. */
  readonly network: string
  readonly purpose: Purpose
  /** `namespace/name`. */
  readonly catalog: string
  /** Paths in the catalog, the one that the URL was of first; empty where a title was asked for. */
  readonly files: readonly string[]
  readonly title: string | undefined
  readonly seed: number
  readonly canaryKey: number
  /** Where the client was found to be, and by which source: `namespace/name` of its site, or region and coordinates. */
  readonly site: string | undefined
  readonly source: LocationSource
  readonly region: string | undefined
  readonly latitude: number | undefined
  readonly longitude: number | undefined
  /** `namespace/name`. */
  readonly excluded: readonly string[]
  readonly maxUrls: number
  /** Who was named, best first: `namespace/name`, or `fallback i`. */
  readonly named: readonly string[]
  /** How busy each of them was before, in `NAMED_LOAD_STEPS`. */
  readonly loads: readonly number[]
  /** Index into TIERS of the first; -1: nobody was named. */
  readonly tier: number
  readonly miss: Miss
  readonly policy: string
  /** Of so many decisions this one was logged. */
  readonly every: number
}

/** How busy appliances were, by the number that they have in `appliances`. */
export interface LoggedLoads {
  readonly type: 'loads'
  readonly atMs: number
  readonly appliances: readonly string[]
  /** In `LOAD_STEPS`, `LOAD_UNKNOWN` or `LOAD_DOWN`. */
  readonly values: Uint16Array
}

/** Who did not answer any more, and who did again: `namespace/name`. */
export interface LoggedHealth {
  readonly type: 'health'
  readonly atMs: number
  readonly down: readonly string[]
  readonly up: readonly string[]
}

export type LogEntry = LoggedDecision | LoggedLoads | LoggedHealth

const NAMES = ['sites', 'appliances', 'catalogs', 'policies'] as const
type Names = Record<(typeof NAMES)[number], string[]>

/** What has been told since the last header. */
interface Told {
  readonly names: Names
  readonly every: number
}

/**
 * Reads a log, an entry at a time. What is none, such as a last line that was cut off or what another version has written, is counted in `broken`. Throws
 * where the file is no log.
 */
export async function* readDecisions(path: string, broken: { lines: number }): AsyncGenerator<LogEntry> {
  let told: Told | undefined
  let first = true
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const value = parsed(line) as object | null | undefined
    const isHeader = typeof value === 'object' && value !== null && 'weirDecisions' in value
    if (first && !isHeader) throw new RangeError(`${path} is no log of decisions`)
    first = false
    if (isHeader) {
      const { weirDecisions, every } = value as { weirDecisions: unknown; every?: unknown }
      const isOurs = weirDecisions === LOG_VERSION && typeof every === 'number'
      told = isOurs ? { names: { sites: [], appliances: [], catalogs: [], policies: [] }, every } : undefined
      continue
    }
    if (told && takeNames(value, told.names)) continue
    const entry =
      told &&
      (Array.isArray(value) ? decisionOf(value, told) : (loadsOf(value, told.names) ?? healthOf(value, told.names)))
    if (entry) yield entry
    else broken.lines++
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function takeNames(value: unknown, names: Names): boolean {
  const told = value as (Partial<Record<keyof Names, unknown>> & { from?: unknown }) | null | undefined
  const what = NAMES.find((one) => Array.isArray(told?.[one]))
  if (!told || what === undefined || typeof told.from !== 'number') return false
  names[what].length = Math.min(names[what].length, told.from)
  names[what].push(...(told[what] as string[]))
  return true
}

function loadsOf(value: unknown, { appliances }: Names): LoggedLoads | undefined {
  const { loads, atMs } = (value ?? {}) as { loads?: unknown; atMs?: unknown }
  if (typeof loads !== 'string' || typeof atMs !== 'number') return undefined
  const bytes = Buffer.from(loads, 'base64')
  const values = Uint16Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readUInt16LE(2 * i))
  return { type: 'loads', atMs, appliances: [...appliances], values }
}

function healthOf(value: unknown, { appliances }: Names): LoggedHealth | undefined {
  const { down, up, atMs } = (value ?? {}) as { down?: unknown; up?: unknown; atMs?: unknown }
  if (!Array.isArray(down) || !Array.isArray(up) || typeof atMs !== 'number') return undefined
  const keys = (numbers: readonly number[]) => numbers.map((number) => appliances[number] ?? '')
  return { type: 'health', atMs, down: keys(down), up: keys(up) }
}

/** See `DecisionLines`. */
function decisionOf(value: readonly unknown[], { names, every }: Told): LoggedDecision | undefined {
  const [
    atMs,
    network,
    purpose,
    catalog,
    files,
    seed,
    canaryKey,
    site,
    source,
    named,
    loads,
    tier,
    miss,
    policy,
    ...more
  ] = value as [
    number,
    string,
    number,
    number,
    unknown,
    number,
    number,
    number,
    number,
    number[],
    number[],
    number,
    number,
    number,
  ]
  const [region, latitude, longitude, excluded, maxUrls] = more as unknown as [
    string | null | undefined,
    number | null | undefined,
    number | null | undefined,
    readonly number[] | undefined,
    number | undefined,
  ]
  if (
    value.length < 14 ||
    !Array.isArray(named) ||
    !Array.isArray(loads) ||
    !(Array.isArray(files) || typeof files === 'string')
  )
    return undefined
  const appliance = (number: number) => (number < 0 ? `fallback ${-1 - number}` : (names.appliances[number] ?? ''))
  const decision = {
    ...{ atMs, network, seed, canaryKey, tier, every, type: 'decision' as const },
    ...{ purpose: PURPOSES[purpose], catalog: names.catalogs[catalog], policy: names.policies[policy] },
    ...{ source: LOCATION_SOURCES[source], miss: MISSES[miss] },
    files: typeof files === 'string' ? [] : (files as string[]),
    title: typeof files === 'string' ? files : undefined,
    site: names.sites[site],
    region: region ?? undefined,
    latitude: latitude ?? undefined,
    longitude: longitude ?? undefined,
    excluded: (excluded ?? []).map(appliance),
    maxUrls: maxUrls ?? 0,
    named: named.map(appliance),
    loads,
  }
  const { catalog: catalogName, policy: policyName } = decision
  const isWhole =
    typeof network === 'string' && decision.purpose && decision.source && decision.miss && catalogName && policyName
  return isWhole ? (decision as LoggedDecision) : undefined
}
