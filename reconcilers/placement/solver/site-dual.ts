/**
 * What one site decides on: groups of files and types of appliance. Demands in the unit of throughput, bytes per group, `instead` the value per unit of demand of
 * not serving a group here (its parent does), 0–1.
 */
export interface SiteGroups {
  count: number
  readonly demand: Float64Array
  readonly bytes: Float64Array
  readonly instead: Float64Array
  /** Where files are that are held already: what a unit of demand of a group is worth less on any type but `holder`, which is -1 where none holds it. */
  readonly moving?: Float64Array
  readonly holder?: Int8Array
  /**
   * Where a unit of demand of group j is worth something else than 1 on type t, and takes more or less than a unit of its throughput: at `j * types + t`.
   * `instead` and `moving` count for nothing then.
   */
  readonly worth?: Float64Array
  readonly takes?: Float64Array
}

/** Storage and throughput of the appliances of a type together. Throughput may be infinite. */
export interface Capacity {
  readonly storage: number
  readonly throughput: number
}

/** More types than this at one site are joined. */
export const MAX_TYPES = 4
const MAX_PRICES = 2 * MAX_TYPES

/**
 * The site's problem is: maximise Σ (1 − instead_j) y_jt with Σ_t y_jt ≤ demand_j, Σ_j bytes_j y_jt / demand_j ≤ storage_t and Σ_j y_jt ≤ throughput_t.
 * With prices α_t per byte stored and β_t per unit served, group j is worth l_jt = 1 − instead_j − β_t − α_t bytes_j / demand_j on type t, and the dual is
 *
 *     F(α, β) = Σ_j demand_j max(0, max_t l_jt) + Σ_t (α_t storage_t + β_t throughput_t).
 *
 * The maximum is smoothed to τ log(1 + Σ_t exp(l_jt / τ)), and −μ Σ log keeps the prices positive: then F is strictly convex and smooth, Newton's method finds its
 * minimum in a few steps, and there the parts exp(l_jt / τ) / (1 + Σ exp) keep all capacities: they are a primal solution, off by O(τ + μ).
 * Prices are kept as α_t storage_t and β_t throughput_t, which are of one magnitude: first the types' storage, then their throughput.
 */
export class SiteDual {
  readonly #gradient = new Float64Array(MAX_PRICES)
  readonly #hessian = new Float64Array(MAX_PRICES * MAX_PRICES)
  readonly #step = new Float64Array(MAX_PRICES)
  readonly #from = new Float64Array(MAX_PRICES)
  readonly #parts = new Float64Array(MAX_TYPES)
  readonly #perStorage = new Float64Array(MAX_TYPES)
  readonly #perThroughput = new Float64Array(MAX_TYPES)

