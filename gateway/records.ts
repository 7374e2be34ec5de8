import type { InventoryRef } from '../crds/types.gen.ts'
import type { Report } from '../reconcilers/gateway/report.ts'

/** What the gateway has heard from one appliance since it started. Times are monotonic ms. */
export interface ApplianceRecord {
  report?: Report
  /** By catalog, `namespace/name`. Undefined until the first inventory comes: then what the status says is taken over. */
  inventories?: Map<string, InventoryRef>
  /** Goes up with every change of `inventories`. */
  inventoriesVersion: number
  /** The newest version that the API has acknowledged. */
  inventoriesStored: number
  writtenAtMs?: number
  /** Until when its inventories have used up their turns. */
  inventoriesUntilMs?: number
  /** Since when it has had something to say while no Lease lists it. */
  unlistedSinceMs?: number
  /** Its turn under the fleet's write rate, when it has one. */
  turnAtMs?: number
}

/** Records by appliance, `namespace/name`. */
export class Records {
  readonly #records = new Map<string, ApplianceRecord>()
  /** When each was last heard, monotonic ms. */
  readonly lastHeardMs = new Map<string, number>()

  get(key: string): ApplianceRecord | undefined {
    return this.#records.get(key)
  }

  obtain(key: string): ApplianceRecord {
    let record = this.#records.get(key)
    if (!record) {
      record = { inventoriesVersion: 0, inventoriesStored: 0 }
      this.#records.set(key, record)
    }
    return record
  }

  forget(key: string): void {
    this.#records.delete(key)
    this.lastHeardMs.delete(key)
  }
}
