import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { Client } from '../../runtime/client/client.ts'
import { sleep, systemClock } from '../../runtime/clock.ts'
import { isForbidden } from '../../runtime/errors.ts'
import type { ServedResource } from '../api/discovery.ts'
import { Permissions } from '../changes/permissions.ts'

/** How long controllers may take to see that what was deleted before does not use the rest any more. */
const SEEN_WITHIN_MS = 5000
const AGAIN_MS = 100

export interface Removed {
  readonly resource: ServedResource
  readonly object: KubeObject & JsonObject
  readonly signal: AbortSignal
}

/** How long one command waits in all, for whatever it deletes: one deadline, which begins to run where it first has to wait. */
export class Patience {
  readonly #permissions: Permissions
  readonly #timeoutMs: number
  #deadlineMs: number | undefined
  #deletedMs: number | undefined

  /** `timeoutMs` may be infinite. */
  constructor(client: Client, signal: AbortSignal, timeoutMs = Number.POSITIVE_INFINITY) {
    this.#permissions = new Permissions(client, signal)
    this.#timeoutMs = timeoutMs
  }

  /** Something has been deleted: controllers are given time to see it. */
  deleted(): void {
    this.#deletedMs = performance.now()
  }

  /** What is left of the command's time, which runs from now on at the latest; at least 0. */
  leftMs(): number {
    this.#deadlineMs ??= performance.now() + this.#timeoutMs
    return Math.max(0, this.#deadlineMs - performance.now())
  }

  /**
   * Deletes an object as `remove` does. Admission refuses what is in use, and says so of what used to be until its users went a moment ago: then it is tried
   * again, until the last that this command deleted has been gone for a while. Throws what the last try threw.
   */
  async onceUnused<T>({ resource, object, signal }: Removed, remove: () => Promise<T>): Promise<T> {
    for (let mayDelete: boolean | undefined; ; await sleep(systemClock, AGAIN_MS, signal)) {
      try {
        return await remove()
      } catch (error) {
        const isSeen = this.#deletedMs === undefined || performance.now() - this.#deletedMs > SEEN_WITHIN_MS
        if (!isForbidden(error) || isSeen || this.leftMs() === 0) throw error
        // Who lacks the right lacks it later, too.
        mayDelete ??= await this.#permissions.may('delete', { resource, object })
        if (!mayDelete) throw error
      }
    }
  }
}
