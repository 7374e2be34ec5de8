import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'

const root = join(import.meta.dirname, '../../..')

test('is as fast as the benchmark demands, in time of the processor', async () => {
  const run = promisify(execFile)(process.execPath, [join(root, 'bench/main.ts'), 'validation'], { cwd: root })
  // It ends with 1 where a figure misses its target, and then tells which.
  const { stdout } = await run.catch((error: { stdout: string }) => error)
  expect(stdout).toContain('validated when created')
  expect(stdout).not.toContain('Targets missed')
})
