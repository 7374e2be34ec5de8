/** How the one who asks keeps hold of a solver at work. Solvers read no clock; whoever has one says when it is time. */
export interface SolverControl {
  /** Asked often. Once true, the solver ends with the best that it has. */
  readonly shouldEnd?: () => boolean
  /** Told now and then: how much is done, 0–1, and what there is by then. */
  readonly onProgress?: (done: number, soFar?: SoFar) => void
}

/** What a solver at work has placed. */
export interface SoFar {
  readonly sites: number
  /** What it is worth, in Gbit/s of demand, and could be at most; see `PlacementWorth`. */
  readonly value: number
  readonly bound: number
}
