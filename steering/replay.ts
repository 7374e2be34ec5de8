import { newAddress, parseAddress } from '../reconcilers/steering/address.ts'
import { decide, newScratch } from '../reconcilers/steering/decide.ts'
import { type ClientMap, locateClient } from '../reconcilers/steering/locate.ts'
import { type ClientLocation, TIERS } from '../reconcilers/steering/types.ts'
import type { World } from '../reconcilers/steering/world.ts'
import type { LoggedDecision } from './log/read-decisions.ts'
import type { CatalogIndex } from './world/catalog-index.ts'

/** Who comes first in one replayed answer: ordinal of an appliance, -1 - i for a fallback; and the index of its tier. */
export interface First {
  readonly appliance: number
  readonly tier: number
}

/** Nobody is named. */
export const NOBODY: First = { appliance: Number.MIN_SAFE_INTEGER, tier: TIERS.length }

/** Decides again what was logged, on the world as it is: the same client, files and chances. */
export class Replay {
  readonly #world: World
  readonly #map: ClientMap
  readonly #scratch = newScratch()
  readonly #address = newAddress()
  readonly #client: ClientLocation = { site: -1, region: -1, networkClass: 0, source: 'none' }

  constructor(world: World, map: ClientMap) {
    this.#world = world
    this.#map = map
  }

  /** Undefined where the world does not know a file of it any more. */
  decide(logged: LoggedDecision): First | undefined {
    const world = this.#world
    const catalog = world.catalogOrdinals.get(logged.catalog) ?? -1
    const index = world.catalogs[catalog] as CatalogIndex | undefined
    const files = logged.files.map((path) => index?.find(path) ?? -1)
    if (!index || files.includes(-1) || !parseAddress(logged.network.replace(/\/\d+$/, ''), this.#address))
      return undefined
    locateClient(world, this.#map, this.#address, this.#client)
    const { purpose, affinityKey, canaryKey, seed } = logged
    const answer = decide(
      world,
      {
        client: this.#client,
        catalog,
        files,
        purpose,
        excluded: [],
        affinityKey,
        canaryKey,
        seed,
        maxUrls: 0,
        explain: false,
      },
      this.#scratch,
    )
    return answer.count === 0 ? NOBODY : { appliance: answer.appliances[0]!, tier: answer.tiers[0]! }
  }
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
  skipped = 0

  constructor(world: World) {
    this.#world = world
  }

  add(before: First, after: First): void {
    this.#decisions++
    if (before.appliance !== after.appliance) this.#moved++
    this.#count(before, 0)
    this.#count(after, 1)
  }

  get comparison(): Comparison {
    return {
      ...{ decisions: this.#decisions, skipped: this.skipped, moved: this.#moved },
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
