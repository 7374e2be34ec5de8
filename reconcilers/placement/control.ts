/** How the one who asks keeps hold of a solver at work. Solvers read no clock; whoever has one says when it is time. */
export interface SolverControl {
  /** Asked often. Once true, the solver ends with the best that it has. */
  readonly shouldEnd?: () => boolean
  /** Told now and then: how much is done, 0–1. */
  readonly onProgress?: (done: number) => void
}
