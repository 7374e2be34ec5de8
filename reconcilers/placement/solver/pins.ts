import { FileSet } from '../../blobs/file-set.ts'
import type { SolverInput } from './input.ts'
import type { Market } from './markets.ts'

/** What pins ask of sites: these files come before all others, and are in no band. */
export class Pins {
  readonly #input: Pick<SolverInput, 'sizes' | 'pins' | 'resilience'>
  readonly set: FileSet
  /** Files of the catalog that are pinned and not excluded, ascending. */
  readonly files: readonly number[]
  readonly #known = new Map<string, ReadonlyMap<number, number>>()

  constructor(input: Pick<SolverInput, 'sizes' | 'pins' | 'resilience' | 'excluded'>) {
    this.#input = input
    const { sizes, pins, excluded } = input
    let all = new FileSet()
    for (const { files } of pins) all = all.union(files)
    this.files = [...all].filter((file) => !Number.isNaN(sizes[file] ?? Number.NaN) && !excluded.has(file))
    this.set = FileSet.of(this.files)
  }

  /** Copies of each that a site with so many appliances is to have, where it may have any. */
  at(market: Market, appliances: number): ReadonlyMap<number, number> {
    const key = `${market.key}|${appliances}`
    const known = this.#known.get(key)
    if (known) return known
    const copies = new Map<number, number>()
    const { pins, resilience } = this.#input
    for (const pin of pins) {
      for (const file of pin.files) {
        if (!this.set.has(file) || !market.allowed[file]) continue
        const least = resilience && market.head?.[file] ? 1 + resilience.survivesLossOf : 1
        const wanted = Math.max(least, pin.copies === 'all' ? appliances : pin.copies)
        copies.set(file, Math.max(Math.min(wanted, appliances), copies.get(file) ?? 0))
      }
    }
    this.#known.set(key, copies)
    return copies
  }
}
