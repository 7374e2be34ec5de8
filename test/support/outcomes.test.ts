import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { afterRetry, countsOf, failedFiles, type Outcome, readOutcomes, report } from './outcomes.ts'

const outcome = (file: string, name: string | undefined, status: Outcome['status']): Outcome => ({
  file,
  name,
  status,
  message: status === 'failed' ? ['it said no'] : [],
})

describe('a second try', () => {
  const first = [
    outcome('a', 'x', 'passed'),
    outcome('b', 'y', 'failed'),
    outcome('b', 'z', 'passed'),
    outcome('c', undefined, 'failed'),
  ]
  test.each<[why: string, second: Outcome[], failed: string[], flaky: string[]]>([
    ['nothing was tried: all stays as it was', [], ['b › y', 'c'], []],
    [
      'all passes',
      [outcome('b', 'y', 'passed'), outcome('b', 'z', 'passed'), outcome('c', 'w', 'passed')],
      [],
      ['b › y', 'c'],
    ],
    [
      'the same fails again',
      [outcome('b', 'y', 'failed'), outcome('b', 'z', 'passed'), outcome('c', undefined, 'failed')],
      ['b › y', 'c'],
      [],
    ],
    [
      'another one fails',
      [outcome('b', 'y', 'passed'), outcome('b', 'z', 'failed'), outcome('c', 'w', 'passed')],
      ['b › z'],
      ['b › y', 'c'],
    ],
    ['what had failed is skipped or gone: it has not passed', [outcome('b', 'z', 'passed')], ['b › y', 'c'], []],
    [
      'the file cannot be run any more',
      [outcome('b', undefined, 'failed'), outcome('c', 'w', 'passed')],
      ['b', 'b › y'],
      ['c'],
    ],
  ])('%s', (_, second, failed, flaky) => {
    const tried = afterRetry(first, second)
    const lines = report(tried).filter((line) => !line.startsWith(' '))
    expect(lines.sort()).toEqual(
      [...failed.map((name) => `FAILED ${name}`), ...flaky.map((name) => `FLAKY ${name}`)].sort(),
    )
    expect(countsOf(tried.outcomes).failed).toBe(failed.length)
  })

  test('the files to try are those that something failed in', () => {
    expect(failedFiles([...first, outcome('b', 'v', 'failed')])).toEqual(['b', 'c'])
  })
})

test('what Jest wrote is read: tests, files that could not be run, and the first lines of what they say', () => {
  const dir = mkdtempSync(join(tmpdir(), 'weir-outcomes-'))
  try {
    const said = `\u001b[31mError: no\u001b[39m\n\n  - Expected\n${'x'.repeat(300)}\n    at f (file.ts:1:2)\nfourth\nfifth`
    const json = join(dir, 'jest.json')
    const tests = [
      { ancestorTitles: ['group'], title: 'wrong', status: 'failed', failureMessages: [said] },
      { ancestorTitles: [], title: 'later', status: 'todo', failureMessages: [] },
    ]
    const files = [
      { name: join(dir, 'test/a.test.ts'), status: 'failed', message: 'long', assertionResults: tests },
      { name: join(dir, 'test/b.test.ts'), status: 'failed', message: 'Cannot find module', assertionResults: [] },
    ]
    writeFileSync(json, JSON.stringify({ testResults: files }))
    const outcomes = readOutcomes(json, dir)
    expect(countsOf(outcomes)).toEqual({ passed: 0, failed: 2, skipped: 1 })
    expect(report({ outcomes, flaky: [] })).toEqual([
      'FAILED test/a.test.ts › group › wrong',
      '    Error: no',
      '      - Expected',
      `    ${'x'.repeat(240)}…`,
      '    fourth',
      'FAILED test/b.test.ts',
      '    Cannot find module',
    ])
  } finally {
    rmSync(dir, { recursive: true })
  }
})
