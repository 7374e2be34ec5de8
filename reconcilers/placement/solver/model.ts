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
  /** Value of a unit served by the parent, where the site itself is worth 1. */
  readonly parentValue: number
  /** Where the bands of the parent are those of another class: how the two fall together. */
  readonly overlap?: Overlap
}

/** How the bands of two classes fall together: for each pair with files in common, their share of demand, and the bytes of all their copies. */
export interface Overlap {
  readonly own: Uint16Array
  readonly parents: Uint16Array
  readonly demand: Float64Array
  readonly bytes: Float64Array
}

/** The site that several others fill from and fall back to. */
export interface Trunk {
  readonly site: number
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
}

/** Sites that are decided on together. */
export interface Tree {
  readonly trunk: Trunk | undefined
  readonly branches: readonly Branch[]
}
