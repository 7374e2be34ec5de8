import type { Capacity } from './site-dual.ts'

/** How far a type's load may be ahead of what is planned, as a part of its throughput, before the hash no longer decides. */
const TOLERANCE = 0.002
/** An option with less than this part of a group is none for its files. */
const OPTION = 0.005

/**
 * Turns parts of groups into whole files: by hash, which changes little when the parts change little, unless the load of a type would then leave what is planned for
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

  /** Decides on a file with this demand. `limits`: the parts of the first type, of the first two, …; `place`: by hash, 0–1. */
  choose(limits: Float64Array, place: number, demand: number): number {
    const options = limits.length + 1
    const ahead = this.#ahead
    let chosen = 0
    while (chosen < limits.length && place >= limits[chosen]!) chosen++
    if (ahead[chosen]! + demand * (1 - partOf(limits, chosen)) > this.#tolerance[chosen]!) {
      let most = Number.NEGATIVE_INFINITY
      for (let option = 0; option < options; option++) {
        const part = partOf(limits, option)
        const behind = part * demand - ahead[option]!
        if (part < OPTION || behind <= most) continue
        most = behind
        chosen = option
      }
    }
    for (let option = 0; option < options; option++) ahead[option]! -= partOf(limits, option) * demand
    ahead[chosen]! += demand
    return chosen
  }
}

function partOf(limits: Float64Array, option: number): number {
  return (option < limits.length ? limits[option]! : 1) - (option > 0 ? limits[option - 1]! : 0)
}
