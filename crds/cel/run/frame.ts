import type { Result } from '../values/value.ts'

/** One run of a program: its variables by slot, and what it has cost so far. */
export interface Frame {
  readonly slots: (Result | undefined)[]
  cost: number
  readonly limit: number
}

/** A part of a program. */
export type Eval = (frame: Frame) => Result

/** Thrown when a run costs more than it may; nothing absorbs it. */
export class CostExceeded extends Error {
  constructor() {
    super('operation cancelled: actual cost limit exceeded')
  }
}

/** Adds to the cost of a run. */
export function spend(frame: Frame, cost: number): void {
  frame.cost += cost
  if (frame.cost > frame.limit) throw new CostExceeded()
}
