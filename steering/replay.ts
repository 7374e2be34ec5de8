import { newAddress, parseAddress } from '../reconcilers/steering/address.ts'
import { decide, newScratch } from '../reconcilers/steering/decide.ts'
import { MAX_UTILISATION } from '../reconcilers/steering/load.ts'
import { networkClass } from '../reconcilers/steering/networks.ts'
import { type Answer, type ClientLocation, TIERS } from '../reconcilers/steering/types.ts'
import { noteSent, reportLoad, setUp, tick } from '../reconcilers/steering/update.ts'
import type { World } from '../reconcilers/steering/world.ts'
import { LOAD_DOWN, LOAD_STEPS, LOAD_UNKNOWN, NAMED_LOAD_STEPS } from './log/decision-lines.ts'
import type { LogEntry, LoggedDecision, LoggedHealth, LoggedLoads } from './log/read-decisions.ts'
import { PLAY_GBPS } from './steerer.ts'
import type { CatalogIndex } from './world/catalog-index.ts'

/** Who comes first in one replayed answer: ordinal of an appliance, -1 - i for a fallback; and the index of its tier. */
export interface First {
  readonly appliance: number
  readonly tier: number
  /** Whether the same were named, in the same order, as the log says. */
  readonly asLogged: boolean
}

/** As often as steering does. */
const TICK_MS = 250
/** As often as appliances are probed: with each report they are as busy as it says, whatever has been sent since the one before. */
const REPORTS_MS = 700

/** Decides again what was logged, on the fleet of a snapshot: the same client, at the place where it was found to be, the same files, chances and load. */
export class Replay {
  readonly #world: World
  readonly #scratch = newScratch()
  readonly #address = newAddress()
  /** Appliance → share of what it can send, as last told. */
  readonly #loads = new Map<string, number>()
  #reportedAtMs = 0

  constructor(world: World) {
    this.#world = world
  }