  /** Moves `prices` (all above 0) to the minimum for these τ and μ, in at most `limit` steps. */
  minimise(
    groups: SiteGroups,
    types: readonly Capacity[],
    prices: Float64Array,
    tau: number,
    mu: number,
    limit: number,
  ): void {
    const size = 2 * types.length
    types.forEach(({ storage, throughput }, t) => {
      this.#perStorage[t] = 1 / Math.max(storage, 1)
      this.#perThroughput[t] = 1 / throughput
    })
    let value = this.#evaluate(groups, types.length, prices, tau, mu)
    for (let i = 0; i < limit; i++) {
      if (this.#converged(prices, size, mu)) return
      solveSymmetric(this.#hessian, this.#gradient, this.#step, size)
      let slope = 0
      let length = 1
      for (let p = 0; p < size; p++) {
        this.#from[p] = prices[p]!
        slope += this.#gradient[p]! * this.#step[p]!
        // Prices stay positive.
        if (this.#step[p]! > 0.9 * prices[p]!) length = Math.min(length, (0.9 * prices[p]!) / this.#step[p]!)
      }
      if (!(slope > mu * 1e-6)) return
      for (let attempt = 0; ; attempt++) {
        for (let p = 0; p < size; p++) prices[p] = this.#from[p]! - length * this.#step[p]!
        const now = this.#evaluate(groups, types.length, prices, tau, mu)
        if (now <= value - 0.01 * length * slope || attempt === 15) {
          value = now
          break
        }
        length *= 0.35
      }
    }
  }

  #converged(prices: Float64Array, size: number, mu: number): boolean {
    for (let p = 0; p < size; p++) if (Math.abs(this.#gradient[p]! * prices[p]!) >= 0.5 * mu) return false
    return true
  }

  /** F at these prices, and its gradient and Hessian. */
  #evaluate(groups: SiteGroups, types: number, prices: Float64Array, tau: number, mu: number): number {
    const gradient = this.#gradient
    const hessian = this.#hessian
    const parts = this.#parts
    const perStorage = this.#perStorage
    const perThroughput = this.#perThroughput
    const { demand: demands, bytes: allBytes, instead, count, moving, holder, worth, takes } = groups
    const size = 2 * types
    gradient.fill(0, 0, size)
    hessian.fill(0, 0, size * size)
    let value = 0
    for (let j = 0; j < count; j++) {
      const demand = demands[j]!
      if (!(demand > 0)) continue
      const bytes = allBytes[j]!
      const ratio = bytes / demand
      let best = 0
      for (let t = 0; t < types; t++) {
        let line = 0
        if (worth)
          line =
            worth[j * types + t]! -
            prices[types + t]! * perThroughput[t]! * takes![j * types + t]! -
            prices[t]! * perStorage[t]! * ratio
        else {
          line = 1 - instead[j]! - prices[types + t]! * perThroughput[t]! - prices[t]! * perStorage[t]! * ratio
          if (moving && holder![j] !== t) line -= moving[j]!
        }
        parts[t] = line
        if (line > best) best = line
      }
      let sum = Math.exp(-best / tau)
      for (let t = 0; t < types; t++) {
        const below = (parts[t]! - best) / tau
        const part = below < -40 ? 0 : Math.exp(below)
        parts[t] = part
        sum += part
      }
      value += demand * (best + tau * Math.log(sum))
      for (let t = 0; t < types; t++) {
        const part = parts[t]! / sum
        if (part < 1e-13) continue
        const [storage, served] = [bytes * perStorage[t]!, demand * perThroughput[t]! * (takes?.[j * types + t] ?? 1)]
        gradient[t]! -= part * storage
        gradient[types + t]! -= part * served
        for (let u = 0; u < types; u++) {
          const curve = (part * ((t === u ? 1 : 0) - parts[u]! / sum)) / (tau * demand)
          if (curve === 0) continue
          const otherStorage = bytes * perStorage[u]!
          const otherServed = demand * perThroughput[u]! * (takes?.[j * types + u] ?? 1)
          hessian[t * size + u]! += curve * storage * otherStorage
          hessian[t * size + types + u]! += curve * storage * otherServed
          hessian[(types + t) * size + u]! += curve * served * otherStorage
          hessian[(types + t) * size + types + u]! += curve * served * otherServed
        }
      }
    }
    for (let p = 0; p < size; p++) {
      const price = prices[p]!
      value += price - mu * Math.log(price)
      gradient[p]! += 1 - mu / price
      hessian[p * size + p]! += mu / (price * price)
    }
    return value
  }
}

/** Value per unit of demand of serving files of this ratio of bytes to demand on type t, at these prices, before what would be had instead. */
export function lineOf(types: readonly Capacity[], prices: Float64Array, t: number, ratio: number): number {
  const { storage, throughput } = types[t]!
  return 1 - prices[types.length + t]! / throughput - (prices[t]! / Math.max(storage, 1)) * ratio
}

/** The highest price of a byte stored, of all types of a site. */
export function dearestStorage(types: readonly Capacity[], prices: Float64Array): number {
  return types.reduce((most, { storage }, t) => Math.max(most, prices[t]! / Math.max(storage, 1)), 0)
}

/** The highest price of a unit served, of all types of a site. */
export function dearestThroughput(types: readonly Capacity[], prices: Float64Array): number {
  return types.reduce((most, { throughput }, t) => Math.max(most, prices[types.length + t]! / throughput), 0)
}

/** Solves matrix · x = right for a symmetric positive definite matrix, which it overwrites (Cholesky). */
function solveSymmetric(matrix: Float64Array, right: Float64Array, x: Float64Array, size: number): void {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * size + j]!
      for (let k = 0; k < j; k++) sum -= matrix[i * size + k]! * matrix[j * size + k]!
      matrix[i * size + j] =
        i === j ? Math.sqrt(Math.max(sum, 1e-12 * matrix[i * size + i]!, 1e-300)) : sum / matrix[j * size + j]!
    }
  }
  for (let i = 0; i < size; i++) {
    let sum = right[i]!
    for (let k = 0; k < i; k++) sum -= matrix[i * size + k]! * x[k]!
    x[i] = sum / matrix[i * size + i]!
  }
  for (let i = size - 1; i >= 0; i--) {
    let sum = x[i]!
    for (let k = i + 1; k < size; k++) sum -= matrix[k * size + i]! * x[k]!
    x[i] = sum / matrix[i * size + i]!
  }
}
