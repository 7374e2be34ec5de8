import { hashString, rendezvousScore } from '../../../reconcilers/placement/hash.ts'
import type { SolverInput, SolverSite } from '../../../reconcilers/placement/solver/solve.ts'
import { randomFrom } from './instance.ts'

/** A cache of whole files that gives up the least recently used. */
class Lru {
  readonly #newer: Int32Array
  readonly #older: Int32Array
  readonly #inside: Uint8Array
  readonly #sizes: Float64Array
  #free: number

  constructor(sizes: Float64Array, capacity: number) {
    // The last index is both ends of the ring.
    this.#newer = new Int32Array(sizes.length + 1).fill(sizes.length)
    this.#older = new Int32Array(sizes.length + 1).fill(sizes.length)
    this.#inside = new Uint8Array(sizes.length)
    this.#sizes = sizes
    this.#free = capacity
  }

  /** Whether it was there; it is afterwards, if it can be. */
  ask(file: number): boolean {
    const hit = this.#inside[file] === 1
    if (hit) this.#unlink(file)
    else {
      const ring = this.#sizes.length
      this.#free -= this.#sizes[file]!
      while (this.#free < 0 && this.#newer[ring] !== ring) this.#drop(this.#newer[ring]!)
      if (this.#free < 0) {
        this.#free += this.#sizes[file]!
        return false
      }
      this.#inside[file] = 1
    }
    this.#linkNewest(file)
    return hit
  }

  #drop(file: number): void {
    this.#unlink(file)
    this.#inside[file] = 0
    this.#free += this.#sizes[file]!
  }

  #unlink(file: number): void {
    this.#newer[this.#older[file]!] = this.#newer[file]!
    this.#older[this.#newer[file]!] = this.#older[file]!
  }

  #linkNewest(file: number): void {
    const ring = this.#sizes.length
    const last = this.#older[ring]!
    this.#newer[last] = file
    this.#older[file] = last
    this.#newer[file] = ring
    this.#older[ring] = file
  }
}

/** Half of the requests of a site warm the caches up, the other half count. */
const REQUESTS_PER_FILE = 4

/**
 * What caching on demand would serve: a site's requests go to its appliances by consistent hashing, misses to its parent's, each a least-recently-used cache.
 * Returns value as `evaluate` does. Half of the requests warm up.
 */
export function simulateLru({ sizes, popularity, fileHashes, sites }: SolverInput, parentValue: number): number {
  const parents = new Map<
    string,
    { caches: Lru[]; pick: (file: number) => number; asked: Float64Array; hit: Float64Array; site: SolverSite }
  >()
  const open = (site: SolverSite) => ({
    caches: site.appliances.map(({ storageBytes }) => new Lru(sizes, storageBytes)),
    pick: picker(site, fileHashes),
    asked: new Float64Array(site.appliances.length),
    hit: new Float64Array(site.appliances.length),
    site,
  })
  const edges = sites.filter(({ parents: up }) => up.length > 0)
  for (const site of sites) if (site.parents.length === 0) parents.set(site.key, open(site))
  const states = edges.map((site) => ({
    ...open(site),
    next: randomFrom(hashString(site.key)),
    draw: drawer(popularity[site.demandClass ?? 0]!),
  }))
  const requests = sizes.length * REQUESTS_PER_FILE
  const bytes = new Float64Array(states.length)
  // All sites ask in turn, so that parents see them together.
  for (let r = 0; r < requests; r++) {
    const counted = r * 2 >= requests
    for (const [s, state] of states.entries()) {
      const file = state.draw(state.next())
      const box = state.pick(file)
      const weight = counted ? sizes[file]! : 0
      bytes[s]! += weight
      if (state.caches[box]!.ask(file)) state.hit[box]! += weight
      else {
        const parent = parents.get(state.site.parents[0]!)
        if (!parent) continue
        const at = parent.pick(file)
        // In the unit of demand, as sites of unlike demand share the parent.
        if (parent.caches[at]!.ask(file)) parent.hit[at]! += weight * state.site.demandGbps!
      }
    }
  }
  let value = 0
  const mean = bytes.reduce((sum, each) => sum + each, 0) / Math.max(1, states.length)
  for (const [s, { site, hit }] of states.entries())
    for (const [b, { throughputGbps }] of site.appliances.entries())
      value += Math.min((hit[b]! / bytes[s]!) * site.demandGbps!, throughputGbps)
  for (const { site, hit } of parents.values())
    for (const [b, { throughputGbps }] of site.appliances.entries())
      value += parentValue * Math.min(hit[b]! / mean, throughputGbps)
  return value
}

/** The appliance that a file's requests go to. */
function picker({ appliances }: SolverSite, hashes: Uint32Array): (file: number) => number {
  const keys = appliances.map(({ key }) => hashString(key))
  const chosen = new Uint8Array(hashes.length)
  for (let f = 0; f < hashes.length; f++) {
    let most = -1
    for (const [b, { storageBytes }] of appliances.entries()) {
      const score = rendezvousScore(hashes[f]!, keys[b]!, storageBytes)
      if (score <= most) continue
      most = score
      chosen[f] = b
    }
  }
  return (file) => chosen[file]!
}

/** Draws files in proportion to their popularity. */
function drawer(popularity: Float64Array): (random: number) => number {
  const sums = new Float64Array(popularity.length)
  let all = 0
  for (let f = 0; f < popularity.length; f++) {
    all += popularity[f]!
    sums[f] = all
  }
  return (random) => {
    const wanted = random * all
    let [low, high] = [0, sums.length - 1]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (sums[middle]! < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}
