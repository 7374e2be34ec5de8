import type { FileSet } from '../blobs/file-set.ts'
import type { SolverControl } from './control.ts'
import type { PlacementProblem, PlacementSolver, SolvedSites } from './problem.ts'
import { Explainer } from './solver/explain.ts'
import { defaultOptions, Solved, type SolverOptions } from './solver/solve.ts'

/**
 * The solver by prices: see `solver/model.ts` and `solver/tree.ts` for the problem and `solver/bound.ts` for what its value is measured against. Takes time linear in
 * files, plus sites × bands, plus what is placed.
 */
export const priced: PlacementSolver = {
  name: 'priced/2',
  solve(problem, control) {
    const solved = solveSites(problem, control)
    const holdings = new Map<string, FileSet>()
    const leftOut = new Map<string, { readonly files: number; readonly bytes: number }>()
    for (const site of solved.sites) {
      for (const [key, held] of site.holdings) holdings.set(key, held)
      leftOut.set(site.key, site.leftOut)
    }
    const worth = solved.worth()!
    const offload = worth.demand > 0 ? Math.min(1, worth.local / worth.demand) : 1
    return { holdings, leftOut, offload, worth, ...(solved.endedEarly() && { endedEarly: true }) }
  },
  solveSites,
}

/** Why files would be where they would be, were a plan made now. Takes as long as solving does. */
export function explainPriced(problem: PlacementProblem): Explainer {
  const options = optionsFor(problem)
  return new Explainer(new Solved(problem, options), problem, options.churnBonus)
}

function solveSites(problem: PlacementProblem, control: SolverControl = {}): SolvedSites {
  const solved = new Solved(problem, optionsFor(problem), control)
  return {
    sites: solved.sites(),
    worth: () => solved.worth,
    endedEarly: () => solved.endedEarly,
    scarce: () => solved.scarce,
    parts: () => solved.parts,
    unmet: () => solved.unmet,
  }
}

function optionsFor({ churnBonus = defaultOptions.churnBonus }: PlacementProblem): SolverOptions {
  return { ...defaultOptions, churnBonus }
}
