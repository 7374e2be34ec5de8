import type { Located } from '../locate.ts'
import type { PlainNode } from './plain-node.ts'

/** A traced value, as a place. */
export function located(node: PlainNode): Located {
  return {
    span: { start: node.start, end: Math.max(node.end, node.start + 1) },
    isWritten: node.end > node.start,
    firstKey: () => node.entries?.values().next().value?.key,
    child(step) {
      const entry = node.entries?.get(node.isList || typeof step !== 'number' ? step : String(step))
      return entry && { key: entry.key, value: located(entry.node) }
    },
  }
}
