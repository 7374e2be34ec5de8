import { type Problem, renderProblem } from '../../manifests/problem.ts'
import { type Report, type ReportedObject, severityOf } from '../report.ts'
import { sentence } from './positions.ts'

/** JUnit XML: a test suite for each file, a test case for each object, and one for the file itself where that could not be read. */
export function* printJunit(report: Report): Generator<string> {
  const suites = suitesOf(report)
  const totals = sum(suites.map(({ cases }) => countsOf(cases)))
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="weir validate"${attributes({ ...totals, time: 0 })}>\n`
  for (const { file, cases } of suites) {
    yield `  <testsuite${attributes({ name: file, ...countsOf(cases), time: 0 })}>\n`
    for (const one of cases) yield printCase(file, one)
    yield '  </testsuite>\n'
  }
  yield '</testsuites>\n'
}

interface Case {
  readonly name: string
  readonly problems: Problem<string>[]
  /** The file, or a document that is no object. */
  readonly isObject: boolean
}

interface Suite {
  readonly file: string
  readonly cases: readonly Case[]
}

function suitesOf({ files, objects, problems }: Report): Suite[] {
  const suites = new Map<string, Map<string, Case>>([...new Set(files)].map((file) => [file, new Map()]))
  const caseOf = (file: string, name: string, isObject: boolean): Case => {
    const cases = suites.get(file) ?? new Map<string, Case>()
    suites.set(file, cases)
    const known = cases.get(name) ?? { name, problems: [], isObject }
    cases.set(name, known)
    return known
  }
  for (const object of objects) caseOf(object.file, caseName(object), true)
  for (const problem of problems) {
    const { object, file } = problem
    caseOf(file, object ? caseName(object) : 'the file as a whole', object !== undefined).problems.push(problem)
  }
  return [...suites].map(([file, cases]) => ({ file, cases: [...cases.values()] }))
}

function caseName({
  apiVersion,
  kind,
  namespace,
  name,
}: Pick<ReportedObject, 'apiVersion' | 'kind' | 'name'> & { readonly namespace?: string | undefined }): string {
  return `${apiVersion} ${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
}

function countsOf(cases: readonly Case[]) {
  const failed = cases.filter(isFailed)
  return {
    tests: cases.length,
    failures: failed.filter(({ isObject }) => isObject).length,
    errors: failed.filter(({ isObject }) => !isObject).length,
    skipped: cases.filter(isSkipped).length,
  }
}

const isFailed = ({ problems }: Case) => problems.some((problem) => severityOf(problem) === 'error')
const isSkipped = (one: Case) => !isFailed(one) && one.problems.some(({ code }) => code === 'not-checked')

function sum(counts: readonly ReturnType<typeof countsOf>[]): ReturnType<typeof countsOf> {
  const total = { tests: 0, failures: 0, errors: 0, skipped: 0 }
  for (const one of counts)
    for (const key of ['tests', 'failures', 'errors', 'skipped'] as const) total[key] += one[key]
  return total
}

function printCase(file: string, one: Case): string {
  const open = `    <testcase${attributes({ name: one.name, classname: file, time: 0 })}`
  if (one.problems.length === 0) return `${open}/>\n`
  const errors = one.problems.filter((problem) => severityOf(problem) === 'error')
  const others = one.problems.filter((problem) => severityOf(problem) !== 'error')
  const parts: string[] = []
  // Consumers show the first failure of a case only: all of them go into one.
  if (errors.length > 0) {
    const element = one.isObject ? 'failure' : 'error'
    const first = errors[0]!
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
    const said = attributes({ message: sentence(first) + more, type: first.code })
    parts.push(`      <${element}${said}>${escapeXml(errors.map(renderProblem).join(''))}</${element}>\n`)
  } else if (isSkipped(one)) {
    parts.push(`      <skipped${attributes({ message: sentence(others[0]!) })}/>\n`)
  }
  if (others.length > 0) {
    parts.push(`      <system-out>${escapeXml(others.map(renderProblem).join(''))}</system-out>\n`)
  }
  return `${open}>\n${parts.join('')}    </testcase>\n`
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(
      ([name, value]) => ` ${name}="${escapeXml(String(value)).replaceAll('"', '&quot;').replaceAll('\n', '&#10;')}"`,
    )
    .join('')
}

/** XML 1.0 has no way to write most control characters, nor halves of surrogate pairs: they are replaced. */
function escapeXml(text: string): string {
  return (
    text
      .toWellFormed()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML cannot carry
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
  )
}
