import type { Served } from '../served.ts'
import type { ObjectFilter } from '../verbs/selection.ts'
import { type EventForm, Framer } from './frames.ts'

/** Hands watchers that want the same of the same resource the same Framer. */
export class Framers {
  readonly #byResource = new WeakMap<Served, Map<string, { readonly framer: Framer; users: number }>>()

  /** `scope` tells collections apart that are watched by different prefixes. Returns the framer, and how to give it back. */
  take(served: Served, scope: string, filter: ObjectFilter, form: EventForm): { framer: Framer; release: () => void } {
    let shared = this.#byResource.get(served)
    if (!shared) {
      shared = new Map()
      this.#byResource.set(served, shared)
    }
    const key = `${form.key}\n${scope}\n${filter.source}`
    let entry = shared.get(key)
    if (!entry) {
      entry = { framer: new Framer(served, filter, form), users: 0 }
      shared.set(key, entry)
    }
    const taken = entry
    const of = shared
    taken.users++
    let released = false
    return {
      framer: taken.framer,
      release() {
        if (released) return
        released = true
        taken.users--
        if (taken.users === 0) of.delete(key)
      },
    }
  }
}
