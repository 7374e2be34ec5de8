import type { FileSet } from '../blobs/file-set.ts'
import { popularFirst } from './popular-first.ts'
import type { PlacementProblem, PlacementSolution, PlacementSolver } from './problem.ts'
import { defaultOptions, Solved } from './solver/solve.ts'

/**
 * The solver by prices: see `solver/model.ts` and `solver/tree.ts` for the problem and `solver/bound.ts` for what its value is measured against. Takes time linear in files, plus sites ×
 * bands, plus what is placed. Should it fail, the popular-first solver answers, so that a fleet is never without a plan; the answer then says so.
 */
export const priced: PlacementSolver = {
  name: 'priced/1',
  solve(problem) {
    try {
      return solve(problem)
    } catch (error) {
      return { ...popularFirst.solve(problem), insteadOf: { solver: 'priced/1', error: String(error) } }
    }
  },
}

function solve({ popularity, ...rest }: PlacementProblem): PlacementSolution {
  const solved = new Solved({ ...rest, popularity: [popularity] }, defaultOptions)
  const holdings = new Map<string, FileSet>()
  const leftOut = new Map<string, { files: number; bytes: number }>()
  for (const site of solved.sites()) {
    for (const [key, held] of site.holdings) holdings.set(key, held)
    leftOut.set(site.key, site.leftOut)
  }
  const { worth } = solved
  return { holdings, leftOut, offload: worth.demand > 0 ? Math.min(1, worth.local / worth.demand) : 1, worth }
}