  /** Forgets how busy appliances are: a log is begun. */
  begin(): void {
    for (const key of this.#world.applianceKeys) this.#loads.set(key, 0)
    this.#report(this.#world.nowMs)
  }

  /** Takes up what is logged between decisions. */
  take(entry: Exclude<LogEntry, LoggedDecision>): void {
    if (entry.type === 'loads') this.#takeLoads(entry)
    else this.#takeHealth(entry)
  }

  #takeHealth({ down, up, atMs }: LoggedHealth): void {
    for (const key of down) setUp(this.#world, key, false, Number.NEGATIVE_INFINITY)
    for (const key of up) setUp(this.#world, key, true, Number.NEGATIVE_INFINITY)
    this.#report(atMs)
  }

  #takeLoads({ appliances, values, atMs }: LoggedLoads): void {
    appliances.forEach((key, i) => {
      const value = values[i] ?? LOAD_UNKNOWN
      setUp(this.#world, key, value !== LOAD_DOWN, Number.NEGATIVE_INFINITY)
      this.#loads.set(key, value > LOAD_STEPS ? 0 : (value / LOAD_STEPS) * MAX_UTILISATION)
    })
    this.#report(atMs)
  }

  /** Undefined where the world does not know a file of it, or the client's site, any more. */
  decide(logged: LoggedDecision): First | undefined {
    const world = this.#world
    if (Math.abs(logged.atMs - this.#reportedAtMs) >= REPORTS_MS) this.#report(logged.atMs)
    else if (Math.abs(logged.atMs - world.nowMs) >= TICK_MS) tick(world, logged.atMs)
    this.#takeNamed(logged)
    const catalog = world.catalogOrdinals.get(logged.catalog) ?? -1
    const index = world.catalogs[catalog] as CatalogIndex | undefined
    const client = this.#clientOf(logged)
    const found = index && filesOf(index, logged)
    if (!index || !found || !client) return undefined
    const { purpose, canaryKey, seed, maxUrls } = logged
    const affinityKey = index.affinity(found.entry)
    const excluded = logged.excluded.flatMap((key) => world.applianceOrdinals.get(key) ?? [])
    const request = { client, catalog, files: found.files, purpose, excluded, affinityKey, canaryKey, seed, maxUrls }
    const answer = decide(world, { ...request, explain: false }, this.#scratch)
    const asLogged = this.#namesOf(answer).join() === logged.named.join()
    if (answer.count === 0) return { appliance: Number.MIN_SAFE_INTEGER, tier: TIERS.length, asLogged }
    const first = answer.appliances[0]!
    // Those that were not logged have brought as much each.
    if (first >= 0) noteSent(world, first, PLAY_GBPS[purpose] * logged.every)
    return { appliance: first, tier: answer.tiers[0]!, asLogged }
  }

  /** Who was named was as busy as the decision knew. */
  #takeNamed({ named, loads }: LoggedDecision): void {
    named.forEach((key, i) => {
      const utilisation = (loads[i] ?? 0) / NAMED_LOAD_STEPS
      if (!this.#loads.has(key)) return
      this.#loads.set(key, utilisation)
      reportLoad(this.#world, key, { utilisation, inFlight: 0 }, this.#world.nowMs)
    })
  }

  #report(nowMs: number): void {
    for (const [appliance, utilisation] of this.#loads)
      reportLoad(this.#world, appliance, { utilisation, inFlight: 0 }, nowMs)
    this.#reportedAtMs = nowMs
    tick(this.#world, nowMs)
  }

  #clientOf({ network, site, region, source, latitude, longitude }: LoggedDecision): ClientLocation | undefined {
    const { siteOrdinals, siteRegion, regionOrdinals, networks } = this.#world
    if (!parseAddress(network.replace(/\/\d+$/, ''), this.#address)) return undefined
    const at = site === undefined ? -1 : (siteOrdinals.get(site) ?? -1)
    if (site !== undefined && (at < 0 || siteRegion[at]! < 0)) return undefined
    return {
      site: at,
      region: at >= 0 ? siteRegion[at]! : region === undefined ? -1 : (regionOrdinals.get(region) ?? -1),
      networkClass: networkClass(networks, this.#address),
      ...{ source, latitude, longitude },
    }
  }

  #namesOf({ count, appliances }: Answer): string[] {
    return Array.from(appliances.subarray(0, count), (a) =>
      a < 0 ? `fallback ${-1 - a}` : this.#world.applianceKeys[a]!,
    )
  }
}

function filesOf(
  index: CatalogIndex,
  { files, title }: LoggedDecision,
): { readonly files: ArrayLike<number>; readonly entry: number } | undefined {
  if (title !== undefined) return index.titled(title)
  const found = files.map((path) => index.find(path))
  return found.includes(-1) ? undefined : { files: found, entry: found[0]! }
}

/** How many first places something has, before and after. */
export interface Share {
  readonly name: string
  readonly before: number
  readonly after: number
}

/** What another policy changes of the decisions of a log. */
export interface Comparison {
  readonly decisions: number
  /** Of files or networks that are not known any more. */
  readonly skipped: number
  /** Those that come out as they were logged by the policies of then: the others went by what the snapshot does not know. */
  readonly asLogged: number
  /** Those of which another comes first. */
  readonly moved: number
  readonly byTier: readonly Share[]
  /** The most changed first. */
  readonly bySite: readonly Share[]
  readonly byAppliance: readonly Share[]
}

/** Sums up who came first before and after, decision by decision. */
export class Tally {
  readonly #world: World
  readonly #tiers = new Map<string, [number, number]>()
  readonly #sites = new Map<string, [number, number]>()
  readonly #appliances = new Map<string, [number, number]>()
  #decisions = 0
  #moved = 0
  #asLogged = 0
  skipped = 0

  constructor(world: World) {
    this.#world = world
  }

  add(before: First, after: First): void {
    this.#decisions++
    if (before.asLogged) this.#asLogged++
    if (before.appliance !== after.appliance) this.#moved++
    this.#count(before, 0)
    this.#count(after, 1)
  }

  get comparison(): Comparison {
    return {
      ...{ decisions: this.#decisions, skipped: this.skipped, asLogged: this.#asLogged, moved: this.#moved },
      byTier: [...TIERS, 'Nobody'].flatMap((tier) => sharesOf(this.#tiers).filter(({ name }) => name === tier)),
      bySite: mostChanged(this.#sites),
      byAppliance: mostChanged(this.#appliances),
    }
  }

  #count({ appliance, tier }: First, when: 0 | 1): void {
    const { applianceKeys, applianceSite, siteKeys } = this.#world
    const isAppliance = appliance >= 0
    const add = (to: Map<string, [number, number]>, name: string) => {
      const counts = to.get(name) ?? [0, 0]
      counts[when]++
      to.set(name, counts)
    }
    add(this.#tiers, TIERS[tier] ?? 'Nobody')
    if (!isAppliance) return
    add(this.#sites, siteKeys[applianceSite[appliance]!] ?? '')
    add(this.#appliances, applianceKeys[appliance]!)
  }
}

const sharesOf = (counts: ReadonlyMap<string, readonly [number, number]>): Share[] =>
  Array.from(counts, ([name, [before, after]]) => ({ name, before, after }))

function mostChanged(counts: ReadonlyMap<string, readonly [number, number]>): Share[] {
  const change = ({ before, after }: Share) => Math.abs(after - before)
  return sharesOf(counts)
    .filter((share) => change(share) > 0)
    .sort((a, b) => change(b) - change(a) || (a.name < b.name ? -1 : 1))
}
