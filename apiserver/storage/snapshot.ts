import type { History } from './history.ts'
import { inPrefix, prefixBounds } from './keys.ts'
import type { SortedIndex } from './sorted-index.ts'
import type { Page, RangeOptions, Stored } from './store.ts'

/**
 * Reads a page of a prefix as of `options.revision`: the present state, with every object that has changed since put back to what it was.
 * @param latest The revision of the present state.
 */
export function readSnapshot(
  index: SortedIndex,
  history: History,
  latest: number,
  prefix: string,
  options: RangeOptions,
): Page {
  const { startAfter = '', limit = 0 } = options
  const revision = options.revision || latest
  const { from: first, to } = prefixBounds(prefix)
  const from = startAfter >= first ? successor(startAfter) : first

  const changed = new Map<string, Stored | undefined>()
  if (revision < latest) {
    for (const { key, previous } of history.after(revision)) {
      if (key >= from && inPrefix(key, prefix) && !changed.has(key)) changed.set(key, previous)
    }
  }
  const former = [...changed.values()].filter((stored) => stored !== undefined).sort((a, b) => (a.key < b.key ? -1 : 1))

  const items: Stored[] = []
  const isFull = () => limit > 0 && items.length >= limit
  let nextFormer = 0
  for (const stored of index.between(from, to)) {
    if (changed.has(stored.key)) continue
    while (!isFull() && nextFormer < former.length && former[nextFormer]!.key < stored.key)
      items.push(former[nextFormer++]!)
    if (isFull()) break
    items.push(stored)
  }
  while (!isFull() && nextFormer < former.length) items.push(former[nextFormer++]!)
  if (!isFull()) return { items, revision, remaining: 0 }

  const rest = successor(items.at(-1)!.key)
  let remaining = index.count(rest, to) + former.length - nextFormer
  for (const key of changed.keys()) if (key >= rest && index.get(key)) remaining--
  return { items, revision, remaining }
}

/** The least string above a key. */
function successor(key: string): string {
  return `${key}\0`
}
