import type { GroupParts } from './parts.ts'
import type { Capacity } from './site-dual.ts'

/** How far a type's load may be ahead of what is planned, as a part of its throughput, before the place no longer decides. */
const TOLERANCE = 0.002
/** An option with less than this part of a group is none for its files. */
const OPTION = 0.005

/**
 * Turns parts of groups into whole files: by their place, which changes little when the parts change little, unless the load of a type would then leave what is planned for
 * it. A few heavy files would do that, and where throughput is short it costs. The option after the last type is to leave a file out.
 */
export class Ledger {
  readonly #ahead: Float64Array
  readonly #tolerance: Float64Array

  /** `demand`: of the site, in the unit of throughput. */
  constructor(types: readonly Capacity[], demand: number) {
    this.#ahead = new Float64Array(types.length + 1)
    const scales = [...types.map(({ throughput }) => throughput), demand]
    this.#tolerance = Float64Array.from(scales, (scale) => scale * TOLERANCE)
  }

  /** Decides on a file of group j with this demand. `place`: where in the group it stands, 0–1. */
  choose({ limits, types }: GroupParts, j: number, place: number, demand: number): number {
    const ahead = this.#ahead
    const at = j * types
    let chosen = 0
    while (chosen < types && place >= limits[at + chosen]!) chosen++
    if (ahead[chosen]! + demand * (1 - partOf(limits, at, types, chosen)) > this.#tolerance[chosen]!) {
      let most = Number.NEGATIVE_INFINITY
      for (let option = 0; option <= types; option++) {
        const part = partOf(limits, at, types, option)
        const behind = part * demand - ahead[option]!
        if (part < OPTION || behind <= most) continue
        most = behind
        chosen = option
      }
    }
    for (let option = 0; option <= types; option++) ahead[option]! -= partOf(limits, at, types, option) * demand
    ahead[chosen]! += demand
    return chosen
  }
}

function partOf(limits: Float64Array, at: number, types: number, option: number): number {
  return (option < types ? limits[at + option]! : 1) - (option > 0 ? limits[at + option - 1]! : 0)
}
