import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

/** One test of a file, or the file itself where it could not be run. */
export interface Outcome {
  /** Below the repository's root. */
  readonly file: string
  /** `describe › test`; undefined: the whole file. */
  readonly name: string | undefined
  readonly status: 'passed' | 'failed' | 'skipped'
  /** What a failure says, its first lines, without places in the code. */
  readonly message: readonly string[]
}

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** Tests that were tried, and what failed of them once more. */
export interface Tried {
  /** The last outcome of each test. */
  readonly outcomes: readonly Outcome[]
  /** Which passed at the second try only. */
  readonly flaky: readonly Outcome[]
}

/** A file of Jest's `--json`, as far as it is read. */
interface JestResults {
  readonly testResults: readonly {
    readonly name: string
    /** `failed` also where the file could not be run at all. */
    readonly status: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[]
      readonly title: string
      readonly status: string
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

/** Reads what Jest has written; throws where there is nothing to read. */
export function readOutcomes(json: string, root: string): Outcome[] {
  const { testResults } = JSON.parse(readFileSync(json, 'utf8')) as JestResults
  return testResults.flatMap(({ name, status, message, assertionResults }): Outcome[] => {
    const file = relative(root, name)
    const tests = assertionResults.map((test) => ({
      file,
      name: [...test.ancestorTitles, test.title].join(' › '),
      status: statusOf(test.status),
      message: firstLines(test.failureMessages.join('\n')),
    }))
    if (status !== 'failed' || tests.some((test) => test.status === 'failed')) return tests
    return [...tests, { file, name: undefined, status: 'failed', message: firstLines(message) }]
  })
}

/** Jest's own words are `pending`, `todo`, `skipped`, `disabled`, `focused`. */
function statusOf(status: string): Outcome['status'] {
  return status === 'passed' || status === 'failed' ? status : 'skipped'
}

/** The files that something failed in. */
export function failedFiles(outcomes: readonly Outcome[]): string[] {
  return [...new Set(outcomes.filter(({ status }) => status === 'failed').map(({ file }) => file))]
}

/** Puts a second try of the files that failed in the place of the first. What had failed and did not pass then has failed, also where it is not there. */
export function afterRetry(first: readonly Outcome[], second: readonly Outcome[]): Tried {
  const tried = new Set(second.map(({ file }) => file))
  const known = new Set(second.map(keyOf))
  const passed = new Set(second.filter(({ status }) => status === 'passed').map(keyOf))
  const failing = new Set(failedFiles(second))
  const passes = (outcome: Outcome) =>
    // A file that could not be run passes when none of its tests fails.
    outcome.name === undefined ? tried.has(outcome.file) && !failing.has(outcome.file) : passed.has(keyOf(outcome))
  const failed = first.filter(({ status }) => status === 'failed')
  const lost = failed.filter((outcome) => tried.has(outcome.file) && !known.has(keyOf(outcome)) && !passes(outcome))
  return {
    outcomes: [...first.filter(({ file }) => !tried.has(file)), ...second, ...lost],
    flaky: failed.filter(passes),
  }
}

const keyOf = ({ file, name }: Outcome) => `${file}\n${name ?? ''}`

export function countsOf(outcomes: readonly Outcome[]): Counts {
  const count = (status: Outcome['status']) => outcomes.filter((outcome) => outcome.status === status).length
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') }
}

/** `FAILED file › test`, each with what it says below it, and `FLAKY file › test`: lines that tell what is wrong, and nothing else. */
export function report({ outcomes, flaky }: Tried): string[] {
  const failed = outcomes.filter(({ status }) => status === 'failed')
  return [
    ...failed.flatMap((outcome) => [`FAILED ${title(outcome)}`, ...outcome.message.map((line) => `    ${line}`)]),
    ...flaky.map((outcome) => `FLAKY ${title(outcome)}`),
  ]
}

const title = ({ file, name }: Outcome) => (name === undefined ? file : `${file} › ${name}`)

/** The first four lines that say something, none of them longer than a screen is wide. */
function firstLines(message: string): string[] {
  return stripVTControlCharacters(message)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line.trim() !== '' && !/^\s+at /.test(line))
    .slice(0, 4)
    .map((line) => (line.length > 240 ? `${line.slice(0, 240)}…` : line))
}
