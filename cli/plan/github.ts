import type { Io } from '../io.ts'
import { visible } from '../output/escape.ts'
import { checkoutFile, type Level, workflowCommand } from '../output/workflow-command.ts'
import type { PlanDocument, PlannedChange } from './document.ts'
import { gateLine, namer, planText, stallLine, summaryText, valueText } from './text.ts'

/** GitHub shows ten annotations of a level per step. */
const MOST_NOTICES = 9

/** What file names are relative to, and where the checkout is. */
type Where = Pick<Io, 'cwd' | 'env'>

/** The plan as a job's log: the text, and annotations where files change something, of what stalls, and of gates that refuse. */
export function githubText(document: PlanDocument, where: Where): string {
  const { changes, fleet, gates } = document
  const notices = changes.flatMap((change) => noticesOf(change, namer(changes)(change), where))
  const lines = [
    ...notices.slice(0, MOST_NOTICES),
    annotation('notice', undefined, 'weir plan', summaryText(document), where),
    ...fleet.stalls.map((stall) => annotation('warning', undefined, 'stalls', stallLine(stall), where)),
    ...gates
      .filter(({ verdict }) => verdict !== 'passed')
      .map((gate) => annotation('error', undefined, 'gate', gateLine(gate, fleet.sites), where)),
  ]
  return `${planText(document)}${lines.map((line) => `${visible(line)}\n`).join('')}`
}

function noticesOf(change: PlannedChange, name: string, where: Where): string[] {
  const title = `${name} to ${change.action}`
  if (change.fields.length === 0) return [annotation('notice', change.place, title, change.reason ?? title, where)]
  return change.fields.map(({ path, before, after, place }) =>
    annotation('notice', place ?? change.place, title, `${path}: ${valueText(before)} → ${valueText(after)}`, where),
  )
}

function annotation(level: Level, place: string | undefined, title: string, text: string, where: Where): string {
  const [, name = '', line, col] = /^(.*):(\d+):(\d+)$/s.exec(place ?? '') ?? []
  const file = name === '' ? undefined : checkoutFile(name, where)
  return workflowCommand(level, { ...(file === undefined ? {} : { file, line, col }), title }, text)
}
