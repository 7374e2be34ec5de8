import { humanDuration } from '../duration.ts'
import { usageError } from '../exit.ts'
import { didYouMean } from '../manifests/suggest.ts'
import { visibleLine } from '../output/escape.ts'
import { bytesText } from '../output/quantity.ts'
import { TabWriter } from '../output/tab-writer.ts'
import type { Row } from './rows.ts'

const BAR_CELLS = 10

interface Column {
  readonly header: string
  readonly text: (row: Row, bars: boolean) => string
  /** What it is sorted by; numbers biggest first, what is not known last. */
  readonly by: (row: Row) => string | number | undefined
}

const percent = (share: number | undefined) => (share === undefined ? '-' : `${Math.floor(share * 100)}%`)

function gauge(share: number | undefined, bars: boolean): string {
  if (!bars || share === undefined) return percent(share)
  const cells = Math.floor(share * BAR_CELLS)
  return `${'█'.repeat(cells)}${'░'.repeat(BAR_CELLS - cells)} ${percent(share)}`
}

const name: Column = { header: 'NAME', text: (row) => row.name, by: (row) => row.name }
const online: Column = { header: 'ONLINE', text: (row) => row.online, by: (row) => row.onlineShare }
const PROGRESS: readonly Column[] = [
  { header: 'FILLED', text: (row, bars) => gauge(row.filled, bars), by: (row) => row.filled },
  { header: 'HELD', text: (row) => bytesText(row.heldBytes), by: (row) => row.heldBytes },
  { header: 'LEFT', text: (row) => bytesText(row.leftBytes), by: (row) => row.leftBytes },
  {
    header: 'RATE',
    text: ({ bytesPerSecond }) => (bytesPerSecond === undefined ? '-' : `${bytesText(bytesPerSecond)}/s`),
    by: (row) => row.bytesPerSecond,
  },
  {
    header: 'ETA',
    text: ({ etaSeconds, filled }) =>
      filled === undefined || etaSeconds === undefined
        ? '-'
        : etaSeconds === 0
          ? 'done'
          : humanDuration(etaSeconds * 1000),
    by: (row) => (row.leftBytes > 0 && row.etaSeconds === undefined ? Number.POSITIVE_INFINITY : row.etaSeconds),
  },
  { header: 'STORAGE', text: (row, bars) => gauge(row.storage, bars), by: (row) => row.storage },
  { header: 'FAILING', text: (row) => String(row.failing), by: (row) => row.failing },
]

const COLUMNS: Readonly<Record<'sites' | 'appliances', readonly Column[]>> = {
  appliances: [
    name,
    { header: 'SITE', text: (row) => row.site ?? '', by: (row) => row.site },
    { header: 'PHASE', text: (row) => row.phase || '-', by: (row) => row.phase },
    online,
    ...PROGRESS,
  ],
  sites: [
    name,
    { header: 'TIER', text: (row) => row.tier ?? '', by: (row) => row.tier },
    online,
    { header: 'READY', text: (row) => row.ready ?? '', by: (row) => row.ready },
    ...PROGRESS,
  ],
}

export interface TopTable {
  readonly of: 'sites' | 'appliances'
  readonly sortBy: string
  readonly withNamespace: boolean
  readonly headers: boolean
  /** Shares as bars, for terminals. */
  readonly bars: boolean
}

/** Throws a usage error where there is no such column. */
export function checkSortColumn(of: TopTable['of'], sortBy: string): void {
  const names = COLUMNS[of].map(({ header }) => header.toLowerCase())
  if (!names.includes(sortBy.toLowerCase()))
    throw usageError(`--sort-by must be ${names.join(', ')}${didYouMean(sortBy, names)}`)
}

/** The table, each line ended. */
export function topTable(rows: readonly Row[], { of, sortBy, withNamespace, headers, bars }: TopTable): string {
  const columns = COLUMNS[of]
  const key = columns.find(({ header }) => header.toLowerCase() === sortBy.toLowerCase()) ?? name
  const sorted = [...rows].sort(
    (a, b) => compare(key.by(a), key.by(b)) || compare(a.namespace, b.namespace) || compare(a.name, b.name),
  )
  const writer = new TabWriter()
  if (headers) writer.line([...(withNamespace ? ['NAMESPACE'] : []), ...columns.map(({ header }) => header)])
  for (const row of sorted) {
    const cells = columns.map((column) => visibleLine(column.text(row, bars)))
    writer.line([...(withNamespace ? [row.namespace] : []), ...cells])
  }
  return writer.flush()
}

function compare(a: string | number | undefined, b: string | number | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined)
  if (typeof a === 'number' && typeof b === 'number') return a === b ? 0 : b - a
  return a < b ? -1 : a > b ? 1 : 0
}
