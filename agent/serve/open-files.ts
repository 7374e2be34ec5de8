import type { ServerResponse } from 'node:http'

/** Which files are being read, and by whom. */
export class OpenFiles {
  readonly #responses = new Map<string, Set<ServerResponse>>()
  readonly #onClosed: (sha256: string) => void

  /** `onClosed`: nobody reads the file any more. */
  constructor(onClosed: (sha256: string) => void) {
    this.#onClosed = onClosed
  }

  isOpen(sha256: string): boolean {
    return this.#responses.has(sha256)
  }

  opened(sha256: string, response: ServerResponse): void {
    const responses = this.#responses.get(sha256) ?? new Set()
    this.#responses.set(sha256, responses.add(response))
  }

  closed(sha256: string, response: ServerResponse): void {
    const responses = this.#responses.get(sha256)
    responses?.delete(response)
    if (responses?.size !== 0) return
    this.#responses.delete(sha256)
    this.#onClosed(sha256)
  }

  /** Breaks off every answer that is sending the file: better no bytes than wrong ones. */
  breakOff(sha256: string): void {
    for (const response of this.#responses.get(sha256) ?? []) response.destroy()
  }
}
