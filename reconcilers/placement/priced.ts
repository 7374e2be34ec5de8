import type { FileSet } from '../blobs/file-set.ts'
import type { PlacementSolver } from './problem.ts'
import { defaultOptions, Solved } from './solver/solve.ts'

/**
 * The solver by prices: see `solver/tree.ts` for the problem and `solver/bound.ts` for what its value is measured against. Takes time linear in files, plus sites ×
 * bands, plus what is placed.
 */
export const priced: PlacementSolver = {
  name: 'priced/1',
  solve(problem) {
    const { popularity, ...rest } = problem
    const solved = new Solved({ ...rest, popularity: [popularity] }, defaultOptions)
    const holdings = new Map<string, FileSet>()
    const leftOut = new Map<string, { files: number; bytes: number }>()
    for (const site of solved.sites()) {
      for (const [key, held] of site.holdings) holdings.set(key, held)
      leftOut.set(site.key, site.leftOut)
    }
    const { worth } = solved
    return { holdings, leftOut, offload: worth.demand > 0 ? Math.min(1, worth.local / worth.demand) : 1, worth }
  },
}
