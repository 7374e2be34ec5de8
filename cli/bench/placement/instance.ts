import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { mix } from '../../../reconcilers/placement/hash.ts'
import type { SolverAppliance, SolverInput, SolverSite } from '../../../reconcilers/placement/solver/solve.ts'

export interface InstanceSize {
  readonly files: number
  readonly appliances: number
  readonly classes: number
  readonly seed: number
}

const TB = 1e12
/** A few petabytes, whatever the number of files: titles are cut into more or fewer. */
const CATALOG_BYTES = 2500 * TB
/** Appliances to a regional site. */
const PER_REGION = 120
/** Standard deviation of the logarithm of a day's popularity around the day before's. */
const DAILY_NOISE = 0.25

/**
 * A fleet and a catalog made up from a seed. Popularity falls with the 0.9th power of rank and differs between classes of demand; sizes are log-normal. Regional sites
 * have 3–8 appliances of 240 TB; the edge sites below them 1–4 flash appliances (24 TB, 180 Gbit/s), 1–6 of disks (100 or 160 TB, 70 Gbit/s), or both, and ask for 0.4 to
 * 1.4 times what theirs can serve. `day`: popularity drifts with the days. The same on every machine.
 */
export function makeInstance({ files, appliances, classes, seed }: InstanceSize, day = 0): SolverInput {
  const next = randomFrom(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  const raw = Float64Array.from({ length: files }, () => Math.exp(normal()))
  const scale = CATALOG_BYTES / raw.reduce((sum, size) => sum + size, 0)
  const sizes = raw.map((size) => Math.max(1, Math.round(size * scale)))
  const ranks = shuffled(files, next)
  const popularity = Array.from({ length: classes }, () =>
    Float64Array.from(ranks, (rank) => (rank + 20) ** -0.9 * Math.exp(0.8 * normal())),
  )
  const sites = makeSites(appliances, classes, next)
  const drift = randomFrom(mix(seed + 0x51ed))
  for (let d = 0; d < day; d++) {
    const step = () => Math.sqrt(-2 * Math.log(1 - drift())) * Math.cos(2 * Math.PI * drift())
    for (const column of popularity) for (let f = 0; f < files; f++) column[f]! *= Math.exp(DAILY_NOISE * step())
  }
  return {
    sizes,
    popularity,
    fileHashes: Uint32Array.from(sizes, (_, f) => mix(f + 0x9e37)),
    sites,
    copies: { perSite: 1, perRegion: 1 },
    pins: [],
    excluded: new FileSet(),
  }
}

function makeSites(appliances: number, classes: number, next: () => number): SolverSite[] {
  const sites: SolverSite[] = []
  let left = appliances
  const boxes = (key: string, count: number, storageBytes: number, throughputGbps: number): SolverAppliance[] => {
    const taken = Math.min(left, count)
    left -= taken
    return Array.from({ length: taken }, (_, i) => ({ key: `${key}-${i}`, storageBytes, throughputGbps }))
  }
  const name = (index: number) => String(index).padStart(6, '0')
  const regions = Math.max(1, Math.round(appliances / PER_REGION))
  for (let r = 0; r < regions; r++) {
    const key = `region-${name(r)}`
    sites.push({
      key,
      region: key,
      parents: [],
      demandClass: r % classes,
      demandGbps: 0,
      appliances: boxes(key, 3 + Math.floor(next() * 6), 240 * TB, 600),
    })
  }
  while (left > 0) {
    const parent = sites[Math.floor(next() * regions)]!
    const key = `site-${name(sites.length)}`
    const flash = next() < 0.6 ? 1 + Math.floor(next() * 4) : 0
    const disks = next() < 0.8 || flash === 0 ? 1 + Math.floor(next() * 6) : 0
    const here = [
      ...boxes(`${key}-flash`, flash, 24 * TB, 180),
      ...boxes(`${key}-disk`, disks, (next() < 0.5 ? 100 : 160) * TB, 70),
    ]
    const capacity = here.reduce((sum, { throughputGbps }) => sum + throughputGbps, 0)
    sites.push({
      key,
      region: parent.key,
      parents: [parent.key],
      demandClass: parent.demandClass ?? 0,
      demandGbps: capacity * (0.4 + next()),
      appliances: here,
    })
  }
  return sites
}

/** The sites of an instance in `parts` parts of about equal size; a regional site and what is below it stay together. */
export function partSites(sites: readonly SolverSite[], parts: number): SolverSite[][] {
  const trees = [...Map.groupBy(sites, ({ key, parents }) => parents[0] ?? key).values()]
  const out: SolverSite[][] = Array.from({ length: parts }, () => [])
  for (const tree of trees.sort((a, b) => b.length - a.length)) {
    out.reduce((least, part) => (part.length < least.length ? part : least)).push(...tree)
  }
  return out
}

/** Numbers in [0, 1): mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

function shuffled(count: number, next: () => number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1))
    const other = order[i]!
    order[i] = order[j]!
    order[j] = other
  }
  return order
}
