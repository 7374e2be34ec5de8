/**
 * A number of a preview, and how sure it is. `exact`: what will happen if nothing else changes. `estimate`: it rests on what cannot be known
 * beforehand, such as which source is free. `unknown`: it cannot be said, and why; it is never taken for 0.
 */
export type Figure =
  | { readonly certainty: 'exact'; readonly value: number }
  | { readonly certainty: 'estimate'; readonly value: number }
  | { readonly certainty: 'unknown'; readonly value: null; readonly why: string }

export const exact = (value: number): Figure => ({ certainty: 'exact', value })
export const estimate = (value: number): Figure => ({ certainty: 'estimate', value })
export const unknown = (why: string): Figure => ({ certainty: 'unknown', value: null, why })

/** What all figures come to: as sure as the least sure of them; unknown as soon as one is, for the first one's reason. */
export function combined(figures: Iterable<Figure>, join: (a: number, b: number) => number, none = 0): Figure {
  let value = none
  let isEstimate = false
  for (const figure of figures) {
    if (figure.certainty === 'unknown') return figure
    value = join(value, figure.value)
    if (figure.certainty === 'estimate') isEstimate = true
  }
  return isEstimate ? estimate(value) : exact(value)
}

export const sum = (figures: Iterable<Figure>) => combined(figures, (a, b) => a + b)
export const largest = (figures: Iterable<Figure>) => combined(figures, Math.max)
