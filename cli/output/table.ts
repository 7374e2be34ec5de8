import type { JsonObject, ObjectMeta } from '../../crds/metadata.ts'
import { escapeTerminal } from './escape.ts'
import { goSprintNumber } from './go-number.ts'
import { printJson } from './json.ts'
import type { TabWriter } from './tab-writer.ts'

/** metav1.Table, as a server answers `as=Table`. */
export interface Table {
  readonly kind: 'Table'
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string }
  readonly columnDefinitions?: readonly ColumnDefinition[] | null
  readonly rows?: readonly TableRow[] | null
}

export interface ColumnDefinition {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly priority?: number
}

export interface TableRow {
  readonly cells: readonly unknown[]
  readonly object?: (JsonObject & { readonly metadata?: ObjectMeta }) | null
}

export interface TableOptions {
  readonly wide: boolean
  readonly noHeaders: boolean
  readonly withNamespace: boolean
  /** Prefix of names, such as `appliance.fleet.weir.dev/`. */
  readonly namePrefix: string
  readonly showLabels: boolean
  /** Labels that are shown as columns. */
  readonly labelColumns: readonly string[]
}

export const EVENT_WIDTH: Readonly<Record<string, string>> = {
  ADDED: 'ADDED   ',
  MODIFIED: 'MODIFIED',
  DELETED: 'DELETED ',
  ERROR: 'ERROR   ',
}

/** Writes tables of one kind of object as kubectl does; the headers once, and again when a table's columns differ. */
export class TablePrinter {
  readonly #options: TableOptions
  #columns: readonly ColumnDefinition[] = []
  #printedHeaders = false

  constructor(options: TableOptions) {
    this.#options = options
  }

  /** `eventType` is shown as a first column where watch events are asked for. */
  print(table: Table, writer: TabWriter, eventType?: string): void {
    const columns = table.columnDefinitions ?? []
    // A watch sends the columns with its first event only.
    if (columns.length > 0 && !sameColumns(columns, this.#columns)) {
      this.#columns = columns
      this.#printedHeaders = false
    }
    const rows = table.rows ?? []
    if (rows.length === 0) return
    if (!this.#options.noHeaders && !this.#printedHeaders) writer.line(this.#headers(eventType !== undefined))
    this.#printedHeaders = true
    for (const row of rows) writer.line(this.#cells(row, eventType))
  }

  #shown(index: number): boolean {
    return this.#options.wide || !this.#columns[index]!.priority
  }

  #headers(withEvent: boolean): string[] {
    const { withNamespace, labelColumns, showLabels } = this.#options
    return [
      ...(withEvent ? ['EVENT'] : []),
      ...(withNamespace ? ['NAMESPACE'] : []),
      ...this.#columns.filter((_, index) => this.#shown(index)).map((column) => column.name.toUpperCase()),
      ...labelColumns.map((label) => label.slice(label.lastIndexOf('/') + 1).toUpperCase()),
      ...(showLabels ? ['LABELS'] : []),
    ]
  }

  #cells(row: TableRow, eventType: string | undefined): string[] {
    const { withNamespace, namePrefix, labelColumns, showLabels } = this.#options
    const metadata = row.object?.metadata
    const nameColumn =
      namePrefix === '' ? -1 : this.#columns.findIndex((c) => c.format === 'name' && c.type === 'string')
    const cells = row.cells
      .slice(0, this.#columns.length)
      .map((cell, index) => cellText(index === nameColumn ? namePrefix + String(cell) : cell))
    return [
      ...(eventType === undefined ? [] : [EVENT_WIDTH[eventType] ?? eventType]),
      ...(withNamespace ? [cellText(metadata?.namespace ?? '')] : []),
      ...cells.filter((_, index) => this.#shown(index)),
      ...labelColumns.map((label) => cellText(metadata?.labels?.[label] ?? '')),
      ...(showLabels ? [cellText(labelsText(metadata?.labels))] : []),
    ]
  }
}

function sameColumns(a: readonly ColumnDefinition[], b: readonly ColumnDefinition[]): boolean {
  return a.length === b.length && JSON.stringify(a) === JSON.stringify(b)
}

/** A cell on one line: cut at the first line break, with nothing in it that moves the cursor. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'string') return escapeTerminal(sprint(value))
  const end = value.search(/[\f\n\r]/)
  return end < 0 ? escapeTerminal(value) : `${escapeTerminal(value.slice(0, end))}...`
}

/** A value as Go's `fmt.Sprint` writes what it read from JSON. */
export function sprint(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (typeof value === 'number') return goSprintNumber(value)
  if (Array.isArray(value)) return `[${value.map(sprint).join(' ')}]`
  if (typeof value !== 'object') return String(value)
  const entries = Object.entries(value as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${entries.map(([key, item]) => `${key}:${sprint(item)}`).join(' ')}]`
}

function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.length === 0 ? '<none>' : entries.map(([key, value]) => `${key}=${value}`).join(',')
}

/** For callers that print one value: lists and maps as JSON on one line, the rest as text. */
export function inlineText(value: unknown): string {
  return typeof value === 'object' && value !== null ? printJson(value, '') : sprint(value)
}
