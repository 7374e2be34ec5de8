import { FileSet } from '../../blobs/file-set.ts'
import { evaluateSites } from '../evaluate.ts'
import type { SolvedSite } from '../problem.ts'
import { weigh } from '../weigh.ts'
import type { SolverInput, SolverSite } from './input.ts'
import type { Market, Markets } from './markets.ts'
import type { Pins } from './pins.ts'
import { survivalAt } from './survival.ts'

/** What the plan in force has at the sites of a tree. */
export interface Kept {
  readonly sites: readonly SolvedSite[]
  /** As `PlacementWorth`. */
  readonly local: number
  readonly parent: number
  readonly value: number
}

interface World {
  readonly input: SolverInput
  readonly markets: Markets
  readonly pins: Pins
}

interface Proposal {
  readonly told: readonly SolvedSite[]
  readonly value: number
  /** By site: value of a byte of storage. */
  readonly storagePrices: ReadonlyMap<string, number>
}

/**
 * A change of plan must pay for its bytes: what the plan in force has at the sites of a tree stays as it is, unless the new placement's value is higher by more than
 * Σ bonus · storage price · bytes moved in. It also gives way where it is not to be had any more (files that went, storage that shrank, pins, copies), and where the new
 * placement finds room for all files, or for notably more. Undefined: change it.
 */
export function keepIfWorthIt(
  { input, markets, pins }: World,
  { told, value, storagePrices }: Proposal,
  { churnBonus, parentValue }: { readonly churnBonus: number; readonly parentValue: number },
): Kept | undefined {
  const keys = new Set(told.map(({ key }) => key))
  const sites = input.sites.filter(({ key }) => keys.has(key))
  const held = new Map<string, FileSet>()
  for (const { appliances } of sites) for (const { key, held: set } of appliances) if (set) held.set(key, set)
  if (held.size === 0 || input.copies.perRegion > input.copies.perSite) return undefined
  const bySite = new Map(sites.map((site) => [site.key, site]))
  const kept: SolvedSite[] = []
  let cost = 0
  for (const { key, holdings, leftOut, survival } of told) {
    const site = bySite.get(key)!
    const market = markets.at(site)
    const mine = new Map(site.appliances.map((appliance) => [appliance.key, appliance.held ?? new FileSet()]))
    if (!isStillGood(site, mine, input, market, pins)) return undefined
    const survives = input.resilience && survivalAt(site, market, mine, input.resilience)
    if (survives && survives.share < survival!.share - CRUMBS) return undefined
    let here = new FileSet()
    for (const set of mine.values()) here = here.union(set)
    const files = market.files - here.size
    const more = growthOf(site, mine, holdings, input.sizes)
    // Less than there is now: more copies than are asked for, say.
    if (more < -CRUMBS || (files > leftOut.files && (leftOut.files === 0 || more > CRUMBS))) return undefined
    const copies = Math.max(1, Math.min(input.copies.perSite, site.appliances.length))
    kept.push({
      key,
      holdings: mine,
      leftOut: { files, bytes: (market.bytes - weigh(input.sizes, here).bytes) * copies },
      ...(survives && { survival: survives }),
    })
    for (const [appliance, set] of holdings)
      cost += churnBonus * storagePrices.get(key)! * weigh(input.sizes, set, mine.get(appliance)).bytes
  }
  const worth = evaluateSites((site) => markets.at(site).share, sites, held, parentValue)
  // A little more than rounding.
  if (value > worth.value * (1 + 1e-9) + cost) return undefined
  return { sites: kept, local: worth.local, parent: worth.parent, value: worth.value }
}

/** A share of what a site holds that is not worth a change of plan: what files leave over that do not fit in evenly. */
const CRUMBS = 0.005

/** How many more bytes a placement has at a site than another, as a part of them. */
function growthOf(
  { appliances }: SolverSite,
  now: ReadonlyMap<string, FileSet>,
  then: ReadonlyMap<string, FileSet>,
  sizes: Float64Array,
): number {
  let before = 0
  let after = 0
  for (const { key } of appliances) {
    before += weigh(sizes, now.get(key)!).bytes
    after += weigh(sizes, then.get(key)!).bytes
  }
  return (after - before) / Math.max(1, before, after)
}

/** Whether a site's holdings keep to everything that is asked of a placement. */
function isStillGood(
  { appliances }: SolverSite,
  mine: ReadonlyMap<string, FileSet>,
  { sizes, copies }: SolverInput,
  market: Market,
  pins: Pins,
): boolean {
  for (const { key, storageBytes } of appliances) {
    let bytes = 0
    for (const file of mine.get(key)!) {
      if (!market.allowed[file]) return false
      bytes += sizes[file]!
    }
    if (bytes > storageBytes) return false
  }
  const held = [...mine.values()]
  const count = (file: number) => held.reduce((sum, set) => sum + (set.has(file) ? 1 : 0), 0)
  for (const [file, wanted] of pins.at(market, held.length)) if (count(file) < wanted) return false
  const least = Math.min(copies.perSite, held.length)
  if (least <= 1) return true
  const able = (bytes: number) => appliances.reduce((sum, each) => sum + (each.storageBytes >= bytes ? 1 : 0), 0)
  for (const set of held)
    for (const file of set) if (!pins.set.has(file) && count(file) < Math.min(least, able(sizes[file]!))) return false
  return true
}
