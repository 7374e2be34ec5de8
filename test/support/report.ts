/**
 * Says what came of tests, from what Jest has written of them.
 *   node test/support/report.ts FIRST.json [SECOND.json]    what failed and what was flaky, then `N passed, N failed, N skipped`
 *   node test/support/report.ts --failed FIRST.json         the files that something failed in, one a line
 * SECOND: a second try of the files that failed; one that was not even written counts for nothing.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { afterRetry, countsOf, failedFiles, readOutcomes, report } from './outcomes.ts'

const root = join(import.meta.dirname, '../..')
const { values, positionals } = parseArgs({ allowPositionals: true, options: { failed: { type: 'boolean' } } })
const [first, second] = positionals
if (first === undefined) throw new Error('usage: node test/support/report.ts [--failed] FIRST.json [SECOND.json]')
const outcomes = readOutcomes(first, root)
if (values.failed) for (const file of failedFiles(outcomes)) console.log(file)
else {
  const tried = afterRetry(outcomes, second !== undefined && existsSync(second) ? readOutcomes(second, root) : [])
  for (const line of report(tried)) console.log(line)
  const { passed, failed, skipped } = countsOf(tried.outcomes)
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
}
