import type { Span } from './span.ts'

/** A value of a document, as a place. */
export interface Located {
  readonly span: Span
  /** False where nothing stands for the value: `key:` alone is null. */
  readonly isWritten: boolean
  /** Where a map's first key is. */
  firstKey(): Span | undefined
  child(step: string | number): LocatedChild | undefined
}

export interface LocatedChild {
  /** Where its name is; items of lists have none. */
  readonly key: Span | undefined
  readonly value: Located
}

/** Where a field is. `key`: its name rather than its value. A path that leads nowhere gives the nearest part that is there. */
export function locate(root: Located, path: readonly (string | number)[], part: 'key' | 'value'): Span {
  let node = root
  let span = root.span
  let key: Span | undefined
  for (const step of path) {
    const found = node.child(step)
    // The root has no key of its own: point at its first one, not at all of it.
    if (!found) return key ?? node.firstKey() ?? span
    key = found.key
    node = found.value
    span = node.isWritten ? node.span : (key ?? span)
  }
  return part === 'key' ? (key ?? span) : span
}
