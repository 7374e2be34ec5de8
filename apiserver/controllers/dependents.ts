import type { OwnerReference } from '../../crds/metadata.ts'
import type { Stored, StoreEvent } from '../storage/store.ts'

interface Entry {
  readonly owners: readonly OwnerReference[]
}

/** Which objects name which owners: kept in step with the store, for objects that have owners. */
export class Dependents {
  readonly #entries = new Map<string, Entry>()
  readonly #byOwner = new Map<string, Set<string>>()
  /** Owners that were seen to go, so that their kind need not be served any more to know it. Bounded: the oldest are forgotten. */
  readonly #gone = new Set<string>()

  /** Keys of the objects that name this owner. */
  of(uid: string): readonly string[] {
    return [...(this.#byOwner.get(uid) ?? [])]
  }

  isGone(uid: string): boolean {
    return this.#gone.has(uid)
  }

  /** The owners that a key had when last seen. */
  owners(key: string): readonly OwnerReference[] {
    return this.#entries.get(key)?.owners ?? []
  }

  apply({ type, current }: StoreEvent): void {
    if (type !== 'DELETED') {
      this.set(current)
      return
    }
    this.#remove(current.key)
    const { uid } = current.value.metadata
    if (!uid) return
    this.#gone.add(uid)
    if (this.#gone.size > 20_000) {
      const [oldest] = this.#gone
      if (oldest !== undefined) this.#gone.delete(oldest)
    }
  }

  set({ key, value }: Stored): void {
    const owners = value.metadata.ownerReferences ?? []
    if (owners.length === 0 && !this.#entries.has(key)) return
    this.#remove(key)
    if (owners.length === 0) return
    this.#entries.set(key, { owners })
    for (const { uid } of owners) {
      let keys = this.#byOwner.get(uid)
      if (!keys) {
        keys = new Set()
        this.#byOwner.set(uid, keys)
      }
      keys.add(key)
    }
  }

  #remove(key: string): void {
    for (const { uid } of this.owners(key)) {
      const keys = this.#byOwner.get(uid)
      keys?.delete(key)
      if (keys?.size === 0) this.#byOwner.delete(uid)
    }
    this.#entries.delete(key)
  }
}
