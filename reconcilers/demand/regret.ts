import type { FileSet } from '../blobs/file-set.ts'
import { evaluate } from '../placement/evaluate.ts'
import type { PlacementProblem, PlacementSolver } from '../placement/problem.ts'

/**
 * What a forecast costs: the offload that a placement by the true demand would have had, less that of the placement by the forecast, both under the true demand, as a part
 * of all demand (0.01: one percentage point). Solves twice. `parentValue` as in placement.
 */
export function offloadRegret(
  problem: PlacementProblem,
  forecasts: readonly Float64Array[],
  solver: PlacementSolver,
  parentValue: number,
): number {
  const offload = (holdings: ReadonlyMap<string, FileSet>) => {
    const { value, demand } = evaluate(problem, holdings, parentValue)
    return demand > 0 ? value / demand : 1
  }
  const perfect = offload(solver.solve(problem).holdings)
  return perfect - offload(solver.solve({ ...problem, popularity: forecasts }).holdings)
}
