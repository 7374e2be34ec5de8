import { CelError, CelList, CelMap, typeName, type Value } from '../values/value.ts'
import type { Eval, Frame } from './frame.ts'

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
    if (range instanceof CelList) foldList(range, loop, frame)
    else if (range instanceof CelMap) foldMap(range, loop, frame)
    else return notIterable(range, loop.second !== undefined)
    return loop.result(frame)
  }
}

/** The variables are items, or with two of them index and item. */
function foldList(list: CelList, loop: Loop, frame: Frame): void {
  const { slots } = frame
  const { size } = list
  slots[loop.accumulator] = loop.init(frame)
  for (let i = 0; i < size; i++) {
    const item = list.at(i)
    if (loop.second === undefined) slots[loop.first] = item
    else {
      slots[loop.first] = BigInt(i)
      slots[loop.second] = item
    }
    if (!step(loop, frame)) return
  }
}

/** The variables are keys, or with two of them key and value. */
function foldMap(map: CelMap, loop: Loop, frame: Frame): void {
  const { slots } = frame
  slots[loop.accumulator] = loop.init(frame)
  for (const key of map.keys()) {
    slots[loop.first] = key
    if (loop.second !== undefined) slots[loop.second] = map.find(key) ?? null
    if (!step(loop, frame)) return
  }
}

/** One step; whether there should be another. */
function step(loop: Loop, frame: Frame): boolean {
  if (loop.condition(frame) === false) return false
  frame.slots[loop.accumulator] = loop.step(frame)
  return true
}

function notIterable(range: Value, both: boolean): CelError {
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
