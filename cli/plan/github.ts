import type { PlanDocument } from './document.ts'
import { gateLine, namer, planText, stallLine, valueText } from './text.ts'

/** The plan as a job's log: the text, and an annotation at every place that changes something, and for every gate that refuses. */
export function githubText(document: PlanDocument): string {
  const { changes, fleet, gates } = document
  const name = namer(changes)
  const annotations = [
    ...changes.flatMap((change) => {
      const title = `${name(change)} to ${change.action}`
      if (change.fields.length === 0) return [annotation('notice', change.place, title, change.reason ?? title)]
      return change.fields.map(({ path, before, after, place }) =>
        annotation('notice', place ?? change.place, title, `${path}: ${valueText(before)} → ${valueText(after)}`),
      )
    }),
    ...fleet.stalls.map((stall) => annotation('warning', undefined, 'stalls', stallLine(stall))),
    ...gates
      .filter(({ verdict }) => verdict !== 'passed')
      .map((gate) => annotation('error', undefined, 'gate', gateLine(gate, fleet.sites))),
  ]
  return `${planText(document)}${annotations.map((line) => `${line}\n`).join('')}`
}

function annotation(
  level: 'notice' | 'warning' | 'error',
  place: string | undefined,
  title: string,
  text: string,
): string {
  const [, file, line, column] = /^(.*):(\d+):(\d+)$/.exec(place ?? '') ?? []
  const at = file === undefined ? [] : [`file=${property(file)}`, `line=${line}`, `col=${column}`]
  return `::${level} ${[...at, `title=${property(title)}`].join(',')}::${data(text)}`
}

/** Source: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts */
const data = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const property = (text: string) => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
