import type { Io } from '../io.ts'
import type { Place } from '../manifests/source-text.ts'
import { visible } from '../output/escape.ts'
import { checkoutFile, type Level, workflowCommand } from '../output/workflow-command.ts'
import { type Entry, objectRef, type Report, summaryText } from './report.ts'
import { valueText } from './text.ts'

/** GitHub shows ten annotations of a level per step: beyond that a file's objects share one. */
const MOST_ANNOTATIONS = 10
/** Fields of one object that an annotation names. */
const SHOWN_FIELDS = 20

/** Annotations for a workflow's log: a notice where the manifests change something, a warning for what is pruned. */
export function githubText(report: Report, where: Where): string {
  const { entries, kept } = report
  if (entries.length === 0) return ''
  const written = entries.filter(({ place }) => place !== undefined)
  const notices =
    written.length <= MOST_ANNOTATIONS
      ? written.map((entry) => noticeOf(entry, where))
      : [...byFile(written)].map((group) => noticeOfFile(group, where))
  const pruned = entries.filter(({ action }) => action === 'prune').map(titleOf)
  return [
    ...notices,
    ...(pruned.length === 0
      ? []
      : [annotation('warning', undefined, `${pruned.length} to prune`, pruned.join('\n'), where)]),
    ...(kept.length === 0
      ? []
      : [
          annotation(
            'notice',
            undefined,
            `${kept.length} kept that are not in the manifests`,
            kept.map((orphan) => `${objectRef(orphan)}: ${orphan.reason}`).join('\n'),
            where,
          ),
        ]),
    annotation('notice', undefined, 'weir diff', summaryText(report), where),
  ]
    .map((line) => `${visible(line)}\n`)
    .join('')
}

/** What file names are relative to, and where the checkout is. */
type Where = Pick<Io, 'cwd' | 'env'>

function annotation(level: Level, place: Place | undefined, title: string, text: string, where: Where): string {
  const file = place && checkoutFile(place.file, where)
  const at = place && file !== undefined ? { file, line: place.line, col: place.column } : {}
  return workflowCommand(level, { ...at, title }, text)
}

function noticeOf(entry: Entry, where: Where): string {
  const [first] = entry.fields
  const place = entry.fields.length === 1 ? (first?.place ?? entry.place) : entry.place
  return annotation('notice', place, titleOf(entry), fieldsText(entry), where)
}

function noticeOfFile([file, entries]: [string, readonly Entry[]], where: Where): string {
  const text = entries.map((entry) => `${entry.place?.line}: ${titleOf(entry)}`).join('\n')
  return annotation('notice', entries[0]?.place, `${file}: ${entries.length} objects differ`, text, where)
}

const byFile = (entries: readonly Entry[]) => Map.groupBy(entries, ({ place }) => place?.file ?? '')

const WORDS = { create: 'is created', update: 'changes', prune: 'is pruned' } as const

const titleOf = (entry: Entry) =>
  `${objectRef(entry)}${entry.namespace === undefined ? '' : ` in ${entry.namespace}`} ${WORDS[entry.action]}`

function fieldsText({ action, fields }: Entry): string {
  if (action === 'create') return 'it does not exist yet'
  const lines = fields
    .slice(0, SHOWN_FIELDS)
    .map(({ path, before, after }) => `${path}: ${valueText(before)} → ${valueText(after)}`)
  const more = fields.length > SHOWN_FIELDS ? [`… and ${fields.length - SHOWN_FIELDS} more`] : []
  return [...lines, ...more].join('\n')
}
