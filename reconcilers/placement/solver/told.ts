import type { SolvedSite, Unmet } from '../problem.ts'
import { type Bands, ONLY_ABOVE } from './bands.ts'
import type { SolverInput } from './input.ts'
import type { Pins } from './pins.ts'
import type { SitePlacing } from './place.ts'
import type { Site } from './sites.ts'
import { survivalOf } from './survival.ts'

/** Tells of sites that are placed what they hold, and what they lack. */
export class Teller {
  readonly #input: SolverInput
  readonly #sites: readonly Site[]
  readonly #pins: Pins

  constructor(input: SolverInput, sites: readonly Site[], pins: Pins) {
    this.#input = input
    this.#sites = sites
    this.#pins = pins
  }

  /** What a site holds, and what it has no room for. `index`: its position in the problem's list of sites. */
  told(index: number, bands: Bands, { boxes, held, holds }: SitePlacing): SolvedSite {
    const site = this.#sites[index]!
    const { market, types, demand, measured } = site
    const pinned = { files: 0, bytes: 0 }
    for (const file of this.#pins.files) {
      if (!market.allowed[file] || !boxes.has(file)) continue
      pinned.files++
      pinned.bytes += this.#input.sizes[file]!
    }
    const copies = Math.max(1, Math.min(this.#input.copies.perSite, boxes.count))
    let bytes = (market.bytes - held.bytes - pinned.bytes) * copies
    for (const p of this.#headAt(bands)) if (!holds[p]) bytes += (bands.copiesAt[p]! - copies) * bands.sizeAt[p]!
    const holdings = new Map(boxes.keys.map((key, b) => [key, boxes.holds[b]!]))
    const { resilience } = this.#input
    return {
      key: site.key,
      holdings,
      leftOut: { files: market.files - held.files - pinned.files, bytes },
      ...(resilience && { survival: survivalOf(types.flat(), market, demand, measured, holdings, resilience) }),
    }
  }

  /** What a site was asked for and does not have. */
  unmetAt({ market, types }: Site, { key, holdings, survival }: SolvedSite): Unmet[] {
    const unmet: Unmet[] = []
    if (survival?.limit) unmet.push({ ask: 'Head', site: key, limit: survival.limit, share: survival.share })
    if (this.#pins.files.length === 0) return unmet
    const sets = [...holdings.values()]
    let files = 0
    for (const [file, copies] of this.#pins.at(market, types.flat().length))
      if (sets.reduce((sum, set) => sum + (set.has(file) ? 1 : 0), 0) < copies) files++
    if (files > 0) unmet.push({ ask: 'Pins', site: key, limit: 'Storage', files })
    return unmet
  }

  readonly #heads = new Map<Bands, Uint32Array>()

  /** Positions of the files that are stored more often than all others. */
  #headAt(bands: Bands): Uint32Array {
    let head = this.#heads.get(bands)
    if (!head) {
      const { perSite } = this.#input.copies
      const isHead = (p: number) => bands.copiesAt[p]! > perSite && bands.copiesAt[p] !== ONLY_ABOVE
      head = Uint32Array.from(this.#input.resilience ? [...bands.copiesAt.keys()].filter(isHead) : [])
      this.#heads.set(bands, head)
    }
    return head
  }
}
