import type { Problem } from '../../manifests/problem.ts'
import type { Report } from '../report.ts'
import { severityOf } from '../report.ts'
import { regionOf } from './positions.ts'

/** One JSON document; its form is documented in docs/validate.md and only ever gains fields. */
export function* printJsonReport({ files, objects, problems, counts, rulesLeftOut }: Report): Generator<string> {
  const summary = {
    files: files.length,
    objects: objects.length,
    checked: objects.filter(({ checked }) => checked).length,
    errors: counts.error,
    warnings: counts.warning,
    notes: counts.note,
    objectsWithRulesNotRun: rulesLeftOut,
  }
  yield `{\n  "valid": ${counts.error === 0},\n  "summary": ${JSON.stringify(summary)},\n  "problems": [`
  let separator = '\n    '
  for (const problem of problems) {
    yield separator + JSON.stringify(toJson(problem))
    separator = ',\n    '
  }
  yield problems.length > 0 ? '\n  ]\n}\n' : ']\n}\n'
}

function toJson(problem: Problem<string>) {
  const region = regionOf(problem)
  const { related } = problem
  return {
    rule: problem.code,
    severity: severityOf(problem),
    message: problem.message,
    file: problem.file,
    ...(region ? { line: region.line, column: region.column, endColumn: region.endColumn, text: region.text } : {}),
    ...(problem.field ? { field: problem.field } : {}),
    ...(problem.object ? { object: problem.object } : {}),
    ...(problem.suggestion === undefined ? {} : { suggestion: problem.suggestion }),
    ...(related ? { related: [{ message: related.message, ...related.place }] } : {}),
  }
}
