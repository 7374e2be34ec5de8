import type { Peer } from './peers.ts'

/** One request, whoever has read it from its connection. */
export interface Question {
  readonly method: string
  /** Path and query as they came. */
  readonly target: string
  /** Empty where it has none. */
  readonly body: string
  readonly peer: Peer
  /** What the header says by which proxies tell for whom they ask. */
  readonly forwarded: string | undefined
}

/** What is answered to it. */
export interface Reply {
  readonly status: number
  /** Of the body; undefined: there is none. */
  readonly type: string | undefined
  readonly body: string
  /** Every character of the body is one byte, and its length its bytes. */
  readonly isAscii: boolean
  /** Further headers: names and values in turn. */
  readonly more: readonly string[]
}

export const NO_MORE: readonly string[] = []
