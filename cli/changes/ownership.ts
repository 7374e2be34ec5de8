import type { FieldSet } from '../../crds/fieldmanager/field-set.ts'
import { decodeManaged, type Managed } from '../../crds/fieldmanager/managed.ts'
import { keyElement, type PathElement, valueElement } from '../../crds/fieldmanager/path-element.ts'
import type { JsonValue } from '../../crds/metadata.ts'
import type { Body } from './change.ts'

/** A manager's fields at one place of an object; `all`: the place is inside something that is owned as a whole. */
type Owned = FieldSet | 'all'

/** How the items of a list are told apart: by index, by value, or by some of their fields. */
export type ListIdentity = 'index' | 'value' | readonly string[]

/**
 * Who owns what at one place of an object, by its managedFields. Walk it down along with the object. What cannot be read (entries of a
 * type yet to come) is owned by nobody.
 */
export class Ownership {
  readonly #owned: ReadonlyMap<string, Owned>

  private constructor(owned: ReadonlyMap<string, Owned>) {
    this.#owned = owned
  }

  static of(object: Body | undefined): Ownership {
    let managed: Managed = new Map()
    try {
      managed = decodeManaged(object?.metadata.managedFields)
    } catch {
      // Says nothing about who owns what, then.
    }
    const owned = new Map<string, Owned>()
    // Of one manager's several entries (by operation, version, subresource) the first is an apply, if there is one: it is named by that.
    for (const { id, set } of managed.values()) owned.set(`${id.manager}\n${id.operation}\n${owned.size}`, set)
    return new Ownership(owned)
  }

  down(element: PathElement): Ownership {
    if (this.#owned.size === 0) return this
    const owned = new Map<string, Owned>()
    for (const [key, set] of this.#owned) {
      const below = set === 'all' ? 'all' : (set.children.get(element) ?? (isWhole(set) ? 'all' : undefined))
      if (below) owned.set(key, below)
    }
    return new Ownership(owned)
  }

  /** Whether `manager` has applied this field or something in it. */
  appliedBy(manager: string): boolean {
    return [...this.#owned.keys()].some((key) => key.startsWith(`${manager}\nApply\n`))
  }

  /** Somebody else who owns this field or something in it. */
  otherThan(manager: string): string | undefined {
    const other = [...this.#owned.keys()].find((key) => !key.startsWith(`${manager}\nApply\n`))
    return other?.split('\n', 1)[0]
  }

  /** What managers' entries say of how a list's items are told apart; undefined where they say nothing. */
  listIdentity(): ListIdentity | undefined {
    for (const set of this.#owned.values()) {
      if (set === 'all') continue
      for (const element of set.children.keys()) {
        if (element.startsWith('k:')) return Object.keys(JSON.parse(element.slice(2)) as object)
        if (element.startsWith('v:')) return 'value'
      }
    }
    return undefined
  }
}

const isWhole = (set: FieldSet) => set.member && set.children.size === 0

/** The step to an item of a list. */
export function itemElement(identity: ListIdentity, item: JsonValue, index: number): PathElement {
  if (identity === 'index') return `i:${index}`
  if (identity === 'value') return valueElement(item)
  const map = (typeof item === 'object' && item !== null ? item : {}) as Readonly<Record<string, JsonValue | undefined>>
  return keyElement(identity.map((key) => [key, map[key] ?? null]))
}
