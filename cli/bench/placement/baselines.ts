import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { hashString, rendezvousScore } from '../../../reconcilers/placement/hash.ts'
import type { SolverAppliance, SolverInput, SolverSite } from '../../../reconcilers/placement/solver/solve.ts'

export type Holdings = Map<string, FileSet>

interface Box {
  readonly hash: number
  readonly appliance: SolverAppliance
  readonly holds: FileSet
  free: number
  load: number
}

/** Chooses the box for a file that asks for `load`; undefined: none. */
type Choose = (boxes: readonly Box[], file: number, size: number, load: number) => Box | undefined

/**
 * What others do. All fill each site with what is most asked for there, and each parent with what is most asked for below it; they differ in which appliance of
 * the site gets a file.
 * - `uniform`: consistent hashing by storage.
 * - `bounded`: the same, with no appliance above 1.25 times the average load.
 * - `cut-offs`: the most popular files on the appliances with the most throughput per byte, and so on down: Netflix' published heterogeneous cluster allocation.
 */
export const baselines: Readonly<Record<string, (input: SolverInput) => Holdings>> = {
  'uniform hashing': (input) => fill(input, rendezvous),
  'bounded-load hashing': (input) => fill(input, bounded),
  'popularity cut-offs': (input) => fill(input, cutOffs),
}

function fill({ sizes, popularity, fileHashes, sites }: SolverInput, choose: Choose): Holdings {
  const holdings: Holdings = new Map()
  const byClass = popularity.map((column) => order(column))
  const below = Map.groupBy(sites, ({ parents }) => parents[0])
  for (const site of sites) {
    const kids = below.get(site.key)
    const wanted = kids ? demandBelow(kids, popularity, sizes) : popularity[site.demandClass ?? 0]!
    const scale = kids ? 1 : perRequest(site, wanted, sizes)
    const boxes: Box[] = site.appliances.map((appliance) => ({
      hash: hashString(appliance.key),
      appliance,
      holds: new FileSet(),
      free: appliance.storageBytes,
      load: 0,
    }))
    for (const { appliance, holds } of boxes) holdings.set(appliance.key, holds)
    let refused = 0
    for (const file of kids ? order(wanted) : byClass[site.demandClass ?? 0]!) {
      const size = sizes[file]!
      const load = wanted[file]! * size * scale
      const box = choose(boxes, fileHashes[file]!, size, load)
      if (!box) {
        if (++refused === 1024) break
        continue
      }
      refused = 0
      box.holds.add(file)
      box.free -= size
      box.load += load
    }
  }
  return holdings
}

/** Gbit/s per request and byte of a site's column. */
function perRequest({ demandGbps = 1 }: SolverSite, column: Float64Array, sizes: Float64Array): number {
  let all = 0
  for (let f = 0; f < sizes.length; f++) all += column[f]! * sizes[f]!
  return demandGbps / all
}

/** Demand per byte of all sites below a parent. */
function demandBelow(
  kids: readonly SolverSite[],
  popularity: readonly Float64Array[],
  sizes: Float64Array,
): Float64Array {
  const sum = new Float64Array(sizes.length)
  for (const kid of kids) {
    const column = popularity[kid.demandClass ?? 0]!
    const scale = perRequest(kid, column, sizes)
    for (let f = 0; f < sum.length; f++) sum[f]! += column[f]! * scale
  }
  return sum
}

function order(column: Float64Array): Uint32Array {
  return Uint32Array.from(column, (_, f) => f).sort((a, b) => column[b]! - column[a]! || a - b)
}

function best(boxes: readonly Box[], hash: number, size: number, allowed: (box: Box) => boolean): Box | undefined {
  let winner: Box | undefined
  let most = -1
  for (const box of boxes) {
    if (box.free < size || !allowed(box)) continue
    const score = rendezvousScore(hash, box.hash, box.appliance.storageBytes)
    if (score <= most) continue
    most = score
    winner = box
  }
  return winner
}

const rendezvous: Choose = (boxes, hash, size) => best(boxes, hash, size, () => true)

const bounded: Choose = (boxes, hash, size, load) => {
  let all = load
  let capacity = 0
  for (const box of boxes) {
    all += box.load
    capacity += box.appliance.throughputGbps
  }
  const most = (1.25 * all) / capacity
  return (
    best(boxes, hash, size, (box) => box.load + load <= most * box.appliance.throughputGbps) ??
    rendezvous(boxes, hash, size, load)
  )
}

const cutOffs: Choose = (boxes, hash, size) => {
  const speed = ({ appliance }: Box) => appliance.throughputGbps / appliance.storageBytes
  let fastest = 0
  for (const box of boxes) if (box.free >= size) fastest = Math.max(fastest, speed(box))
  return best(boxes, hash, size, (box) => speed(box) === fastest)
}
