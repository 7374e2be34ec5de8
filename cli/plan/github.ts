import type { Io } from '../io.ts'
import { checkoutFile, type Level, workflowCommand } from '../output/workflow-command.ts'
import type { PlanDocument } from './document.ts'
import { gateLine, namer, planText, stallLine, valueText } from './text.ts'

/** The plan as a job's log: the text, and an annotation at every place that changes something, and for every gate that refuses. */
export function githubText(document: PlanDocument, where: Where): string {
  const { changes, fleet, gates } = document
  const name = namer(changes)
  const annotations = [
    ...changes.flatMap((change) => {
      const title = `${name(change)} to ${change.action}`
      if (change.fields.length === 0) return [annotation('notice', change.place, title, change.reason ?? title, where)]
      return change.fields.map(({ path, before, after, place }) =>
        annotation(
          'notice',
          place ?? change.place,
          title,
          `${path}: ${valueText(before)} → ${valueText(after)}`,
          where,
        ),
      )
    }),
    ...fleet.stalls.map((stall) => annotation('warning', undefined, 'stalls', stallLine(stall), where)),
    ...gates
      .filter(({ verdict }) => verdict !== 'passed')
      .map((gate) => annotation('error', undefined, 'gate', gateLine(gate, fleet.sites), where)),
  ]
  return `${planText(document)}${annotations.map((line) => `${line}\n`).join('')}`
}

/** What file names are relative to, and where the checkout is. */
type Where = Pick<Io, 'cwd' | 'env'>

function annotation(level: Level, place: string | undefined, title: string, text: string, where: Where): string {
  const [, file, line, col] = /^(.*):(\d+):(\d+)$/.exec(place ?? '') ?? []
  const named = file === undefined ? undefined : checkoutFile(file, where)
  return workflowCommand(level, { ...(named === undefined ? {} : { file: named, line, col }), title }, text)
}
