import { LIST_COST, MAP_COST } from '../check/call-estimates.ts'
import { ArrayList, CelError, CelOptional, EntryMap, keyId, type Result, type Value } from '../values/value.ts'
import { type Eval, type Frame, spend } from './frame.ts'

/** `[a, ?b]`: an element marked optional is left out where it has no value. */
export function listEval(elements: readonly Eval[], optional: ReadonlySet<number>): Eval {
  return (frame) => {
    const list = makeList(frame, elements, optional)
    spend(frame, LIST_COST)
    return list
  }
}

function makeList(frame: Frame, elements: readonly Eval[], optional: ReadonlySet<number>): Result {
  const values: Value[] = []
  for (const [i, element] of elements.entries()) {
    const value = element(frame)
    if (value instanceof CelError) return value
    if (!optional.has(i)) values.push(value)
    else if (!(value instanceof CelOptional)) {
      return new CelError(`cannot initialize optional list element from non-optional value ${String(value)}`)
    } else if (value.value !== undefined) values.push(value.value)
  }
  return new ArrayList(values)
}

/** One entry of a map literal. */
export interface EntryEval {
  readonly key: Eval
  readonly value: Eval
  readonly optional: boolean
}

/** `{a: b, ?c: d}`. */
export function mapEval(entries: readonly EntryEval[]): Eval {
  return (frame) => {
    const map = makeMap(frame, entries)
    spend(frame, MAP_COST)
    return map
  }
}

function makeMap(frame: Frame, parts: readonly EntryEval[]): Result {
  const entries = new Map<string, readonly [Value, Value]>()
  for (const [i, part] of parts.entries()) {
    const key = part.key(frame)
    if (key instanceof CelError) return key
    const value = part.value(frame)
    if (value instanceof CelError) return value
    // What cannot be looked up again may still be a key.
    const id = keyId(key) ?? `o${i}`
    if (!part.optional) entries.set(id, [key, value])
    else if (!(value instanceof CelOptional)) {
      const from = `'${String(key)}' from non-optional value ${String(value)}`
      return new CelError(`cannot initialize optional entry ${from}`)
    } else if (value.value === undefined) entries.delete(id)
    else entries.set(id, [key, value.value])
  }
  return new EntryMap(entries)
}
