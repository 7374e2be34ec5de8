import type { ContentEntry } from '../../crds/types.gen.ts'
import type { CatalogFile } from '../../reconcilers/blobs/catalog.ts'
import { catalogFilesAt } from '../../reconcilers/blobs/catalog-lines.ts'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { decodeFileSet, encodeFileSet } from '../../reconcilers/blobs/file-set-blob.ts'

/** Files read before others get their turn: some 10 ms. */
const FILES_AT_ONCE = 5000

/** A file as one view names it. */
export interface ViewFile extends CatalogFile {
  readonly index: number
}

/** What an appliance is to hold of one version of a catalog, by path and by index, and how much of it is held. */
export class View {
  readonly entry: ContentEntry
  /** `namespace/name` of the catalog. */
  readonly catalog: string
  readonly files: readonly ViewFile[]
  readonly bytes: number
  readonly #byPath: ReadonlyMap<string, ViewFile>
  readonly #held = new FileSet()
  #heldFiles = 0
  #heldBytes = 0

  private constructor(entry: ContentEntry, files: readonly ViewFile[]) {
    this.entry = entry
    this.catalog = catalogKey(entry)
    this.files = files
    this.bytes = files.reduce((sum, file) => sum + file.size, 0)
    this.#byPath = new Map(files.map((file) => [file.path, file]))
  }

  /** Reads the blobs that an entry names, bit by bit: serving goes on. Rejects with a RangeError that says what is wrong with them. */
  static async read(entry: ContentEntry, catalog: Uint8Array, manifestBlob: Uint8Array): Promise<View> {
    const manifest = decodeFileSet(manifestBlob)
    if (manifest.catalog !== entry.catalogDigest) {
      throw new RangeError(
        `the manifest speaks of catalog ${manifest.catalog}, the Assignment of ${entry.catalogDigest}`,
      )
    }
    const files: ViewFile[] = []
    for (const [index, file] of catalogFilesAt(catalog, manifest.set)) {
      if (!file) throw new RangeError(`the manifest asks for file ${index}, which was removed from the catalog`)
      files.push(checked(file, index))
      if (files.length % FILES_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    if (files.length < manifest.files) {
      throw new RangeError(`the manifest asks for ${manifest.files} files, the catalog has ${files.length} of them`)
    }
    return new View(entry, files)
  }

  /** The same files, for an entry that names the same blobs. Nothing of it is held yet. */
  withEntry(entry: ContentEntry): View {
    return new View(entry, this.files)
  }

  find(path: string): ViewFile | undefined {
    return this.#byPath.get(path)
  }

  get heldFiles(): number {
    return this.#heldFiles
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  setHeld(file: ViewFile, held: boolean): void {
    if (this.#held.has(file.index) === held) return
    if (held) this.#held.add(file.index)
    else this.#held.delete(file.index)
    this.#heldFiles += held ? 1 : -1
    this.#heldBytes += held ? file.size : -file.size
  }

  /** What is held, as an inventory blob. */
  inventory(): Uint8Array {
    const { catalogDigest } = this.entry
    return encodeFileSet({ catalog: catalogDigest, files: this.#heldFiles, bytes: this.#heldBytes, set: this.#held })
  }
}

/** Names one version of what is wanted of one catalog. */
export function versionOf(entry: ContentEntry): string {
  return `${catalogKey(entry)} ${entry.catalogDigest} ${entry.manifestDigest}`
}

export function catalogKey({ catalog }: ContentEntry): string {
  return `${catalog.namespace}/${catalog.name}`
}

/** Digests become file names here: nothing else may pass for one. */
function checked(file: CatalogFile, index: number): ViewFile {
  const { path, size, sha256 } = file
  if (typeof path !== 'string' || !/^[0-9a-f]{64}$/.test(sha256) || !Number.isSafeInteger(size) || size < 0) {
    throw new RangeError(`file ${index} of the catalog is malformed`)
  }
  return { path, size, sha256, index }
}

/** Bytes to hold, and everything they are known as. */
export interface WantedFile {
  readonly sha256: string
  readonly size: number
  readonly names: readonly { readonly view: View; readonly file: ViewFile }[]
}

export interface Wanted {
  /** By sha256, in the order of the views and their indices. */
  readonly files: ReadonlyMap<string, WantedFile>
  /** Names that can never be right: the same sha256 has another size elsewhere. */
  readonly conflicts: readonly { readonly view: View; readonly file: ViewFile; readonly otherSize: number }[]
}

/** Every file of the views once, under all of its names. */
export function wantedOf(views: readonly View[]): Wanted {
  const files = new Map<string, { sha256: string; size: number; names: { view: View; file: ViewFile }[] }>()
  const conflicts: { view: View; file: ViewFile; otherSize: number }[] = []
  for (const view of views) {
    for (const file of view.files) {
      const { sha256, size } = file
      const same = files.get(sha256)
      if (!same) files.set(sha256, { sha256, size, names: [{ view, file }] })
      else if (same.size === size) same.names.push({ view, file })
      else conflicts.push({ view, file, otherSize: same.size })
    }
  }
  return { files, conflicts }
}
