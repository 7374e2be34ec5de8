import type { JsonObject, JsonValue } from '../../../crds/metadata.ts'

/** Numbers from 0 up to, not including, `below`; the same ones for the same seed. */
export type Random = (below: number) => number

export function seeded(seed: number): Random {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const SCALARS: readonly JsonValue[] = [null, true, false, 0, 1, -1, 1.5, 1e300, '', 'a', 'b/c', '😀', 'bad', 'v1']

/** Any JSON; objects mostly have fields of these names. */
export function randomJson(random: Random, names: readonly string[], depth = 0): JsonValue {
  const kind = random(depth > 4 ? 2 : 6)
  if (kind < 2) return SCALARS[random(SCALARS.length)] ?? null
  if (kind === 2) return Array.from({ length: random(4) }, () => randomJson(random, names, depth + 1))
  const out: Record<string, JsonValue> = {}
  for (let i = random(6); i > 0; i--) {
    const name = random(8) === 0 ? '__proto__' : (names[random(names.length)] ?? '')
    Object.defineProperty(out, name, {
      value: randomJson(random, names, depth + 1),
      enumerable: true,
      configurable: true,
    })
  }
  return out
}

/** The same value, of which nothing can be changed any more. */
export function frozen(value: JsonObject): JsonObject {
  freeze(value)
  return value
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const one of Object.values(value)) freeze(one)
}
