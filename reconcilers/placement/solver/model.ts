import type { Bands } from './bands.ts'
import type { Capacity } from './site-dual.ts'

/** Viewers of a site, and what the site has to serve them with. Without types of appliance, only the parent can. */
export interface Branch {
  /** Position in the problem's list of sites. */
  readonly site: number
  /** In the unit of throughput. */
  readonly demand: number
  readonly bands: Bands
  readonly types: readonly Capacity[]
  /** Of storage, then of throughput, per type; multiplied by the capacity. */
  readonly prices: Float64Array
  /** Where misses go, the nearest first: the first of them that holds a file serves it. */
  readonly chain: readonly Above[]
}

/** A parent, or a parent's parent and so on, as a branch sees it. */
export interface Above {
  readonly trunk: Trunk
  /** Value of a unit that it serves, where the site itself is worth 1. */
  readonly value: number
  /** Where its bands are those of another class: how the two fall together. */
  readonly overlap?: Overlap
}

/** How the bands of two classes fall together: for each pair with files in common, their share of demand, and the bytes of all their copies. */
export interface Overlap {
  readonly own: Uint16Array
  readonly parents: Uint16Array
  readonly demand: Float64Array
  readonly bytes: Float64Array
}

/** A site that others fill from and fall back to. */
export interface Trunk {
  readonly site: number
  /** Where its own misses go, the nearest first. */
  readonly above: readonly Trunk[]
  readonly capacity: Capacity
  readonly bands: Bands
  /** Part of each band that it holds, 0–1: the files with the lowest hashes. */
  readonly held: Float64Array
  /** Per unit served. */
  price: number
  /** Per byte stored. */
  storagePrice: number
  /** Of the demand for a band, in the unit of throughput: what the branches do not serve themselves of files that it holds. */
  readonly missed: Float64Array
  /** What the branches ask of it at its price. */
  asked: number
  /** What one more file of each band is worth to all branches together. */
  readonly gradient: Float64Array
}

/** Sites that are decided on together. */
export interface Tree {
  /** Parents before their children; none where a site stands alone. */
  readonly trunks: readonly Trunk[]
  readonly branches: readonly Branch[]
}

/** What is had, per unit of demand, where the branch does not hold a file and this is the first of its parents that does. */
export const insteadOf = ({ trunk, value }: Above): number => Math.max(0, value - trunk.price)
