import type { FileSet } from '../blobs/file-set.ts'
import type { PlacementAppliance } from './problem.ts'

/** A set of files that need not be in memory. */
export interface StoredSet {
  /** Brings it there; who asks again soon may get the same. Throws where it is not what it should be, or gone. */
  read(): FileSet
}

/**
 * An appliance whose manifest in force is read when it is looked at: those of 10,000 appliances, a million files each, are more than a gigabyte, and the solver goes by
 * one tree of sites at a time.
 */
export class StoredHolding implements PlacementAppliance {
  readonly key: string
  readonly storageBytes: number
  readonly throughputGbps: number
  readonly #stored: StoredSet

  constructor({ key, storageBytes, throughputGbps }: PlacementAppliance, stored: StoredSet) {
    this.key = key
    this.storageBytes = storageBytes
    this.throughputGbps = throughputGbps
    this.#stored = stored
  }

  get held(): FileSet {
    return this.#stored.read()
  }

  get stored(): StoredSet {
    return this.#stored
  }
}
