import { mix } from '../../reconcilers/placement/hash.ts'
import type { World } from '../../reconcilers/steering/world.ts'
import { type CatalogIndex, labelHash } from '../world/catalog-index.ts'

/** Least bits of the filter per label, of which so many are set: of names that do not exist, one in two hundred is looked for all the same. */
const BITS_PER_LABEL = 16
const BITS_SET = 3
const LEAST_BITS = 2 ** 12

/**
 * What names there are, found without looking through all sites and catalogs: strangers ask for names that do not exist as often as they like. Follows the
 * world, in which ordinals are never given to another.
 */
export class Names {
  readonly #world: World
  readonly #sites = new Map<string, number[]>()
  readonly #catalogs = new Map<string, number[]>()
  readonly #namespaces = new Set<string>()
  #sitesKnown = 0
  #catalogsKnown = 0
  /** The catalogs whose labels are in the filter. */
  #filtered: (CatalogIndex | undefined)[] = []
  #filter = new Uint32Array(LEAST_BITS / 32)
  #labels = 0
  /** So that nobody can work out which names that do not exist are looked for. */
  readonly #salt = Math.floor(Math.random() * 2 ** 32)

  constructor(world: World) {
    this.#world = world
  }

  /** The first site of this name that there is, in whatever namespace. */
  site(name: string): number | undefined {
    this.#catchUp()
    return this.#sites.get(name)?.find((ordinal) => this.#world.sites[ordinal] !== undefined)
  }

  /** Whether there are, or were, sites or catalogs in a namespace. */
  hasNamespace(name: string): boolean {
    this.#catchUp()
    return this.#namespaces.has(name)
  }

  /** Ordinals of the catalogs of a namespace, or of all, one of which may have a title with this label; none where it is certain that none has. */
  catalogsWith(label: string, namespace?: string): Iterable<number> {
    this.#catchUp()
    this.#fillFilter()
    if (!this.#mayBe(labelHash(label))) return []
    return namespace === undefined ? this.#world.catalogs.keys() : (this.#catalogs.get(namespace) ?? [])
  }

  #catchUp(): void {
    const { siteKeys, catalogKeys } = this.#world
    for (; this.#sitesKnown < siteKeys.length; this.#sitesKnown++) {
      const [namespace = '', name = ''] = siteKeys[this.#sitesKnown]!.split('/')
      push(this.#sites, name, this.#sitesKnown)
      this.#namespaces.add(namespace)
    }
    for (; this.#catalogsKnown < catalogKeys.length; this.#catalogsKnown++) {
      const [namespace = ''] = catalogKeys[this.#catalogsKnown]!.split('/')
      push(this.#catalogs, namespace, this.#catalogsKnown)
      this.#namespaces.add(namespace)
    }
  }

  /** Adds the labels of catalogs that are new; those of older versions stay until there are too many. */
  #fillFilter(): void {
    const { catalogs } = this.#world as { readonly catalogs: readonly (CatalogIndex | undefined)[] }
    const added: CatalogIndex[] = []
    for (let ordinal = 0; ordinal < catalogs.length; ordinal++) {
      const index = catalogs[ordinal]
      if (index === this.#filtered[ordinal]) continue
      this.#filtered[ordinal] = index
      if (index) added.push(index)
    }
    if (added.length > 0) this.#add(added)
  }

  #add(added: readonly CatalogIndex[]): void {
    this.#labels += labelsOf(added)
    if (this.#labels * BITS_PER_LABEL <= this.#filter.length * 32) {
      this.#setAll(added)
      return
    }
    const now = this.#filtered.filter((index) => index !== undefined)
    this.#labels = labelsOf(now)
    // Twice as many find room before it is made anew.
    this.#filter = new Uint32Array(2 ** Math.ceil(Math.log2(this.#labels * BITS_PER_LABEL * 2)) / 32)
    this.#setAll(now)
  }

  #setAll(catalogs: readonly CatalogIndex[]): void {
    const mask = this.#filter.length * 32 - 1
    for (const { labelHashes } of catalogs) {
      for (const hash of labelHashes) {
        if (hash === 0) continue
        for (let i = 0, bit = mix(hash ^ this.#salt); i < BITS_SET; i++, bit = mix(bit + 1))
          this.#filter[(bit & mask) >>> 5]! |= 1 << (bit & 31)
      }
    }
  }

  #mayBe(hash: number): boolean {
    const mask = this.#filter.length * 32 - 1
    for (let i = 0, bit = mix(hash ^ this.#salt); i < BITS_SET; i++, bit = mix(bit + 1))
      if ((this.#filter[(bit & mask) >>> 5]! & (1 << (bit & 31))) === 0) return false
    return true
  }
}

const labelsOf = (catalogs: readonly CatalogIndex[]) =>
  catalogs.reduce((sum, { labelHashes }) => sum + labelHashes.length, 0)

function push(lists: Map<string, number[]>, name: string, ordinal: number): void {
  const list = lists.get(name)
  if (list) list.push(ordinal)
  else lists.set(name, [ordinal])
}
