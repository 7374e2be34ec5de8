import { interrupted } from './exit.ts'

/** How long signals may go unheard, in milliseconds. */
const UNHEARD_MS = 50

/** Pauses in work of many small parts, in which signals are heard: `if (pauses.areDue) await pauses.take()` between the parts. */
export class Pauses {
  readonly #signal: AbortSignal | undefined
  #last = performance.now()

  /** `signal`: aborted, a pause ends the command as interrupted. */
  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
  }

  get areDue(): boolean {
    return performance.now() - this.#last > UNHEARD_MS
  }

  async take(): Promise<void> {
    await hearSignals()
    if (this.#signal?.aborted) throw interrupted()
    this.#last = performance.now()
  }
}

/** Two turns of the event loop: signals are heard between them, but perhaps not before the first. */
async function hearSignals(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/**
 * Does something that may take seconds and cannot pause. Meanwhile nobody listens to signals, so that they end the process at once, as they end a
 * program that has nothing to say about it. Only for work after which nothing would have to be put right. Throws as interrupted where `signal` was
 * aborted before.
 */
export async function endedBySignals<T>(signal: AbortSignal | undefined, work: () => T): Promise<T> {
  // One that has come would not be heard any more once its listeners are gone.
  await hearSignals()
  if (signal?.aborted) throw interrupted()
  const listeners = (['SIGINT', 'SIGTERM'] as const).flatMap((name) =>
    process.listeners(name).map((listener) => ({ name, listener })),
  )
  for (const { name, listener } of listeners) process.removeListener(name, listener)
  try {
    return work()
  } finally {
    for (const { name, listener } of listeners) process.on(name, listener)
  }
}
