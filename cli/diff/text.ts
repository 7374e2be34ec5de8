import { visible, visibleLine } from '../output/escape.ts'
import { printJson } from '../output/json.ts'
import { TabWriter } from '../output/tab-writer.ts'
import { type Entry, fileLabel, objectRef, placeOf, type Report, summaryText } from './report.ts'

/** Unified diffs, as kubectl's. With `all`, each is followed by who makes what differ, and what others own. */
export function diffText({ entries }: Report, all: boolean): string {
  return entries.map((entry) => visible(unifiedText(entry)) + (all ? fieldLines(entry) : '')).join('')
}

export function unifiedText(entry: Entry): string {
  const label = fileLabel(entry)
  const from = entry.before ? `live/${label}` : '/dev/null'
  const to = entry.after || entry.action !== 'prune' ? `merged/${label}` : '/dev/null'
  return `--- ${from}\n+++ ${to}\n${entry.diff}`
}

function fieldLines({ fields }: Entry): string {
  if (fields.length === 0) return ''
  const writer = new TabWriter({ minWidth: 0, padding: 2, remember: false })
  for (const { path, before, after, class: of, manager, place } of fields) {
    const who = manager === undefined ? of : of === 'yours' ? `yours, from ${manager}` : `${of}(${manager})`
    const same = of === 'foreign' && printJson(before, '') === printJson(after, '')
    const values = same ? `kept: ${valueText(after)}` : `${valueText(before)} → ${valueText(after)}`
    writer.line([`# ${visibleLine(path)}`, who, visibleLine(values), visibleLine(placeOf(place))])
  }
  return `${writer
    .flush()
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join('\n')}\n`
}

const SHOWN_VALUE = 80

/** A value on one line; `-` where there is none. */
export function valueText(value: unknown): string {
  if (value === undefined) return '-'
  const text = typeof value === 'string' ? value : printJson(value, '')
  return text.length > SHOWN_VALUE ? `${text.slice(0, SHOWN_VALUE).toWellFormed()}…` : text
}

/** How much of every object differs, as `git diff --stat` tells it. */
export function statText(report: Report): string {
  const { entries } = report
  if (entries.length === 0) return ''
  const rows = entries.map((entry) => ({ name: statName(entry), ...countLines(entry.diff) }))
  const width = Math.max(...rows.map(({ name }) => name.length))
  const most = Math.max(...rows.map(({ added, removed }) => added + removed))
  const digits = String(most).length
  const lines = rows.map(({ name, added, removed }) => {
    const [plus, minus] = [added, removed].map((count) => bar(count, most))
    return ` ${name.padEnd(width)} | ${String(added + removed).padStart(digits)} ${'+'.repeat(plus!)}${'-'.repeat(minus!)}`
  })
  return `${lines.map((line) => visibleLine(line.trimEnd())).join('\n')}\n ${summaryText(report)}\n`
}

const BAR_WIDTH = 40

/** Something is never shown as nothing. */
const bar = (count: number, most: number) =>
  most <= BAR_WIDTH || count === 0 ? count : Math.max(1, Math.round((count * BAR_WIDTH) / most))

const statName = (entry: Entry) =>
  entry.namespace === undefined ? objectRef(entry) : `${entry.namespace} ${objectRef(entry)}`

function countLines(diff: string): { readonly added: number; readonly removed: number } {
  const lines = diff.split('\n')
  return {
    added: lines.filter((line) => line.startsWith('+')).length,
    removed: lines.filter((line) => line.startsWith('-')).length,
  }
}

/** `site.fleet.weir.dev/fra1` of every object that differs. */
export function nameText({ entries }: Report): string {
  return entries.map((entry) => `${visibleLine(objectRef(entry))}\n`).join('')
}

const COLOURS: Readonly<Record<string, string>> = { '+': '32', '-': '31', '@': '36', '#': '2' }

export function coloured(text: string): string {
  return text.replace(/^([-+@#]).*$/gm, (line, mark: string) => `\u001b[${COLOURS[mark]}m${line}\u001b[0m`)
}
