import { FileSet } from '../../blobs/file-set.ts'
import { evaluateSites } from '../evaluate.ts'
import type { SolvedSite } from '../problem.ts'
import { weigh } from '../weigh.ts'
import type { SolverInput, SolverSite } from './input.ts'
import type { Market, Markets } from './markets.ts'
import type { Pins } from './pins.ts'
import { survivalAt } from './survival.ts'

interface World {
  readonly input: SolverInput
  readonly markets: Markets
  readonly pins: Pins
}

/** What a tree is worth; as `PlacementWorth`. */
export interface TreeWorth {
  readonly local: number
  readonly parent: number
  readonly value: number
}

/**
 * A change of plan must pay for its bytes: Σ bonus · storage price · bytes moved in. Of three placements of a tree the one with the highest value less that is taken: the
 * new one; what the plan in force has, wherever that may stay; and that but for the sites whose own change is worth more than it moves. This tells which sites may stay, and how: those where what is there is still to be had (no files that went, storage that
 * shrank, pins, copies), and where the new placement does not find room for all files, or for notably more.
 */
export function sitesThatMayStay(world: World, told: readonly SolvedSite[]): Map<string, SolvedSite> {
  const { copies, sites } = world.input
  const staying = new Map<string, SolvedSite>()
  if (copies.perRegion > copies.perSite) return staying
  const proposed = new Map(told.map((site) => [site.key, site]))
  const members = sites.filter(({ key }) => proposed.has(key))
  if (!members.some(({ appliances }) => appliances.some(({ held }) => held))) return staying
  for (const site of members) {
    const stays = stayed(world, site, proposed.get(site.key)!)
    if (stays) staying.set(site.key, stays)
  }
  return staying
}

/** What a placement moves to a site that may stay, in the unit of value. `price`: of a byte that is moved in. */
export function costOfMoving(
  { sizes }: SolverInput,
  { holdings }: SolvedSite,
  stays: SolvedSite | undefined,
  price: number,
): number {
  let bytes = 0
  if (stays) for (const [appliance, set] of holdings) bytes += weigh(sizes, set, stays.holdings.get(appliance)).bytes
  return price * bytes
}

/** Those who ask at a site. */
export interface Viewers {
  readonly site: string
  readonly demand: number
  /** By file index: the part of their demand. */
  readonly share: Float64Array
  /** Where misses go, the nearest first, and what a unit served there is worth. */
  readonly above: readonly { readonly site: string; readonly value: number }[]
}

/**
 * What it is worth that a site takes its new placement while all others stay as they may, for each site: its viewers find other files there, and those of the sites
 * below it. By demand alone, as if throughput were enough: an estimate, to tell which changes are worth trying.
 */
export function gainsOfChanging(
  viewers: readonly Viewers[],
  told: readonly SolvedSite[],
  staying: ReadonlyMap<string, SolvedSite>,
): Map<string, number> {
  const then = new Map(told.map((site) => [site.key, unionOf(site)]))
  const now = new Map(told.map(({ key }) => [key, staying.has(key) ? unionOf(staying.get(key)!) : then.get(key)!]))
  const gains = new Map(told.map(({ key }) => [key, 0]))
  for (const { site, demand, share, above } of viewers) {
    // Viewers of a parent have it first in their chain.
    const chain = above[0]?.site === site ? above : [{ site, value: 1 }, ...above]
    for (const [i, { site: at, value }] of chain.entries()) {
      const [had, has] = [now.get(at)!, then.get(at)!]
      const count = (sign: number) => (file: number) => {
        if (chain.slice(0, i).some((nearer) => now.get(nearer.site)!.has(file))) return
        const next = chain.slice(i + 1).find((further) => now.get(further.site)!.has(file))?.value ?? 0
        gains.set(at, gains.get(at)! + sign * share[file]! * demand * (value - next))
      }
      has.difference(had).forEach(count(1))
      had.difference(has).forEach(count(-1))
    }
  }
  return gains
}

function unionOf({ holdings }: SolvedSite): FileSet {
  const all = new FileSet()
  for (const set of holdings.values()) all.addAll(set)
  return all
}

/** What a tree is worth where all of its sites stay. */
export function worthOfStaying(
  { input, markets }: World,
  staying: ReadonlyMap<string, SolvedSite>,
  parentValue: number,
): TreeWorth {
  const holdings = new Map([...staying.values()].flatMap((site) => [...site.holdings]))
  const sites = input.sites.filter(({ key }) => staying.has(key))
  return evaluateSites((site) => markets.at(site).share, sites, holdings, parentValue)
}

/**
 * A site with what the plan in force has there; undefined where that may not be (files that went, storage that shrank, pins, copies), and where the new placement finds
 * room for all files, or for notably more.
 */
function stayed({ input, markets, pins }: World, site: SolverSite, proposed: SolvedSite): SolvedSite | undefined {
  const { key, holdings, leftOut, survival } = proposed
  const market = markets.at(site)
  const mine = new Map(site.appliances.map((appliance) => [appliance.key, appliance.held ?? new FileSet()]))
  if (!isStillGood(site, mine, input, market, pins)) return undefined
  const survives = input.resilience && survivalAt(site, market, mine, input.resilience)
  if (survives && survives.share < survival!.share - CRUMBS) return undefined
  const here = unionOf({ ...proposed, holdings: mine })
  const files = market.files - here.size
  const more = growthOf(site, mine, holdings, input.sizes)
  // Less than there is now, though no files fewer: more copies than are asked for, say.
  if (more < -CRUMBS && files >= leftOut.files) return undefined
  if (files > leftOut.files && (leftOut.files === 0 || more > CRUMBS)) return undefined
  const copies = Math.max(1, Math.min(input.copies.perSite, site.appliances.length))
  return {
    key,
    holdings: mine,
    leftOut: { files, bytes: (market.bytes - weigh(input.sizes, here).bytes) * copies },
    ...(survives && { survival: survives }),
  }
}

/** A share of what a site holds that is not worth a change of plan: what files leave over that do not fit in evenly. */
export const CRUMBS = 0.005

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
    let allowed = true
    mine.get(key)!.forEach((file) => {
      allowed &&= market.allowed[file] === 1
      bytes += sizes[file]!
    })
    if (!allowed || !(bytes <= storageBytes)) return false
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
