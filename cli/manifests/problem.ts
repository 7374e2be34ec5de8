import { CliError, ExitCode } from '../exit.ts'
import { visible } from '../output/escape.ts'
import { codePoints, type Place, placeText, type SourceText } from './source-text.ts'

/** What kind of thing is wrong with a manifest as such; stable names for machine-readable output. `weir validate` adds those of its rules. */
export type ProblemCode =
  | 'unreadable'
  | 'syntax'
  | 'number'
  | 'not-an-object'
  | 'type-meta'
  | 'kustomization'
  | 'unknown-kind'
  | 'unknown-field'
  | 'invalid'
  | 'duplicate'

/** Which object a problem is of, as far as the manifest says. */
export interface ObjectName {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
}

/** One thing wrong with the manifests. Offsets are into `source.text`; without a source the problem is of a file as a whole. */
export interface Problem<Code extends string = ProblemCode> {
  readonly code: Code
  /** Absent: an error. */
  readonly severity?: 'warning' | 'note'
  readonly message: string
  readonly file: string
  readonly at?: { readonly source: SourceText; readonly start: number; readonly end: number }
  /** The field, as Kubernetes writes it: `spec.windows[0].start`. */
  readonly field?: string
  readonly object?: ObjectName
  /** What was likely meant, in place of what `at` spans. The message says it too. */
  readonly suggestion?: string
  /** Another place that matters, such as the first of two duplicates. */
  readonly related?: { readonly message: string; readonly place: Place }
}

/** The longest part of a source line that is shown; a line of a megabyte is windowed around the caret. */
const SHOWN_COLUMNS = 120

/**
 * A problem as text:
 *
 *     sites/fra.yaml:14:5: error: spec.capactyGbps: unknown field; did you mean "capacityGbps"?
 *     14 |     capactyGbps: 4
 *        |     ^^^^^^^^^^^
 *
 * Warnings and notes end in the name of their rule, by which they can be left out.
 */
export function renderProblem(problem: Problem<string>): string {
  const { severity = 'error', field, message } = problem
  const rule = problem.severity === undefined ? '' : ` [${problem.code}]`
  const what = `${severity}: ${field ? `${visible(field)}: ` : ''}${visible(message)}${rule}`
  const related = problem.related
    ? `${visible(placeText(problem.related.place))}: note: ${problem.related.message}\n`
    : ''
  if (!problem.at) return `${visible(problem.file)}: ${what}\n${related}`
  const { source, start, end } = problem.at
  const place = source.placeAt(start)
  return `${visible(placeText(place))}: ${what}\n${excerpt(source, place, start, end)}${related}`
}

function excerpt(source: SourceText, place: Place, start: number, end: number): string {
  const { text } = source
  const line = source.lineSpan(place.line)
  const windowed = place.column - 1 > SHOWN_COLUMNS - 20
  // Lines may be megabytes long: only what is shown is looked at. A character has at most two units.
  const from = windowed ? characterBefore(text, start, 40) : line.start
  const until = Math.min(line.end, from + 2 * SHOWN_COLUMNS)
  const shown = [...text.slice(from, until)].slice(0, SHOWN_COLUMNS)
  const before = windowed ? '…' : ''
  const after = from + shown.join('').length < line.end ? '…' : ''
  const lead = shown.slice(0, codePoints(text, from, start))
  const length = codePoints(text, start, Math.min(end, line.end, start + 2 * SHOWN_COLUMNS))
  const marked = Math.max(1, Math.min(length, shown.length - lead.length))
  const number = String(place.line)
  const padding = lead.map((c) => (c === '\t' ? '\t' : ' '.repeat(visible(c).length))).join('')
  return (
    `${number} | ${before}${visible(shown.join(''))}${after}\n` +
    `${' '.repeat(number.length)} | ${before ? ' ' : ''}${padding}${'^'.repeat(marked)}\n`
  )
}

/** So many characters before an offset. */
function characterBefore(text: string, offset: number, count: number): number {
  let at = offset
  for (let left = count; left > 0; left--) {
    const unit = text.charCodeAt(at - 1)
    at -= unit >= 0xdc00 && unit <= 0xdfff ? 2 : 1
  }
  return at
}

/** At most this many problems are shown; the rest is counted. */
const SHOWN_PROBLEMS = 50

/** Ends the command with exit code 2 and every problem; programs that read events want them one by one. */
export class ManifestError extends CliError {
  readonly problems: readonly Problem[]
  constructor(message: string, problems: readonly Problem[]) {
    super(ExitCode.usage, message, { raw: true })
    this.problems = problems
  }
}

/** All problems, in the order they were found. `so`: what that means, such as `; nothing was applied`. */
export function manifestError(problems: readonly Problem[], so = ''): ManifestError {
  const shown = problems.slice(0, SHOWN_PROBLEMS).map(renderProblem).join('')
  const more = problems.length > SHOWN_PROBLEMS ? `… and ${problems.length - SHOWN_PROBLEMS} more\n` : ''
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  return new ManifestError(`${shown}${more}error: ${count} in the manifests${so}\n`, problems)
}
