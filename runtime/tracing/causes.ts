import type { Cause } from './tracing.ts'

/** More causes of one key than this say nothing more. */
const MAX_CAUSES = 8

/** What has woken keys since they were last worked on. */
export class Causes {
  readonly #byKey = new Map<string, Cause[]>()

  note(key: string, cause: Cause): void {
    const causes = this.#byKey.get(key)
    if (!causes) this.#byKey.set(key, [cause])
    else if (causes.length < MAX_CAUSES) causes.push(cause)
  }

  /** Puts back what was taken, before what has come since: the work for it is to be done again. */
  restore(key: string, causes: readonly Cause[]): void {
    if (causes.length > 0) this.#byKey.set(key, [...causes, ...(this.#byKey.get(key) ?? [])].slice(0, MAX_CAUSES))
  }

  take(key: string): readonly Cause[] {
    const causes = this.#byKey.get(key)
    if (!causes) return []
    this.#byKey.delete(key)
    return causes
  }
}
