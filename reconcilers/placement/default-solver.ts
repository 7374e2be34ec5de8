import { priced } from './priced.ts'
import type { PlacementSolver } from './problem.ts'

/** The solver in force: what controllers plan with, and so what every preview must ask. */
export const defaultSolver: PlacementSolver = priced
