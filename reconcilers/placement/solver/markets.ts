import { FileSet } from '../../blobs/file-set.ts'
import type { SolverInput, SolverSite } from './input.ts'

/** What viewers of one class of demand may be served where the same licences hold. Columns by file index. */
export interface Market {
  readonly key: string
  /** The class: an index into the columns of popularity. */
  readonly klass: number
  /** The part of all demanded bytes that each file stands for; 0 for files that may not be served here. Where nothing is known of any, all are asked for alike. */
  readonly share: Float64Array
  /** 1 for files that may be here. */
  readonly allowed: Uint8Array
  /** Of those, each counted once. */
  readonly files: number
  readonly bytes: number
  /** 1 for the head: the most popular files that make up `resilience.headShare` of the demand. Undefined where none is asked for. */
  readonly head: Uint8Array | undefined
}

type MarketInput = Pick<SolverInput, 'sizes' | 'popularity' | 'excluded' | 'licences' | 'resilience'>

/** Every market of a problem, made when it is first asked for. */
export class Markets {
  readonly #input: MarketInput
  readonly #known = new Map<string, Market>()

  constructor(input: MarketInput) {
    this.#input = input
  }

  at(site: SolverSite): Market {
    return this.of(site.demandClass ?? 0, site)
  }

  /** The market of a class where a site stands: a parent holds for viewers of other classes, too, but by its own licences. */
  of(klass: number, site: Pick<SolverSite, 'region' | 'country'>): Market {
    const { licences = [] } = this.#input
    const barred = licences.map(({ regions }) => !isLicensed(regions, site))
    const key = `${klass} ${barred.map(Number).join('')}`
    let market = this.#known.get(key)
    if (!market) {
      market = this.#make(key, klass, barred)
      this.#known.set(key, market)
    }
    return market
  }

  #make(key: string, klass: number, barred: readonly boolean[]): Market {
    const { sizes, popularity, excluded, licences = [], resilience } = this.#input
    const allowed = new Uint8Array(sizes.length)
    for (let f = 0; f < sizes.length; f++) if (!Number.isNaN(sizes[f]!)) allowed[f] = 1
    for (const set of [excluded, ...licences.filter((_, i) => barred[i]).map(({ files }) => files)])
      for (const f of set) if (f < sizes.length) allowed[f] = 0
    let [files, bytes] = [0, 0]
    for (let f = 0; f < sizes.length; f++) {
      if (!allowed[f]) continue
      files++
      bytes += sizes[f]!
    }
    const share = shareOf(popularity[klass]!, sizes, allowed)
    return { key, klass, share, allowed, files, bytes, head: resilience && headOf(share, sizes, resilience.headShare) }
  }
}

/** Whether files with a licence for these regions may be held and served at a site. */
export function isLicensed(regions: readonly string[], { region, country }: Pick<SolverSite, 'region' | 'country'>) {
  return regions.includes(region) || (country !== undefined && regions.includes(country))
}

/** Files that may not be at a site by their licences. */
export function barredAt(
  { licences = [] }: Pick<SolverInput, 'licences'>,
  site: Pick<SolverSite, 'region' | 'country'>,
): FileSet {
  const barred = new FileSet()
  for (const { files, regions } of licences) if (!isLicensed(regions, site)) barred.addAll(files)
  return barred
}

function shareOf(popularity: Float64Array, sizes: Float64Array, allowed: Uint8Array): Float64Array {
  const share = new Float64Array(sizes.length)
  let all = 0
  for (let f = 0; f < sizes.length; f++) if (allowed[f]) all += popularity[f]! * sizes[f]!
  const known = all > 0
  if (!known) for (let f = 0; f < sizes.length; f++) if (allowed[f]) all += sizes[f]!
  if (all > 0)
    for (let f = 0; f < sizes.length; f++) if (allowed[f]) share[f] = ((known ? popularity[f]! : 1) * sizes[f]!) / all
  return share
}

/** The files of highest density, among equals the lower index, that make up this part of the demand. */
function headOf(share: Float64Array, sizes: Float64Array, part: number): Uint8Array {
  const head = new Uint8Array(share.length)
  const density = new Float64Array(share.length)
  const asked: number[] = []
  for (let f = 0; f < share.length; f++) {
    if (!(share[f]! > 0)) continue
    density[f] = share[f]! / sizes[f]!
    asked.push(f)
  }
  asked.sort((a, b) => density[b]! - density[a]! || a - b)
  let sum = 0
  for (const f of asked) {
    // A little less than rounding: a head of all demand is all that is asked for, and no more.
    if (sum >= part * (1 - 1e-12)) break
    head[f] = 1
    sum += share[f]!
  }
  return head
}
