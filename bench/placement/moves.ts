/** What an appliance more, and one less, moves at a site: over many seeds, sizes and kinds. */
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { mix } from '../../reconcilers/placement/hash.ts'
import { defaultOptions, Solved, type SolverInput, type SolverSite } from '../../reconcilers/placement/solver/solve.ts'
import type { Report } from '../benchmark.ts'

const SEEDS = Number(process.env.WEIR_BENCH_SEEDS ?? 6)
const FILES = 4000
/** Adding one to N moves at most so much of a site's bytes, divided by N. */
const MOST_ADDED = 1.5
/** Removing one moves at most so many times what it alone held. */
const MOST_REMOVED = 1

type Holdings = ReadonlyMap<string, FileSet>
type Box = SolverSite['appliances'][number]

const kinds = {
  'of a kind': () => ({ storage: 1, gbps: 10 }),
  'of two sizes': (i: number) => ({ storage: i % 2 ? 0.5 : 1.5, gbps: i % 2 ? 5 : 15 }),
  'flash and disks': (i: number) => (i % 3 === 0 ? { storage: 0.25, gbps: 30 } : { storage: 1.4, gbps: 6 }),
  'of four kinds': (i: number) =>
    [
      { storage: 0.2, gbps: 30 },
      { storage: 1, gbps: 10 },
      { storage: 2, gbps: 8 },
      { storage: 0.8, gbps: 20 },
    ][i % 4]!,
} satisfies Record<string, (i: number) => { storage: number; gbps: number }>

function world(seed: number) {
  const sizes = Float64Array.from({ length: FILES }, (_, f) => 50 + (mix(seed * 7919 + f) % 400))
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  const popularity = [Float64Array.from(sizes, (_, f) => ((mix(seed + f * 31) % FILES) + 10) ** -0.8)]
  const fileHashes = Uint32Array.from(sizes, (_, f) => mix(f + seed * 104729))
  return { sizes, bytes, popularity, fileHashes }
}

/** `held`: what the plan in force has, of appliances that left, too. */
function solve(of: ReturnType<typeof world>, boxes: readonly Box[], held: Holdings, load: number): Holdings {
  const keys = new Set(boxes.map(({ key }) => key))
  const site: SolverSite = {
    key: 'a',
    region: 'eu',
    parents: [],
    demandGbps: load,
    gone: [...held]
      .filter(([key]) => !keys.has(key))
      .map(([key, set]) => ({ key, storageBytes: 0, throughputGbps: 0, held: set })),
    appliances: boxes.map((box) => ({ ...box, ...(held.has(box.key) && { held: held.get(box.key)! }) })),
  }
  const input: SolverInput = {
    ...of,
    sites: [site],
    copies: { perSite: 1, perRegion: 1 },
    pins: [],
    excluded: new FileSet(),
  }
  return new Map([...new Solved(input, defaultOptions).sites()].flatMap((each) => [...each.holdings]))
}

const bytesOf = (sizes: Float64Array, set: Iterable<number>) => {
  let bytes = 0
  for (const f of set) bytes += sizes[f]!
  return bytes
}

/**
 * Adds an appliance to a site, and removes one. Load: what is asked for, as a part of what the site can serve. Where kinds differ as flash and disks do and load is high, an
 * appliance more or less changes which files are best on which kind.
 */
export async function measureMoves(report: Report): Promise<void> {
  const rows: string[][] = []
  for (const [name, kind] of Object.entries(kinds)) {
    let [worstAdded, worstRemoved] = [0, 0]
    for (const n of [3, 5, 8, 12]) {
      for (const busy of [0.5, 0.9, 1.2]) {
        let [added, removed] = [0, 0]
        let [mostAdded, mostRemoved] = [0, 0]
        for (let seed = 1; seed <= SEEDS; seed++) {
          const of = world(seed)
          const box = (i: number): Box => {
            const { storage, gbps } = kind(i)
            return { key: `a-${i}`, storageBytes: (storage * of.bytes * 0.5) / n, throughputGbps: gbps }
          }
          const boxes = Array.from({ length: n + 1 }, (_, i) => box(i))
          const demand = busy * boxes.slice(0, n).reduce((sum, { throughputGbps }) => sum + throughputGbps, 0)
          const few = boxes.slice(0, n)
          const before = solve(of, few, new Map(), demand)
          const grown = solve(of, boxes, before, demand)
          const stored = boxes.reduce((sum, { key }) => sum + bytesOf(of.sizes, before.get(key) ?? []), 0)
          let moved = 0
          for (const [key, set] of grown) moved += bytesOf(of.sizes, set.difference(before.get(key) ?? new FileSet()))
          const share =
            (moved * n) /
            stored /
            Math.max(1, (boxes[n]!.storageBytes * n) / few.reduce((sum, { storageBytes }) => sum + storageBytes, 0))
          added += share / SEEDS
          mostAdded = Math.max(mostAdded, share)
          const lost = mix(seed) % n
          const left = few.filter((_, i) => i !== lost)
          const after = solve(of, left, before, demand)
          let refilled = 0
          for (const [key, set] of after) refilled += bytesOf(of.sizes, set.difference(before.get(key)!))
          let others = new FileSet()
          for (const { key } of left) others = others.union(before.get(key)!)
          const alone = bytesOf(of.sizes, before.get(`a-${lost}`)!.difference(others))
          const times = refilled / Math.max(1, alone)
          removed += times / SEEDS
          mostRemoved = Math.max(mostRemoved, times)
        }
        worstAdded = Math.max(worstAdded, mostAdded)
        worstRemoved = Math.max(worstRemoved, mostRemoved)
        rows.push([
          name,
          String(n),
          String(busy),
          `${added.toFixed(2)} (${mostAdded.toFixed(2)})`,
          `${removed.toFixed(2)} (${mostRemoved.toFixed(2)})`,
        ])
      }
    }
    report.figure({
      name: `one more, ${name}`,
      value: worstAdded,
      unit: '× bytes/N, at worst',
      target: { atMost: MOST_ADDED },
    })
    report.figure({
      name: `one less, ${name}`,
      value: worstRemoved,
      unit: '× what it alone held, at worst',
      target: { atMost: MOST_REMOVED },
    })
  }
  report.table([
    ['kind', 'N', 'load', 'one more: moved · N / bytes (most)', 'one less: moved / held alone (most)'],
    ...rows,
  ])
}
