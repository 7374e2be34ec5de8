/** The head of an answer. Header names in lower case; a repeated header's values are joined by `, `. */
export interface FetchHead {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  /** Where it came from, after redirects. */
  readonly url: string
}

export interface FetchRequest {
  /** http or https; a user and password in it are sent as basic authorization. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** Takes an answer as it comes. What it throws ends the fetch and is what the fetch rejects with. */
export interface FetchSink {
  /** Says whether the body is wanted. */
  head(head: FetchHead): boolean
  /** A piece of the body. It is lent: until the promise resolves, or until the call returns when there is none. */
  data(chunk: Uint8Array): Promise<void> | undefined
}

/** Gets bytes from other machines. */
export interface Fetcher {
  /** Resolves once the answer is at its end, or its head was seen and its body is not wanted. Rejects with FetchError. */
  fetch(request: FetchRequest, sink: FetchSink): Promise<void>
  close(): void
}

/**
 * - `Unreachable`: no connection (refused, no such host, no answer in time). Says something about the source, not about the file.
 * - `Stalled`: nothing came for too long.
 * - `Closed`: the connection ended before the answer did.
 * - `Protocol`: what came is not HTTP as we understand it.
 * - `Aborted`: the signal.
 */
export type FetchFailure = 'Unreachable' | 'Stalled' | 'Closed' | 'Protocol' | 'Aborted'

export class FetchError extends Error {
  readonly failure: FetchFailure

  constructor(failure: FetchFailure, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'FetchError'
    this.failure = failure
  }
}
