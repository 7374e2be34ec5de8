/** How large or costly something can be, at least and at most. What exceeds 64 bits stays at their limit. */
export interface Range {
  readonly min: number
  readonly max: number
}

/** 2^64 - 1, as near as a double gets: more than this cannot be told apart. */
export const UNBOUNDED = 2 ** 64

export const fixed = (value: number): Range => ({ min: value, max: value })
export const UNKNOWN_SIZE: Range = { min: 0, max: UNBOUNDED }
export const NOTHING: Range = fixed(0)

const capped = (value: number): number => Math.min(value, UNBOUNDED)

export function plus(...ranges: readonly Range[]): Range {
  let min = 0
  let max = 0
  for (const range of ranges) {
    min += range.min
    max += range.max
  }
  return { min: capped(min), max: capped(max) }
}

/** Zero times anything is zero. */
export function times(a: Range, b: Range): Range {
  return { min: capped(a.min * b.min), max: capped(a.max * b.max) }
}

/** Multiplied by a factor, rounded up. */
export function scaled(range: Range, factor: number): Range {
  return { min: capped(Math.ceil(range.min * factor)), max: capped(Math.ceil(range.max * factor)) }
}

export function union(a: Range, b: Range): Range {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) }
}
