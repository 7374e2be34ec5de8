import type { PlanDocument } from './document.ts'
import {
  detailLines,
  gateLine,
  namer,
  POLICY_COLUMNS,
  policyCells,
  SITE_COLUMNS,
  severalNamespaces,
  siteCells,
  stallLine,
  summaryText,
  valueText,
} from './text.ts'

/** A comment takes 65,536 characters; rows beyond this are counted. */
const ROWS = 100

/** The plan as a comment on a pull request. */
export function markdownText(document: PlanDocument): string {
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
    `### weir plan: ${refused ? 'refused' : summaryText(document)}`,
    ...(refused ? [summaryText(document)] : []),
    list(gates.map((gate) => `${gate.verdict === 'passed' ? '✅' : '❌'} ${gateLine(gate, fleet.sites)}`)),
    table(['', 'Object', 'Field', 'Change', 'Where'], changeRows),
    table(
      SITE_COLUMNS,
      fleet.sites.map((site) => siteCells(site, several)),
    ),
    list(detailLines(fleet.sites)),
    table(POLICY_COLUMNS, told.map(policyCells)),
    list([...fleet.stalls.map(stallLine), ...fleet.notes]),
  ]
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const line = (cells: readonly string[]) => `| ${cells.map(cellText).join(' | ')} |`
  const more = rows.length > ROWS ? [`\n… and ${rows.length - ROWS} more rows`] : []
  return [line(columns), `|${columns.map(() => ' --- |').join('')}`, ...rows.slice(0, ROWS).map(line), ...more].join(
    '\n',
  )
}

function list(lines: readonly string[]): string {
  const more = lines.length > ROWS ? [`- … and ${lines.length - ROWS} more`] : []
  return [...lines.slice(0, ROWS).map((line) => `- ${cellText(line)}`), ...more].join('\n')
}

/** Text that GitHub shows as it is: no markup, no mention of anybody, no link. */
function cellText(text: string): string {
  return text.replace(/[\\`*_{}[\]<>()#+!|~@]/g, '\\$&').replace(/[\r\n\t]/g, ' ')
}
