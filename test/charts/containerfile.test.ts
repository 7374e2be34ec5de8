import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { chart } from './helm.ts'

const root = join(chart, '../..')
const run = promisify(execFile)

test('what the image is made of is all that its programs need', async () => {
  const ignore = readFileSync(join(chart, 'Containerfile.dockerignore'), 'utf8').trim().split('\n')
  expect(ignore[0]).toBe('*')
  const tracked = (await run('git', ['ls-files', '-z'], { cwd: root })).stdout.split('\0')
  const kept = tracked.filter((file) => ignore.includes(`!${file.split('/')[0]}`))
  const copy = mkdtempSync(join(tmpdir(), 'weir-image-'))
  try {
    for (const file of kept) cpSync(join(root, file), join(copy, file), { verbatimSymlinks: true })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    for (const program of ['controller', 'gateway', 'agent', 'up']) {
      const { stdout } = await run(process.execPath, [join(copy, 'cli/main.ts'), program, '--help'])
      expect(stdout).toContain(`weir ${program}`)
    }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
})
