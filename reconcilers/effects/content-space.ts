import type { CatalogContent } from '../blobs/catalog.ts'
import { FileSet } from '../blobs/file-set.ts'
import { weigh } from '../placement/weigh.ts'

/**
 * Contents by number, over any number of catalogs and versions of them. Appliances keep bytes by their sha256: what two catalogs, or two
 * paths, share is held once, and what only moves from one to the other is not filled again.
 */
export class ContentSpace {
  readonly #numbers = new Map<string, number>()
  readonly #sizes: number[] = []
  /** By catalog digest: the number of the file at each index; undefined where they are the same. */
  readonly #versions = new Map<string, Uint32Array | undefined>()

  /** Takes a version of a catalog in. `digest` is the digest of its blob. */
  add(digest: string, { files }: CatalogContent): void {
    if (this.#versions.has(digest)) return
    const numbers = new Uint32Array(files.length)
    let isSame = true
    // Versions of one catalog grow at their end: new files mostly get their own index as number.
    for (let index = 0; index < files.length; index++) {
      const file = files[index]
      if (!file) continue
      let number = this.#numbers.get(file.sha256)
      if (number === undefined) {
        number = Math.max(this.#sizes.length, index)
        while (this.#sizes.length < number) this.#sizes.push(0)
        this.#sizes.push(file.size)
        this.#numbers.set(file.sha256, number)
      }
      numbers[index] = number
      if (number !== index) isSame = false
    }
    this.#versions.set(digest, isSame ? undefined : numbers)
  }

  has(digest: string): boolean {
    return this.#versions.has(digest)
  }

  /** A set over a version's indices as a set over contents. Throws a RangeError where the version was not taken in. */
  contents(digest: string, set: FileSet): FileSet {
    if (!this.#versions.has(digest)) throw new RangeError(`catalog ${digest} was not taken in`)
    const numbers = this.#versions.get(digest)
    if (!numbers) return set
    const contents = new FileSet()
    for (const index of set) contents.add(numbers[index]!)
    return contents
  }

  /** How many contents, and how many bytes, are in a set over contents; but for those of `without`. */
  weigh(contents: FileSet, without?: FileSet): Weight {
    return weigh(this.#sizes, contents, without)
  }
}

export interface Weight {
  readonly files: number
  readonly bytes: number
}
