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
  /** Where misses go, the nearest parent first: the first of them that holds a file serves it. */
  readonly chain: readonly Above[]
}

/** Appliances of a kind at a parent, or at a parent's parent and so on, as a branch sees them. Those of one parent follow each other. */
export interface Above {
  readonly trunk: Trunk
  readonly kind: Kind
  /** Value of a unit that they serve, where the site itself is worth 1. */
  readonly value: number
  /** Where the trunk's bands are those of another class: how the two fall together. */
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
  readonly bands: Bands
  /** As the site's types of appliance. */
  readonly kinds: readonly Kind[]
}

/** A trunk's appliances of a type together. */
export interface Kind {
  readonly appliances: readonly string[]
  readonly capacity: Capacity
  /** Part of each of the trunk's bands that they hold, 0–1; of all kinds together at most 1. */
  readonly held: Float64Array
  /** Per unit served. */
  price: number
  /** Per byte stored. */
  storagePrice: number
  /** Where all of a band is held here: of the demand for it, in the unit of throughput, what the branches do not serve themselves, and what of it they ask for at the price. */
  readonly missed: Float64Array
  readonly asked: Float64Array
  /** What all of each band is worth to all branches together if it is held here, at its price. */
  readonly gain: Float64Array
}

/** Sites that are decided on together. */
export interface Tree {
  /** Parents before their children; none where a site stands alone. */
  readonly trunks: readonly Trunk[]
  readonly branches: readonly Branch[]
}

/** What is had, per unit of demand, where the branch does not hold a file and these are the first above it that do. */
export const insteadOf = ({ kind, value }: Above): number => Math.max(0, value - kind.price)
