import { hashString, mix } from '../../reconcilers/placement/hash.ts'
import type { CatalogFiles } from '../../reconcilers/steering/world.ts'

/** Arrays that a thread which reads catalogs hands over. Offsets are into `text`: paths and titles in UTF-8, one after the other. */
export interface CatalogTables {
  /** Indices of the catalog, and those of them that are files. */
  readonly files: number
  readonly count: number
  readonly text: Uint8Array
  /** Where the path of each index begins; one more at the end. An index without a file has an empty path. */
  readonly pathAt: Uint32Array
  /** Ordinal of the title of each index, from 1; 0: it has none. */
  readonly titleOf: Uint32Array
  /** Where each title begins, from ordinal 1 on; one more at the end. */
  readonly titleAt: Uint32Array
  /** Open addressing by the hash of the path: index + 1; 0: free. Its length is a power of two. */
  readonly byPath: Uint32Array
  /** The same by the hash of the title: its ordinal. */
  readonly byName: Uint32Array
  /** The same by the hash of the title's label, for the first title of each label that is not empty. */
  readonly byLabel: Uint32Array
  /** The files of each title, in the order of their indices: those of title t are `titleFiles[titleStart[t - 1] … titleStart[t] - 1]`. */
  readonly titleStart: Uint32Array
  readonly titleFiles: Uint32Array
  /** By title, from ordinal 1 at position 0: the index of the file that a player begins with, and a hash of its name. */
  readonly titleEntry: Uint32Array
  readonly titleHash: Uint32Array
  /** By title, from ordinal 1 at position 0: a hash of its label, where it is in `byLabel`; else 0. */
  readonly labelHash: Uint32Array
}

/** What was found of a request for a title. */
export interface TitleFiles {
  readonly files: Uint32Array
  /** The file that a player begins with: the playlist that has the shortest path, or else the first file. */
  readonly entry: number
}

const decoder = new TextDecoder()

/** The files of one version of a catalog, found by path and by title, in few large arrays: a million of them take some 100 MB less than as objects. */
export class CatalogIndex implements CatalogFiles {
  readonly digest: string
  readonly #tables: CatalogTables

  constructor(digest: string, tables: CatalogTables) {
    this.digest = digest
    this.#tables = tables
  }

  get files(): number {
    return this.#tables.files
  }

  file(index: number): { readonly path: string; readonly title?: string } | undefined {
    const path = this.path(index)
    if (path === undefined) return undefined
    const title = this.#tables.titleOf[index]!
    return title === 0 ? { path } : { path, title: this.#title(title) }
  }

  /** The path of an index; undefined where it is no file's. */
  path(index: number): string | undefined {
    const { text, pathAt, files } = this.#tables
    if (!(index >= 0 && index < files)) return undefined
    const from = pathAt[index]!
    const to = pathAt[index + 1]!
    return from === to ? undefined : decoder.decode(text.subarray(from, to))
  }

  /** The index of a path; -1 where there is no such file. */
  find(path: string): number {
    const { byPath, pathAt } = this.#tables
    const mask = byPath.length - 1
    for (let slot = hashString(path) & mask; byPath[slot] !== 0; slot = (slot + 1) & mask) {
      const index = byPath[slot]! - 1
      if (this.#isAt(path, pathAt[index]!, pathAt[index + 1]!)) return index
    }
    return -1
  }

  /** 32 bits that all files of a title have in common, or that a file without a title has for itself. */
  affinity(index: number): number {
    const title = this.#tables.titleOf[index]!
    return title === 0 ? mix(index + 1) : this.#tables.titleHash[title - 1]!
  }

  /** The files of a title; undefined where there is none of that name. */
  titled(title: string): TitleFiles | undefined {
    const { byName, titleHash } = this.#tables
    return this.#titled(byName, titleHash, hashString(title), (ordinal) => this.#title(ordinal) === title)
  }

  /** The files of the first title with this DNS label, whose hash is `labelHash(label)`. */
  labelled(label: string, hash = labelHash(label)): TitleFiles | undefined {
    const { byLabel, labelHash } = this.#tables
    return this.#titled(byLabel, labelHash, hash, (ordinal) => titleLabel(this.#title(ordinal)) === label)
  }

  /** Hashes of the labels that `labelled` finds, and zeros. */
  get labelHashes(): Uint32Array {
    return this.#tables.labelHash
  }

  #titled(
    table: Uint32Array,
    hashes: Uint32Array,
    hash: number,
    is: (ordinal: number) => boolean,
  ): TitleFiles | undefined {
    const { titleStart, titleFiles, titleEntry } = this.#tables
    const mask = table.length - 1
    for (let slot = hash & mask; table[slot] !== 0; slot = (slot + 1) & mask) {
      const ordinal = table[slot]!
      // A name is made only of what is most likely it: strangers ask for many that do not exist.
      if (hashes[ordinal - 1] !== hash || !is(ordinal)) continue
      const files = titleFiles.subarray(titleStart[ordinal - 1]!, titleStart[ordinal]!)
      return { files, entry: titleEntry[ordinal - 1]! }
    }
    return undefined
  }

  #title(ordinal: number): string {
    const { text, titleAt } = this.#tables
    return decoder.decode(text.subarray(titleAt[ordinal - 1]!, titleAt[ordinal]!))
  }

