import { FileSet } from '../blobs/file-set.ts'
import { compare } from '../blobs/plan-index.ts'
import { hashString, rendezvousScore } from './hash.ts'
import type { PlacementPin, PlacementProblem, PlacementSite, PlacementSolution, PlacementSolver } from './problem.ts'
import { type Market, Markets } from './solver/markets.ts'

/** One appliance while it is being filled. */
interface Bin {
  readonly key: string
  readonly hash: number
  readonly weight: number
  free: number
  readonly holds: FileSet
}

interface SiteBins {
  readonly site: PlacementSite
  readonly bins: readonly Bin[]
  readonly left: { files: number; bytes: number }
  /** The part of its demanded bytes, 0–1, that some appliance of the site holds, and how much it counts, in Gbit/s. */
  covered: number
  readonly demand: number
}

/**
 * Popular files first, each on the `perSite` appliances of a site that win it by weighted rendezvous hashing and still have room.
 * Bytes served of a file grow with popularity × size, so popularity is its value per byte stored, and going by it is the greedy
 * solution of the site's knapsack. Takes files × appliances steps: meant for thousands of files or a few hundred appliances.
 */
export const popularFirst: PlacementSolver = {
  name: 'popular-first/1',
  solve(problem) {
    const sites = [...problem.sites].sort((a, b) => compare(a.key, b.key)).map(openSite)
    const markets = new Markets(problem)
    const orders = new Map<Market, readonly number[]>()
    const orderOf = (market: Market) => {
      const order = orders.get(market) ?? orderBy(problem, market)
      orders.set(market, order)
      return order
    }
    for (const site of sites) {
      const market = markets.at(site.site)
      for (const pin of problem.pins) placePinned(problem, site, pin, market)
      for (const file of orderOf(market)) placeAtSite(problem, site, file, market)
    }
    if (problem.copies.perRegion > problem.copies.perSite) {
      for (const region of regionsOf(sites))
        for (const file of orderOf(markets.at(region[0]!.site)))
          topUpRegion(
            problem,
            region.filter(({ site }) => markets.at(site).allowed[file]),
            file,
          )
    }
    return solution(sites)
  },
}

function openSite(site: PlacementSite): SiteBins {
  const bins = [...site.appliances]
    .sort((a, b) => compare(a.key, b.key))
    .map(({ key, storageBytes }) => ({
      key,
      hash: hashString(key),
      weight: storageBytes,
      free: storageBytes,
      holds: new FileSet(),
    }))
  return {
    site,
    bins,
    left: { files: 0, bytes: 0 },
    covered: 0,
    demand: site.demandGbps ?? site.assumedGbps ?? 1,
  }
}

/** The files that may be placed, the most popular first (among equals the smaller, then the lower index). */
function orderBy({ sizes, popularity }: PlacementProblem, { klass, allowed }: Market): readonly number[] {
  const column = popularity[klass]!
  const files = [...sizes.keys()].filter((file) => allowed[file])
  return files.sort((a, b) => column[b]! - column[a]! || sizes[a]! - sizes[b]! || a - b)
}

function placePinned(problem: PlacementProblem, { bins }: SiteBins, pin: PlacementPin, { allowed }: Market): void {
  const copies = pin.copies === 'all' ? bins.length : pin.copies
  for (const file of pin.files) {
    if (allowed[file]) placeCopies(problem, bins, file, copies)
  }
}

function placeAtSite(problem: PlacementProblem, site: SiteBins, file: number, { share, head }: Market): void {
  const least = head?.[file] ? 1 + problem.resilience!.survivesLossOf : 1
  const wanted = Math.max(1, Math.min(Math.max(problem.copies.perSite, least), site.bins.length))
  const size = problem.sizes[file]!
  // All copies or none: a file below its minimum would be counted as safe while it is not.
  if (copiesIn(site.bins, file) + roomFor(site.bins, file, size) < wanted) {
    if (copiesIn(site.bins, file) === 0) {
      site.left.files++
      site.left.bytes += size * wanted
      return
    }
  } else {
    placeCopies(problem, site.bins, file, wanted)
  }
  if (site.bins.length > 0) site.covered += share[file]!
}

/** Adds copies in other sites of the region until it has `perRegion` of every file that is placed in it. */
function topUpRegion(problem: PlacementProblem, region: readonly SiteBins[], file: number): void {
  const bins = region.flatMap((site) => site.bins)
  if (copiesIn(bins, file) > 0) placeCopies(problem, bins, file, problem.copies.perRegion)
}

/** Puts the file on the best-scored bins with room until `copies` hold it, or no room is left. */
function placeCopies(problem: PlacementProblem, bins: readonly Bin[], file: number, copies: number): void {
  const size = problem.sizes[file]!
  let missing = copies - copiesIn(bins, file)
  if (missing <= 0) return
  const fileHash = problem.fileHashes[file]!
  const ranked = bins
    .filter((bin) => !bin.holds.has(file) && bin.free >= size)
    .map((bin) => ({ bin, score: rendezvousScore(fileHash, bin.hash, bin.weight) }))
    .sort((a, b) => b.score - a.score || compare(a.bin.key, b.bin.key))
  for (const { bin } of ranked) {
    if (missing-- === 0) break
    bin.holds.add(file)
    bin.free -= size
  }
}

const copiesIn = (bins: readonly Bin[], file: number) => bins.reduce((n, bin) => n + (bin.holds.has(file) ? 1 : 0), 0)

const roomFor = (bins: readonly Bin[], file: number, size: number) =>
  bins.reduce((n, bin) => n + (bin.free >= size && !bin.holds.has(file) ? 1 : 0), 0)

function regionsOf(sites: readonly SiteBins[]): SiteBins[][] {
  const regions = new Map<string, SiteBins[]>()
  for (const site of sites) {
    const region = regions.get(site.site.region)
    if (region) region.push(site)
    else regions.set(site.site.region, [site])
  }
  return [...regions.values()]
}

function solution(sites: readonly SiteBins[]): PlacementSolution {
  const holdings = new Map<string, FileSet>()
  const leftOut = new Map<string, { files: number; bytes: number }>()
  let [covered, total] = [0, 0]
  for (const { site, bins, left, covered: here, demand } of sites) {
    for (const bin of bins) holdings.set(bin.key, bin.holds)
    leftOut.set(site.key, left)
    covered += here * demand
    total += demand
  }
  return { holdings, leftOut, offload: total > 0 ? Math.min(1, covered / total) : 1 }
}
