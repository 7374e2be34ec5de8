import { CelError, CelList, CelMap, items, type Result, typeName, type Value } from '../values/value.ts'
import type { Eval } from './frame.ts'

/** A comprehension's parts, and the slots of its variables. */
export interface Loop {
  readonly range: Eval
  readonly init: Eval
  readonly condition: Eval
  readonly step: Eval
  readonly result: Eval
  readonly accumulator: number
  readonly first: number
  readonly second: number | undefined
}

/** Folds the range; an error in one step may still be absorbed by the next. */
export function loopEval(loop: Loop): Eval {
  return (frame) => {
    const range = loop.range(frame)
    if (range instanceof CelError) return range
    const pairs = iterate(range, loop.second !== undefined)
    if (pairs instanceof CelError) return pairs
    frame.slots[loop.accumulator] = loop.init(frame)
    for (const [first, second] of pairs) {
      frame.slots[loop.first] = first
      if (loop.second !== undefined) frame.slots[loop.second] = second
      if (loop.condition(frame) === false) break
      frame.slots[loop.accumulator] = loop.step(frame)
    }
    return loop.result(frame)
  }
}

/** What a loop's variables take on: items or keys, or with two variables index or key, and item or value. */
function iterate(range: Value, both: boolean): Iterable<readonly [Result, Result]> | CelError {
  if (range instanceof CelList) {
    return items(range).map((item, i): [Result, Result] => (both ? [BigInt(i), item] : [item, null]))
  }
  if (range instanceof CelMap) {
    return range.keys().map((key) => [key, both ? (range.find(key) ?? null) : null] as const)
  }
  const type = goType(range)
  return new CelError(both ? `unsupported comprehension range type: ${type}` : `got '${type}', expected iterable type`)
}

const GO_TYPES: Readonly<Record<string, string>> = {
  null_type: 'types.Null',
  'google.protobuf.Duration': 'types.Duration',
  'google.protobuf.Timestamp': 'types.Timestamp',
  optional_type: '*types.Optional',
  type: '*types.Type',
}

/** What Go calls the type of a value. */
function goType(value: Value): string {
  const name = typeName(value)
  return GO_TYPES[name] ?? `types.${name.charAt(0).toUpperCase()}${name.slice(1)}`
}
