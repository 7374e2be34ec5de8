import { randomFrom } from '../../cli/bench/placement/instance.ts'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { evaluate } from '../../reconcilers/placement/evaluate.ts'
import { priced } from '../../reconcilers/placement/priced.ts'
import type { PlacementProblem, PlacementSite } from '../../reconcilers/placement/problem.ts'
import { defaultOptions } from '../../reconcilers/placement/solver/solve.ts'
import { weigh } from '../../reconcilers/placement/weigh.ts'
import type { Report } from '../benchmark.ts'

const DAYS = 50
const FILES = 5000
const SITES = 12
const SEEDS = [1, 2, 3]
/** Standard deviation of the logarithm of each day's forecast around the truth. */
const NOISE = 0.25
const NEW_PART = 0.25
const GB = 1e9
const PARENT_VALUE = 0.5

type Holdings = ReadonlyMap<string, FileSet>

/** What a byte that is moved must earn more: the solver's own has targets, the others tell what it is chosen between. */
const BONUSES = [0.25, defaultOptions.churnBonus, 0.75]

/** Fifty days of placing anew each morning: with what is held in mind, and as if nothing were. */
export async function measureDays(report: Report): Promise<void> {
  report.note(
    `${FILES} files, ${SITES} sites of 3 appliances and their parent, ${DAYS} days, seeds ${SEEDS.join(', ')}; each day's forecast is off by a factor of e^±${NOISE}; ${100 * NEW_PART}% of the titles come out in those days, and fade from then on. Moved: a day, of what is held`,
  )
  const played = SEEDS.map(play)
  const rows = played.flatMap(({ anew, keeping }, i) => [
    [`seed ${SEEDS[i]}, anew each day`, ...tell(anew)],
    ...keeping.map((total, k) => [`seed ${SEEDS[i]}, keeping, bonus ${100 * BONUSES[k]!}%`, ...tell(total)]),
  ])
  report.table([['placing', 'moved to appliances', 'to sites', 'offload'], ...rows])
  for (const [k, bonus] of BONUSES.entries()) {
    const ratios = (of: keyof Total) => played.map(({ anew, keeping }) => keeping[k]![of] / anew[of])
    const name = `bonus ${100 * bonus}%`
    const [atMost, atLeast] =
      bonus === defaultOptions.churnBonus ? [{ target: { atMost: 0.35 } }, { target: { atLeast: 0.999 } }] : []
    report.figure({ name: `bytes moved, ${name}`, value: Math.max(...ratios('moved')), unit: '×', ...atMost })
    // What only changes appliances within a site left out.
    report.figure({
      name: `bytes moved to sites, ${name}`,
      value: Math.max(...ratios('toSites')),
      unit: '×',
      ...atMost,
    })
    report.figure({ name: `offload, ${name}`, value: Math.min(...ratios('offload')), unit: '×', ...atLeast })
  }
}

const tell = ({ moved, toSites, offload }: Total) => [moved, toSites, offload].map(percent)
const percent = (part: number) => `${(100 * part).toFixed(2)}%`

interface Total {
  /** Mean over days but the first of what was moved to appliances, as a part of what they hold. */
  readonly moved: number
  /** The same of sites: what only changes appliances within one is not counted. */
  readonly toSites: number
  /** Mean over the same days, under the truth. */
  readonly offload: number
}

function play(seed: number): { readonly anew: Total; readonly keeping: readonly Total[] } {
  const next = randomFrom(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  const sizes = Float64Array.from({ length: FILES }, () => Math.round(2 * GB * Math.exp(0.5 * normal())))
  const level = Float64Array.from({ length: FILES }, (_, f) => 1e6 / (f + 1) ** 0.9)
  // Titles old and new are of all ranks.
  const releasedOn = Int32Array.from({ length: FILES }, () =>
    next() < NEW_PART ? 1 + Math.floor(next() * (DAYS - 1)) : -1,
  )
  const fileHashes = Uint32Array.from({ length: FILES }, () => Math.floor(next() * 2 ** 32))
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  const sites = sitesOf(bytes, next)
  const ways = [undefined, ...BONUSES].map((bonus) => ({
    bonus,
    held: new Map() as Holdings,
    total: { moved: 0, toSites: 0, offload: 0 },
  }))
  for (let day = 0; day < DAYS; day++) {
    const truth = level.map((value, f) => {
      if (releasedOn[f]! > day) return 0
      return releasedOn[f]! < 0 ? value : value * (0.3 + 1.7 * 0.95 ** (day - releasedOn[f]!))
    })
    const said = truth.map((value) => value * Math.exp(NOISE * normal()))
    const problem: PlacementProblem = {
      ...{ sizes, popularity: [said], fileHashes, sites, pins: [], excluded: new FileSet() },
      copies: { perSite: 1, perRegion: 0 },
    }
    for (const way of ways) {
      const { bonus, held, total } = way
      const asked = bonus === undefined ? problem : { ...problem, churnBonus: bonus, sites: holding(sites, held) }
      const { holdings } = priced.solve(asked)
      const { value, demand } = evaluate({ ...problem, popularity: [truth] }, holdings, PARENT_VALUE)
      // The first day fills everything, whoever places.
      if (day > 0) {
        total.moved += moved(sizes, held, holdings) / (DAYS - 1)
        total.toSites += moved(sizes, bySite(held), bySite(holdings)) / (DAYS - 1)
        total.offload += value / demand / (DAYS - 1)
      }
      way.held = holdings
    }
  }
  const [anew, ...keeping] = ways.map(({ total }) => total)
  return { anew: anew!, keeping }
}

function sitesOf(bytes: number, next: () => number): PlacementSite[] {
  const boxes = (key: string, share: number) =>
    Array.from({ length: 3 }, (_, i) => ({
      key: `${key}-${i}`,
      storageBytes: Math.round((share * bytes) / 3),
      throughputGbps: 100,
    }))
  const edges = Array.from({ length: SITES }, (_, i) => ({
    ...{ key: `s${i}`, region: 'r', parents: ['p'], demandGbps: 60 + 120 * next() },
    appliances: boxes(`s${i}`, 0.08 + 0.12 * next()),
  }))
  return [{ key: 'p', region: 'r', parents: [], demandGbps: 0, appliances: boxes('p', 0.4) }, ...edges]
}

function holding(sites: readonly PlacementSite[], held: Holdings): PlacementSite[] {
  return sites.map((site) => ({
    ...site,
    appliances: site.appliances.map((appliance) => {
      const holds = held.get(appliance.key)
      return holds ? { ...appliance, held: holds } : appliance
    }),
  }))
}

/** What the appliances of each site hold together; theirs are called `site-number`. */
function bySite(holdings: Holdings): Holdings {
  const sites = new Map<string, FileSet>()
  for (const [key, set] of holdings) {
    const site = key.slice(0, key.lastIndexOf('-'))
    sites.set(site, sites.get(site)?.union(set) ?? set)
  }
  return sites
}

/** Bytes that appliances hold and did not, as a part of all that they hold. */
function moved(sizes: Float64Array, before: Holdings, now: Holdings): number {
  let [fresh, all] = [0, 0]
  for (const [key, set] of now) {
    fresh += weigh(sizes, set.difference(before.get(key) ?? new FileSet())).bytes
    all += weigh(sizes, set).bytes
  }
  return fresh / all
}
