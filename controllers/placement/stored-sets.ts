import { readFileSync } from 'node:fs'
import type { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { decodeFileSet } from '../../reconcilers/blobs/file-set-blob.ts'
import type { StoredSet } from '../../reconcilers/placement/stored-holding.ts'

/** Where a manifest is: in a file of this machine, or in memory as it is stored. Crosses threads; bytes are shared by them. */
export type SetSource = { readonly path: string } | { readonly bytes: Uint8Array }

/** What is kept decoded, in bytes: a tree of sites is looked at several times in a row. */
const KEPT_BYTES = 64 * 1024 * 1024

/** Manifests that are decoded when they are looked at. What was looked at last is kept. */
export class StoredSets {
  readonly #keptBytes: number
  readonly #recent = new Map<StoredManifest, FileSet>()
  #bytes = 0

  constructor(keptBytes = KEPT_BYTES) {
    this.#keptBytes = keptBytes
  }

  of(source: SetSource): StoredManifest {
    return new StoredManifest(source, this)
  }

  read(manifest: StoredManifest): FileSet {
    const known = this.#recent.get(manifest)
    if (known) {
      this.#recent.delete(manifest)
      this.#recent.set(manifest, known)
      return known
    }
    const { source } = manifest
    const { set } = decodeFileSet('path' in source ? readFileSync(source.path) : source.bytes)
    this.#recent.set(manifest, set)
    this.#bytes += set.words.byteLength
    for (const [oldest, { words }] of this.#recent) {
      if (this.#bytes <= this.#keptBytes) break
      this.#recent.delete(oldest)
      this.#bytes -= words.byteLength
    }
    return set
  }
}

/** One of them. */
export class StoredManifest implements StoredSet {
  readonly source: SetSource
  readonly #sets: StoredSets

  constructor(source: SetSource, sets: StoredSets) {
    this.source = source
    this.#sets = sets
  }

  read(): FileSet {
    return this.#sets.read(this)
  }
}
