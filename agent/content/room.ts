import type { Clock } from '../../runtime/clock.ts'
import type { FileIo } from '../file-io.ts'
import type { ContentStore } from './store.ts'

export interface RoomOptions {
  readonly io: FileIo
  readonly clock: Clock
  readonly root: string
  readonly store: ContentStore
  /** What content may take; undefined: what the disk has. */
  readonly capacityBytes: number | undefined
  readonly reserveBytes: number
}

const MAX_AGE_MS = 1000

/** How much more content there is room for. */
export class Room {
  readonly #options: RoomOptions
  #freeBytes = 0
  #capacityBytes = 0
  #measuredAtMs = Number.NEGATIVE_INFINITY
  /** Promised since it was measured, and not in what was measured. */
  #promised = 0
  #measuring: Promise<void> | undefined

  constructor(options: RoomOptions) {
    this.#options = options
  }

  /** Bytes that content has on its storage, as far as is known. */
  get capacityBytes(): number {
    return this.#capacityBytes
  }

  /** Bytes that may still be promised; never below 0. */
  get freeBytes(): number {
    return Math.max(0, this.#freeBytes - this.#promised)
  }

  get isStale(): boolean {
    return this.#options.clock.monotonicMs() - this.#measuredAtMs > MAX_AGE_MS
  }

  promise(bytes: number): void {
    this.#promised += bytes
  }

  /** Looks again. `outstanding` is what was promised and has not been written yet. Throws what the disk throws. */
  measure(outstanding: () => number): Promise<void> {
    this.#measuring ??= this.#measure(outstanding).finally(() => {
      this.#measuring = undefined
    })
    return this.#measuring
  }

  async #measure(outstanding: () => number): Promise<void> {
    const { io, clock, root, store, capacityBytes, reserveBytes } = this.#options
    const disk = await io.capacity(root)
    const diskFree = Math.max(0, disk.freeBytes - reserveBytes)
    const ownFree = capacityBytes === undefined ? diskFree : Math.max(0, capacityBytes - store.usedBytes)
    // Of a disk shared with others this is more than content can have; but it does not change with every file of theirs.
    this.#capacityBytes = capacityBytes ?? Math.max(0, disk.totalBytes - reserveBytes)
    this.#freeBytes = Math.min(diskFree, ownFree)
    this.#promised = outstanding()
    this.#measuredAtMs = clock.monotonicMs()
  }
}