  /** Whether the bytes are this text; mostly both are ASCII, and nothing need be decoded. */
  #isAt(path: string, from: number, to: number): boolean {
    const { text } = this.#tables
    if (path.length > to - from) return false
    for (let i = 0; i < path.length; i++) {
      const code = path.charCodeAt(i)
      if (code >= 0x80) return decoder.decode(text.subarray(from, to)) === path
      if (code !== text[from + i]) return false
    }
    return path.length === to - from
  }
}

/**
 * A title as a DNS label: letters and digits, whatever is between them one hyphen, at most 63 octets; accents are left away. Empty where nothing is left.
 */
export function titleLabel(title: string): string {
  return title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, 63)
    .replace(/-$/, '')
}

/** 32 bits of a label, never 0. */
export function labelHash(label: string): number {
  return hashString(label) || 1
}

/** Makes the tables from a catalog's files, by index. */
export function catalogTables(
  files: Iterable<{ readonly path: string; readonly title?: string } | null>,
  length: number,
  textBytes: number,
): CatalogTables {
  const encoder = new TextEncoder()
  let text = new Uint8Array(textBytes)
  let used = 0
  const write = (part: string) => {
    if (text.length - used < part.length * 3) {
      const grown = new Uint8Array(text.length * 2 + part.length * 3)
      grown.set(text)
      text = grown
    }
    used += encoder.encodeInto(part, text.subarray(used)).written
  }
  const pathAt = new Uint32Array(length + 1)
  const titleOf = new Uint32Array(length)
  const byPath = new Uint32Array(tableSize(length))
  const titles = new Map<string, number>()
  const entries: { index: number; rank: number }[] = []
  let index = 0
  let count = 0
  for (const file of files) {
    pathAt[index] = used
    if (file) {
      count++
      write(file.path)
      put(byPath, hashString(file.path), index + 1)
      if (file.title !== undefined) {
        const ordinal = titles.get(file.title) ?? titles.size + 1
        titles.set(file.title, ordinal)
        titleOf[index] = ordinal
        const rank = entryRank(file.path)
        const entry = entries[ordinal - 1]
        if (!entry || rank < entry.rank) entries[ordinal - 1] = { index, rank }
      }
    }
    index++
  }
  pathAt[length] = used
  const titleAt = new Uint32Array(titles.size + 1)
  const byName = new Uint32Array(tableSize(titles.size))
  const byLabel = new Uint32Array(tableSize(titles.size))
  // Titles in other scripts all have the same label, an empty one: with all of them in the table, it would be searched from end to end.
  const labels = new Set([''])
  const labelHashes = new Uint32Array(titles.size)
  for (const [title, ordinal] of titles) {
    titleAt[ordinal - 1] = used
    write(title)
    put(byName, hashString(title), ordinal)
    const label = titleLabel(title)
    if (labels.has(label)) continue
    labels.add(label)
    labelHashes[ordinal - 1] = labelHash(label)
    put(byLabel, labelHash(label), ordinal)
  }
  titleAt[titles.size] = used
  return {
    files: length,
    count,
    text: text.slice(0, used),
    pathAt,
    titleOf,
    titleAt,
    byPath,
    byName,
    byLabel,
    ...byTitle(titleOf, titles.size),
    titleEntry: Uint32Array.from(entries, (entry) => entry.index),
    titleHash: Uint32Array.from(titles.keys(), hashString),
    labelHash: labelHashes,
  }
}

/** Less is better: a playlist with a short path; then whatever comes first. */
function entryRank(path: string): number {
  return /\.(m3u8|mpd)$/i.test(path) ? path.length : Number.MAX_SAFE_INTEGER
}

function byTitle(titleOf: Uint32Array, titles: number): Pick<CatalogTables, 'titleStart' | 'titleFiles'> {
  const titleStart = new Uint32Array(titles + 1)
  for (const title of titleOf) if (title > 0) titleStart[title]!++
  for (let t = 1; t <= titles; t++) titleStart[t]! += titleStart[t - 1]!
  const titleFiles = new Uint32Array(titleStart[titles]!)
  const next = titleStart.slice()
  titleOf.forEach((title, index) => {
    if (title > 0) titleFiles[next[title - 1]!++] = index
  })
  return { titleStart, titleFiles }
}

/** At most half full. */
function tableSize(entries: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(8, entries * 2)))
}

function put(table: Uint32Array, hash: number, value: number): void {
  const mask = table.length - 1
  let slot = hash & mask
  while (table[slot] !== 0) slot = (slot + 1) & mask
  table[slot] = value
}
