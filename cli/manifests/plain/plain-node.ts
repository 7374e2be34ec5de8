import type { Span } from '../span.ts'

/** Where a value is, and where what is in it is; made only when somebody asks. */
export interface PlainNode extends Span {
  readonly isList?: boolean
  /** By key, or by index. */
  readonly entries?: ReadonlyMap<string | number, PlainEntry>
}

export interface PlainEntry {
  /** Where its name is; lists have none. */
  readonly key?: Span
  readonly node: PlainNode
}
