import type { LabelSelector } from '../../../reconcilers/labels/selector.ts'
import type { Path } from '../../manifests/manifest.ts'
import { closest } from '../../manifests/suggest.ts'

export type Labels = Readonly<Record<string, string>>

/** The demand of a selector that keeps it from matching anything: a path within the selector, and the label as YAML would have it. */
export interface Blame {
  readonly path: Path
  readonly part: 'key' | 'value'
  readonly label: string
  readonly like: string | undefined
}

/** The first demand of a selector that none of the label sets meets by itself; undefined when each is met by some. */
export function blamed(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  all: readonly Labels[],
): Blame | undefined {
  const keys = new Set(all.flatMap((labels) => Object.keys(labels)))
  const valuesOf = (key: string) => new Set(all.flatMap((labels) => labels[key] ?? []))
  const unknownKey = (key: string, path: Path, part: 'key' | 'value'): Blame => ({
    path,
    part,
    label: `"${key}"`,
    like: closest(key, keys),
  })
  for (const [key, value] of Object.entries(matchLabels)) {
    if (!keys.has(key)) return unknownKey(key, ['matchLabels', key], 'key')
    const values = valuesOf(key)
    if (values.has(value)) continue
    return { path: ['matchLabels', key], part: 'value', label: `"${key}: ${value}"`, like: closest(value, values) }
  }
  for (const [i, { key, operator, values = [] }] of matchExpressions.entries()) {
    if (operator !== 'In' && operator !== 'Exists') continue
    if (!keys.has(key)) return unknownKey(key, ['matchExpressions', i, 'key'], 'value')
    const there = valuesOf(key)
    if (operator === 'Exists' || values.some((value) => there.has(value))) continue
    const path = ['matchExpressions', i, 'values']
    const [only, ...more] = values
    if (only === undefined || more.length > 0)
      return { path, part: 'value', label: `"${key}" with one of these values`, like: undefined }
    return { path: [...path, 0], part: 'value', label: `"${key}: ${only}"`, like: closest(only, there) }
  }
  return undefined
}
