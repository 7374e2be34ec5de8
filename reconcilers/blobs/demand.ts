/** More would be columns that no fleet fills with evidence. */
export const MAX_DEMAND_CLASSES = 64

/** What viewers ask for, per class of demand: relative requests per file index, 0 where nothing is known. */
export interface Demand {
  /** Names of the classes that something is known of, sorted. At most 64. */
  readonly classes: readonly string[]
  /** Columns by file index: first that of every class without a column of its own, then one for each of `classes`. */
  readonly popularity: readonly Float64Array[]
}

/** The column of a class: its own, or the one for all others. An index into `popularity`. */
export function columnOf({ classes }: Demand, name: string): number {
  return classes.indexOf(name) + 1
}

/**
 * NDJSON: a header line, then a line per file index. Version 1, where no class is told apart: the popularity. Version 2: the popularity where it is the same in all
 * columns, else an array of all columns. The same demand always gives the same bytes.
 */
export function encodeDemand(catalogDigest: string, { classes, popularity }: Demand): Uint8Array {
  const [others = new Float64Array(0), ...own] = popularity
  const header =
    classes.length === 0
      ? { weirDemand: 1, catalog: catalogDigest }
      : { weirDemand: 2, catalog: catalogDigest, classes }
  const lines = [JSON.stringify(header)]
  for (let file = 0; file < others.length; file++) {
    const value = others[file]!
    lines.push(
      own.every((column) => column[file] === value)
        ? String(value)
        : `[${[value, ...own.map((column) => column[file]!)].join(',')}]`,
    )
  }
  return new TextEncoder().encode(`${lines.join('\n')}\n`)
}

/** Reads what `encodeDemand` wrote, of either version. Throws a RangeError that names the line where something is no popularity (NaN, negative, infinite). */
export function decodeDemand(bytes: Uint8Array): Demand & { readonly catalog: string } {
  const lines = new TextDecoder().decode(bytes).split('\n')
  const { catalog, classes } = headerOf(lines[0])
  const popularity = Array.from({ length: classes.length + 1 }, () => new Float64Array(lines.length - 2))
  for (let file = 0; file < lines.length - 2; file++) {
    const values = valuesOf(lines[file + 1]!)
    if (values.length !== 1 && values.length !== popularity.length)
      throw new RangeError(`demand: line ${file + 2} has ${values.length} values for ${popularity.length} columns`)
    for (const [k, column] of popularity.entries()) {
      const value = values.length === 1 ? values[0]! : values[k]!
      if (!(value >= 0 && value < Infinity)) throw new RangeError(`demand: line ${file + 2} is not a popularity`)
      column[file] = value
    }
  }
  return { catalog, classes, popularity }
}

function valuesOf(line: string): readonly number[] {
  return line.startsWith('[') ? line.slice(1, -1).split(',').map(Number) : [line === '' ? Number.NaN : Number(line)]
}

function headerOf(line = ''): { readonly catalog: string; readonly classes: readonly string[] } {
  let header: { weirDemand?: unknown; catalog?: unknown; classes?: unknown } | null
  try {
    header = JSON.parse(line) as typeof header
  } catch {
    throw new RangeError('demand: the first line is not JSON')
  }
  const { weirDemand, catalog, classes } = header ?? {}
  if ((weirDemand !== 1 && weirDemand !== 2) || typeof catalog !== 'string')
    throw new RangeError('demand: not a demand blob of version 1 or 2')
  if (weirDemand === 1) return { catalog, classes: [] }
  if (!isClassList(classes)) throw new RangeError(`demand: the header must name 1 to ${MAX_DEMAND_CLASSES} classes`)
  return { catalog, classes }
}

function isClassList(value: unknown): value is readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_DEMAND_CLASSES) return false
  return new Set(value).size === value.length && value.every((name) => typeof name === 'string')
}
