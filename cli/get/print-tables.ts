import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { qualifiedKind } from '../api/discovery.ts'
import { humanDuration } from '../duration.ts'
import { TabWriter } from '../output/tab-writer.ts'
import { type Table, type TableOptions, TablePrinter } from '../output/table.ts'
import type { GetFlags } from './options.ts'
import type { Answer } from './read.ts'
import { sortBy } from './sort.ts'

/** All answers as tables, one per resource, separated by empty lines. Empty where there are no rows. */
export function printTables(answers: readonly Answer[], flags: GetFlags, wide: boolean): string {
  const kinds = new Set(answers.map(({ resource }) => `${resource.group}/${resource.version}/${resource.kind}`))
  const writer = new TabWriter()
  let text = ''
  let printer: TablePrinter | undefined
  let last: Answer['resource'] | undefined
  // As in kubectl, what comes after a namespaced type has the NAMESPACE column too.
  let withNamespace = false
  const flush = () => {
    const part = writer.flush()
    if (part !== '' && text !== '' && flags.headers !== false) text += '\n'
    text += part
    writer.forgetWidths()
  }
  for (const { resource, body } of answers) {
    if (!printer || last?.plural !== resource.plural || last.group !== resource.group) {
      flush()
      withNamespace ||= flags.allNamespaces === true && resource.namespaced
      printer = new TablePrinter({ ...tableOptions(flags, wide, resource, kinds.size > 1), withNamespace })
      last = resource
    }
    printer.print(sorted(asTable(body), flags.sortBy), writer)
  }
  flush()
  return text
}

export function tableOptions(
  flags: GetFlags,
  wide: boolean,
  resource: Answer['resource'],
  withKind: boolean,
): TableOptions {
  return {
    wide,
    noHeaders: flags.headers === false,
    withNamespace: flags.allNamespaces === true && resource.namespaced,
    namePrefix: withKind || flags.showKind ? `${qualifiedKind(resource)}/` : '',
    showLabels: flags.showLabels ?? false,
    labelColumns: flags.labelColumns ?? [],
  }
}

function sorted(table: Table, expression: string | undefined): Table {
  if (expression === undefined || (table.rows ?? []).length < 2) return table
  return { ...table, rows: sortBy(table.rows ?? [], expression, (row) => row.object) }
}

/** The answer as a table; what a server gave as plain objects is shown by name and age. */
export function asTable(body: JsonObject): Table {
  if (body.kind === 'Table') return body as unknown as Table
  const objects = (Array.isArray(body.items) ? body.items : [body]) as unknown as readonly (KubeObject & JsonObject)[]
  return {
    kind: 'Table',
    metadata: { resourceVersion: String((body.metadata as JsonObject | undefined)?.resourceVersion ?? '') },
    columnDefinitions: [
      { name: 'Name', type: 'string', format: 'name' },
      { name: 'Age', type: 'string' },
    ],
    rows: objects.map((object) => ({
      cells: [object.metadata.name, ageOf(object.metadata.creationTimestamp)],
      object,
    })),
  }
}

/** Time since an RFC 3339 timestamp. */
export function ageOf(timestamp: string | undefined): string {
  return timestamp === undefined ? '<unknown>' : humanDuration(Date.now() - Date.parse(timestamp))
}
