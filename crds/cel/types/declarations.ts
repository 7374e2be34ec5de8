import type { Result, Value } from '../values/value.ts'
import type { CelType } from './type.ts'

/** One way to call a function. */
export interface Overload {
  readonly id: string
  /** Called as `target.function(…)`, the target being the first argument. */
  readonly member: boolean
  readonly args: readonly CelType[]
  readonly result: CelType
  /** Absent where the evaluator itself does it, because not all arguments are always evaluated. */
  readonly run?: (args: readonly Value[]) => Result
}

/** Functions by name, with all their overloads. */
export type Functions = ReadonlyMap<string, readonly Overload[]>

/** `function name(args): result`. */
export function overload(
  id: string,
  args: readonly CelType[],
  result: CelType,
  run?: (args: readonly Value[]) => Result,
): Overload {
  return run ? { id, member: false, args, result, run } : { id, member: false, args, result }
}

/** `args[0].name(args[1], …): result`. */
export function member(
  id: string,
  args: readonly CelType[],
  result: CelType,
  run?: (args: readonly Value[]) => Result,
): Overload {
  return { ...overload(id, args, result, run), member: true }
}

/** Puts libraries together; overloads of one name are kept in the libraries' order. */
export function functionsOf(libraries: readonly Readonly<Record<string, readonly Overload[]>>[]): Functions {
  const functions = new Map<string, readonly Overload[]>()
  for (const library of libraries) {
    for (const [name, overloads] of Object.entries(library)) {
      functions.set(name, [...(functions.get(name) ?? []), ...overloads])
    }
  }
  return functions
}
