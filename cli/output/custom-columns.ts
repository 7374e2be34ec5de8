import { usageError } from '../exit.ts'
import { escapeTerminal } from './escape.ts'
import { compileJsonPath, type JsonPath } from './jsonpath/evaluate.ts'
import { TabWriter } from './tab-writer.ts'
import { sprint } from './table.ts'

interface Column {
  readonly header: string
  readonly path: JsonPath
}

/**
 * `metadata.name`, `.metadata.name`, `{metadata.name}` and `{.metadata.name}` all mean the last. Throws a usage error on anything else.
 */
export function relaxedJsonPath(expression: string): string {
  if (expression === '') return ''
  const match = /^\{\.?([^{}]+)\}$|^\.?([^{}]+)$/.exec(expression)
  if (!match) {
    throw usageError(
      "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'",
    )
  }
  return `{.${match[1] ?? match[2]}}`
}

/** `HEADER:path,HEADER:path`. Throws a usage error. */
export function parseColumns(spec: string): readonly Column[] {
  if (spec === '') throw usageError('custom-columns format specified but no custom columns given')
  return spec.split(',').map((part) => {
    const colon = part.indexOf(':')
    if (colon < 0) throw usageError(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`)
    return column(part.slice(0, colon), part.slice(colon + 1))
  })
}

/** A template of two lines: headers, and a path below each. Throws a usage error. */
export function parseColumnsFile(text: string): readonly Column[] {
  const [headers = [], paths = []] = text
    .split('\n')
    .slice(0, 2)
    .map((line) => line.split(/\s+/).filter((word) => word !== ''))
  if (paths.length === 0) {
    throw usageError(
      'invalid template: expected one line of space separated headers, one line of space separated column specs',
    )
  }
  if (headers.length !== paths.length) {
    throw usageError(`number of headers (${headers.length}) and field specifications (${paths.length}) don't match`)
  }
  return headers.map((header, index) => column(header, paths[index]!))
}

function column(header: string, path: string): Column {
  return { header, path: compileJsonPath(relaxedJsonPath(path), { allowMissingKeys: true }) }
}

/** One line of a custom-columns table for an object. */
export function columnCells(columns: readonly Column[], object: unknown): string[] {
  return columns.map(({ path }) => {
    const values = path.find(object)
    const texts = values.flatMap((results) => results.map((value) => escapeTerminal(sprint(value))))
    return (values.length === 0 || values[0]!.length === 0 ? ['<none>', ...texts] : texts).join(',')
  })
}

/** The whole table. */
export function printColumns(columns: readonly Column[], objects: readonly unknown[], noHeaders: boolean): string {
  const writer = new TabWriter()
  if (!noHeaders) writer.line(columns.map(({ header }) => header))
  for (const object of objects) writer.line(columnCells(columns, object))
  return writer.flush()
}
