import type { PlanDocument } from './document.ts'
import {
  detailLines,
  gateLine,
  namer,
  notesOf,
  POLICY_COLUMNS,
  policyCells,
  SITE_COLUMNS,
  severalNamespaces,
  siteCells,
  stallLine,
  summaryText,
  valueText,
} from './text.ts'

/** What a comment on GitHub may have, in characters. */
const LONGEST = 65_536
/** By which a later run finds its comment. */
const MARKER = '<!-- weir plan -->'
/** Rows of each table; where that is too long, fewer. */
const ROWS = [200, 100, 50, 20, 10, 5]

/** The plan as a comment on a pull request; rows for which there is no room are counted. */
export function markdownText(document: PlanDocument): string {
  for (const rows of ROWS) {
    const text = withRows(document, rows)
    if (text.length <= LONGEST) return text
  }
  return `${withRows(document, 5)
    .slice(0, LONGEST - 2)
    .toWellFormed()}…\n`
}

function withRows(document: PlanDocument, most: number): string {
  const { changes, fleet, gates } = document
  const name = namer(changes)
  const signs = { add: '+', change: '~', delete: '-' } as const
  const changeRows = changes.flatMap((change) => {
    const head = [signs[change.action], name(change)]
    if (change.fields.length === 0) return [[...head, '', change.reason ?? '', change.place ?? '']]
    return change.fields.map(({ path, before, after, place }) => [
      ...head,
      path,
      `${valueText(before)} → ${valueText(after)}`,
      place ?? '',
    ])
  })
  const several = severalNamespaces(fleet.sites)
  const told = fleet.policies.filter(({ plan }) => plan !== 'unchanged')
  const refused = gates.some(({ verdict }) => verdict !== 'passed')
  const blocks = [
    MARKER,
    `### weir plan: ${refused ? 'refused' : summaryText(document)}`,
    ...(refused ? [summaryText(document)] : []),
    list(
      most,
      gates.map((gate) => `${gate.verdict === 'passed' ? '✅' : '❌'} ${gateLine(gate, fleet.sites)}`),
    ),
    table(most, ['', 'Object', 'Field', 'Change', 'Where'], changeRows),
    table(
      most,
      SITE_COLUMNS,
      fleet.sites.map((site) => siteCells(site, several)),
    ),
    list(most, detailLines(fleet.sites)),
    table(most, POLICY_COLUMNS, told.map(policyCells)),
    list(most, [...fleet.stalls.map(stallLine), ...notesOf(document)]),
  ]
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`
}

function table(most: number, columns: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const line = (cells: readonly string[]) => `| ${cells.map(cellText).join(' | ')} |`
  const more = rows.length > most ? [`\n… and ${rows.length - most} more rows`] : []
  return [line(columns), `|${columns.map(() => ' --- |').join('')}`, ...rows.slice(0, most).map(line), ...more].join(
    '\n',
  )
}

function list(most: number, lines: readonly string[]): string {
  const more = lines.length > most ? [`- … and ${lines.length - most} more`] : []
  return [...lines.slice(0, most).map((line) => `- ${cellText(line)}`), ...more].join('\n')
}

/** Text that GitHub shows as it is: no markup, no mention of anybody, no link. */
function cellText(text: string): string {
  return text.replace(/[\\`*_{}[\]<>()#+!|~@]/g, '\\$&').replace(/[\r\n\t]/g, ' ')
}
