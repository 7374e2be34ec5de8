import type { FileSet } from '../../blobs/file-set.ts'
import { type Bands, cutBands, ONLY_ABOVE, type PlacedFiles, placedFiles } from './bands.ts'
import type { SolverInput } from './input.ts'
import type { Market } from './markets.ts'

type CutInput = Pick<SolverInput, 'sizes' | 'fileHashes' | 'copies' | 'resilience'>

/**
 * The bands of each market, by how often each file is to be stored where: as often as the policy wants, the head once more than appliances may be lost, but never on
 * more appliances than are large enough for it. Sites where that comes to the same share them.
 */
export class Cuts {
  readonly #input: CutInput
  readonly #files: PlacedFiles
  readonly #apart: FileSet
  readonly #wanted: number
  /** Rising. */
  readonly #sizes: Float64Array
  readonly #known = new Map<string, Bands>()

  /** `apart`: files that are in no band. `wanted`: bands of each market. */
  constructor(input: CutInput, apart: FileSet, wanted: number) {
    this.#input = input
    this.#files = placedFiles(input.sizes, input.fileHashes)
    this.#apart = apart
    this.#wanted = wanted
    this.#sizes = input.sizes.filter((size) => !Number.isNaN(size)).sort()
  }

  /** `storage`: of each appliance of the site, in bytes. `above`: of the largest that a parent has. What fits into neither is in no band, and so in no bound. */
  at(market: Market, storage: readonly number[], above: number): Bands {
    const { sizes } = this.#input
    const most = Math.max(this.copiesOf(market, false), this.copiesOf(market, true))
    const tops = [...storage].sort((a, b) => b - a).slice(0, most)
    const ranks = [...tops, Math.max(above, tops[0] ?? 0)].map((limit) => this.#fitting(limit))
    const key = `${market.key}|${ranks.join(' ')}`
    const known = this.#known.get(key)
    if (known) return known
    const copies = new Uint8Array(sizes.length)
    for (let f = 0; f < sizes.length; f++) {
      if (!market.allowed[f] || this.#apart.has(f)) continue
      const wanted = this.copiesOf(market, market.head?.[f] === 1)
      let fits = 0
      while (fits < wanted && fits < tops.length && sizes[f]! <= tops[fits]!) fits++
      copies[f] = fits > 0 ? fits : sizes[f]! <= above ? ONLY_ABOVE : 0
    }
    const bands = cutBands(this.#files, market.share, copies, this.#wanted)
    this.#known.set(key, bands)
    return bands
  }

  /** How often a file is stored where there are appliances enough. */
  copiesOf({ head }: Market, isHead: boolean): number {
    const { copies, resilience } = this.#input
    return Math.max(1, copies.perSite, head && isHead ? 1 + resilience!.survivesLossOf : 1)
  }

  /** How many files are no larger. */
  #fitting(limit: number): number {
    let [low, high] = [0, this.#sizes.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#sizes[middle]! <= limit) low = middle + 1
      else high = middle
    }
    return low
  }
}
