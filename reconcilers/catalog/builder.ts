import { type CatalogContent, type CatalogFile, catalogOf, identityOf } from '../blobs/catalog.ts'
import { type Demand, MAX_DEMAND_CLASSES } from '../blobs/demand.ts'
import { checkLine, type LineError, type Popularity } from './check-line.ts'

/** What a source said, once read to its end. */
export interface BuiltCatalog {
  readonly catalog: CatalogContent
  readonly demand: Demand
}

/** Errors beyond this many are counted, not kept. */
const MAX_ERRORS_KEPT = 20

/**
 * Turns the lines of a source into the next version of a catalog. Feed it every line in order, then `finish`.
 * Unchanged files (same path, size and sha256) keep their index from the previous version; those that were there in an earlier one and come back have theirs again, as long
 * as that is remembered; new ones are appended in the order of their path, so that the order of the source's lines does not matter; removed ones leave `null`.
 */
export class CatalogBuilder {
  readonly #previous: CatalogContent | undefined
  readonly #seen = new Map<string, { file: CatalogFile; popularity: Popularity; line: number }>()
  /** The size that goes with a digest. */
  readonly #sizes = new Map<string, number>()
  readonly #classes = new Set<string>()
  readonly #errors: LineError[] = []
  #errorCount = 0
  #line = 0

  constructor(previous?: CatalogContent) {
    this.#previous = previous
  }

  /** Takes the next line (without its newline). Blank lines are passed over, but counted. */
  addLine(text: string): void {
    this.#line++
    if (text.trim() === '') return
    const checked = checkLine(text)
    if ('refused' in checked) {
      this.#refuse(checked.refused)
      return
    }
    const { popularity = 0, ...file } = checked
    const first = this.#seen.get(file.path)
    const size = this.#sizes.get(file.sha256) ?? file.size
    if (first) this.#refuse(`path ${JSON.stringify(file.path)}: already on line ${first.line}`)
    else if (size !== file.size) this.#refuse(this.#sayOtherSize(file, size))
    else if (!this.#knowClasses(popularity))
      this.#refuse(`popularity: more than ${MAX_DEMAND_CLASSES} classes of demand are named`)
    else {
      this.#seen.set(file.path, { file, popularity, line: this.#line })
      this.#sizes.set(file.sha256, size)
    }
  }

  /** Notes the classes of demand that a line names; false where these would be too many. */
  #knowClasses(popularity: Popularity): boolean {
    if (typeof popularity === 'number') return true
    const added = Object.keys(popularity).filter((name) => name !== '*' && !this.#classes.has(name))
    if (this.#classes.size + added.length > MAX_DEMAND_CLASSES) return false
    for (const name of added) this.#classes.add(name)
    return true
  }

  /** The same bytes cannot have two sizes: one of the lines is wrong, and nobody can tell which. */
  #sayOtherSize({ sha256, size }: CatalogFile, other: number): string {
    const first = [...this.#seen.values()].find(({ file }) => file.sha256 === sha256)
    return `size ${size}: the file of line ${first?.line} has the same sha256 and size ${other}`
  }

  /** Takes a line that was not read because it is unfit: too long, not UTF-8. */
  refuseLine(message: string): void {
    this.#line++
    this.#refuse(message)
  }

  #refuse(message: string): void {
    this.#errorCount++
    if (this.#errors.length < MAX_ERRORS_KEPT) this.#errors.push({ line: this.#line, message })
  }

  /** Gives files that were there before their index again. */
  #bringBack(files: (CatalogFile | null)[], popularity: Popularity[], gone: Map<number, string>): void {
    if (gone.size === 0) return
    const indices = new Map([...gone].map(([index, identity]) => [identity, index]))
    for (const [path, { file, popularity: value }] of this.#seen) {
      const index = indices.get(identityOf(file))
      // Two files may have one identity, though hardly ever: the index is its first taker's.
      if (index === undefined || files[index]) continue
      files[index] = file
      popularity[index] = value
      gone.delete(index)
      this.#seen.delete(path)
    }
  }

  /** The catalog, or every reason why there is none: a source with one bad line is refused as a whole. */
  finish(): BuiltCatalog | { readonly errors: readonly LineError[]; readonly errorCount: number } {
    if (this.#errorCount > 0) return { errors: this.#errors, errorCount: this.#errorCount }
    const files: (CatalogFile | null)[] = []
    const popularity: Popularity[] = []
    const gone = new Map(this.#previous?.gone)
    for (const before of this.#previous?.files ?? []) {
      const now = before ? this.#seen.get(before.path) : undefined
      if (before && now && now.file.size === before.size && now.file.sha256 === before.sha256) {
        files.push(now.file)
        popularity.push(now.popularity)
        this.#seen.delete(before.path)
      } else {
        if (before) gone.set(files.length, identityOf(before))
        files.push(null)
        popularity.push(0)
      }
    }
    this.#bringBack(files, popularity, gone)
    const added = [...this.#seen.values()].sort((a, b) => (a.file.path < b.file.path ? -1 : 1))
    for (const { file, popularity: value } of added) {
      files.push(file)
      popularity.push(value)
    }
    forget(gone, files)
    return { catalog: catalogOf(files, gone), demand: demandOf(popularity, [...this.#classes].sort()) }
  }
}

/**
 * How many removed files are remembered: as many as there are, and never fewer than this. A source that loses half of its files and has them again the next day then costs
 * no index; one that has other files every day does not make the catalog longer than it need be: 40 bytes for one that is remembered, 5 for one that is not.
 */
const REMEMBERED = 65_536

/** Forgets those that came first. */
function forget(gone: Map<number, string>, files: readonly (CatalogFile | null)[]): void {
  let over = gone.size - Math.max(REMEMBERED, files.length - gone.size)
  if (over <= 0) return
  for (const index of [...gone.keys()].sort((a, b) => a - b)) {
    if (over-- <= 0) break
    gone.delete(index)
  }
}

/**
 * Popularity in columns. A class that a line does not name has what the line says of `*`, else 0. The column of all classes that no line names has the mean over
 * the classes where a line says nothing of `*`, so that it is of the same scale as a popularity that is a number.
 */
function demandOf(popularity: readonly Popularity[], classes: readonly string[]): Demand {
  const columns = Array.from({ length: classes.length + 1 }, () => new Float64Array(popularity.length))
  const [others, ...own] = columns as [Float64Array, ...Float64Array[]]
  for (const [file, said] of popularity.entries()) {
    if (typeof said === 'number') {
      for (const column of columns) column[file] = said
      continue
    }
    let sum = 0
    for (const [k, column] of own.entries()) {
      column[file] = said[classes[k]!] ?? said['*'] ?? 0
      sum += column[file]!
    }
    others[file] = said['*'] ?? (own.length > 0 ? sum / own.length : 0)
  }
  return { classes, popularity: columns }
}
