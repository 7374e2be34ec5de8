import { describe, expect, test } from '@jest/globals'
import { githubText } from '../../../cli/diff/github.ts'
import { markdownText } from '../../../cli/diff/markdown.ts'
import type { Entry, Report } from '../../../cli/diff/report.ts'
import { statText } from '../../../cli/diff/text.ts'

const entry = (name: string, lines = 1, more: Partial<Entry> = {}): Entry => ({
  action: 'update',
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: 'ns',
  name,
  place: { file: 'f.yaml', line: 3, column: 1 },
  source: 'server',
  before: {},
  after: {},
  fields: [],
  diff: `@@ -1 +1 @@\n${Array.from({ length: lines }, (_, i) => `+  line${i}: x\n`).join('')}`,
  ...more,
})
const report = (entries: readonly Entry[], kept: Report['kept'] = []): Report => ({
  entries,
  kept,
  unchanged: 0,
  different: true,
})

describe('a comment', () => {
  test('that would be too long loses the longest diffs, then objects, and says so', () => {
    const small = Array.from({ length: 30 }, (_, i) => entry(`small${i}`, 20))
    const some = markdownText(report([...small, entry('huge', 10_000)]))
    expect(some.length).toBeLessThanOrEqual(65_536)
    expect(some.match(/<details>/g)).toHaveLength(30)
    expect(some).toContain(
      '- 🟡 change <code>configmap/huge</code> in ns — f.yaml:3:1 (10000 lines, too long to show here)',
    )

    const many = markdownText(report(Array.from({ length: 3000 }, (_, i) => entry(`object${i}`, 50))))
    expect(many.length).toBeLessThanOrEqual(65_536)
    expect(many.length).toBeGreaterThan(60_000)
    const shown = many.match(/<code>/g)!.length
    expect(many.trimEnd().endsWith(`… and ${3000 - shown} more objects`)).toBe(true)
    expect(many).toContain('### weir diff: 3000 to change')
  })

  test('is one code block per object whatever is in it, and mentions nobody', () => {
    const text = markdownText(
      report(
        [entry('a', 0, { diff: '@@ -1 +1 @@\n+```\n+@somebody #1 </details>\n' })],
        [{ apiVersion: 'v1', kind: 'Secret', namespace: 'ns', name: '@team', reason: 'has `x`' }],
      ),
    )
    expect(text).toContain('````diff\n@@ -1 +1 @@\n+```\n+@somebody #1 </details>\n````\n')
    expect(text.replace(/````[\s\S]*````/, '')).not.toMatch(/@team|`x`/)
    expect(text).toContain('secret/&#64;team')
  })
})

describe('annotations', () => {
  const where = { cwd: '/work', env: {} }
  const field = { path: 'data.a', steps: ['data', 'a'], before: '100%\n', after: 'x', class: 'yours' as const }

  test('are escaped, and point at the field where there is one', () => {
    const place = { file: 'a,b:c.yaml', line: 7, column: 9 }
    const text = githubText(report([entry('a', 1, { fields: [{ ...field, place }] })]), where)
    expect(text.split('\n')[0]).toBe(
      '::notice file=a%2Cb%3Ac.yaml,line=7,col=9,title=configmap/a in ns changes::data.a: 100%25%0A → x',
    )
  })

  test('name files from the checkout on', () => {
    const text = githubText(report([entry('a')]), { cwd: '/repo/fleet', env: { GITHUB_WORKSPACE: '/repo' } })
    expect(text).toMatch(/^::notice file=fleet\/f\.yaml,line=3,/)
  })

  test('are at most as many as are shown: of many objects, one per file', () => {
    const entries = Array.from({ length: 40 }, (_, i) =>
      entry(`o${i}`, 1, { place: { file: `${i % 3}.yaml`, line: i + 1, column: 1 } }),
    )
    const lines = githubText(report(entries), where).trimEnd().split('\n')
    expect(lines).toHaveLength(4)
    expect(lines[0]).toMatch(
      /^::notice file=0\.yaml,line=1,col=1,title=0\.yaml%3A 14 objects differ::1: configmap\/o0 in ns changes%0A4: /,
    )
  })

  test('of what came through a pipe have no file', () => {
    const text = githubText(report([entry('a', 1, { place: { file: '<stdin>', line: 1, column: 1 } })]), where)
    expect(text).toMatch(/^::notice title=configmap\/a in ns changes::/)
  })
})

test('bars of statistics fit, and something is never nothing', () => {
  const lines = statText(report([entry('large', 4000), entry('small', 1)])).split('\n')
  expect(lines[0]).toBe(` ns configmap/large | 4000 ${'+'.repeat(40)}`)
  expect(lines[1]).toBe(' ns configmap/small |    1 +')
  expect(lines[2]).toBe(' 2 to change')
})
