import type { ReadableBlobs } from '../../controllers/placement/blob-reader.ts'
import type { PlannedBlob } from '../../reconcilers/plan.ts'
import { MAX_DIGESTS } from '../../runtime/blob-bundle.ts'
import { Retryable } from '../../runtime/errors.ts'
import type { BlobCache } from './blob-cache.ts'

/** Blobs cannot be read from here. What depends on them is not known. */
export class BlobsUnreadable extends Retryable {
  constructor(message: string) {
    super('BlobsUnreadable', message)
  }
}

/**
 * Reads many blobs at once; undefined for those that are not there. Throws BlobsUnreadable, once and for all, where there is no way to them.
 */
export type BlobDoor = (digests: readonly string[]) => Promise<ReadonlyMap<string, Buffer | undefined>>

/**
 * Blobs as controllers would find them once they had acted: those that were planned, then those of an earlier run, then the fleet's. Requests
 * made at the same time travel together.
 */
export class PlanBlobs implements ReadableBlobs {
  readonly #door: BlobDoor
  readonly #cache: BlobCache | undefined
  readonly #planned = new Map<string, Buffer>()
  /** Big ones are asked for once; whoever asks decodes and keeps them. */
  readonly #under = new Map<string, Promise<Buffer | undefined>>()
  #waiting: {
    readonly digest: string
    readonly done: (blob: Buffer | undefined) => void
    fail(error: unknown): void
  }[] = []
  #unreadable: BlobsUnreadable | undefined
  #fetchedBytes = 0
  #substitutes: ReadonlyMap<string, Uint8Array> = new Map()

  constructor(door: BlobDoor, cache: BlobCache | undefined) {
    this.#door = door
    this.#cache = cache
  }

  /** Why the fleet's blobs cannot be read; undefined as long as nobody has found that. */
  get unreadable(): string | undefined {
    return this.#unreadable?.message
  }

  get fetchedBytes(): number {
    return this.#fetchedBytes
  }

  put({ digest, bytes }: PlannedBlob): void {
    if (!this.#planned.has(digest))
      this.#planned.set(digest, Buffer.concat(bytes instanceof Uint8Array ? [bytes] : [...bytes]))
  }

  /** Bytes that mean the same as blobs that cannot be read, made from what can be. */
  substitute(blobs: ReadonlyMap<string, Uint8Array>): void {
    this.#substitutes = blobs
  }

  /** What cannot be read is not taken for lost: controllers, who can, have not lost it. */
  async has(digest: string): Promise<boolean> {
    try {
      return (await this.get(digest)) !== undefined
    } catch (error) {
      if (error instanceof BlobsUnreadable) return true
      throw error
    }
  }

  async get(digest: string): Promise<Buffer | undefined> {
    const planned = this.#planned.get(digest)
    if (planned) return planned
    let under = this.#under.get(digest)
    if (!under) {
      under = this.#find(digest)
        .catch((error: unknown) => {
          const substitute = error instanceof BlobsUnreadable ? this.#substitutes.get(digest) : undefined
          if (substitute) return Buffer.from(substitute)
          throw error
        })
        .finally(() => this.#under.delete(digest))
      this.#under.set(digest, under)
    }
    return await under
  }

  async #find(digest: string): Promise<Buffer | undefined> {
    const cached = this.#cache?.get(digest)
    if (cached) return cached
    if (this.#unreadable) throw this.#unreadable
    return await new Promise((done, fail) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#send())
      this.#waiting.push({ digest, done, fail })
    })
  }

  #send(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (let start = 0; start < waiting.length; start += MAX_DIGESTS) {
      const batch = waiting.slice(start, start + MAX_DIGESTS)
      this.#door(batch.map(({ digest }) => digest)).then(
        (blobs) => {
          for (const { digest, done } of batch) {
            const blob = blobs.get(digest)
            this.#fetchedBytes += blob?.length ?? 0
            if (blob) this.#cache?.put(digest, blob)
            done(blob)
          }
        },
        (error: unknown) => {
          if (error instanceof BlobsUnreadable) this.#unreadable ??= error
          for (const { fail } of batch) fail(error)
        },
      )
    }
  }
}
