import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { Folder, weir } from './harness.ts'

const published = join(import.meta.dirname, '../../crds/schemas')
const read = (file: string) => readFileSync(join(published, file), 'utf8')

test('prints a kind’s schema by any of its names, or that of all', async () => {
  expect(await weir(['schema', 'ap'])).toEqual({
    code: 0,
    stdout: read('fleet.weir.dev/appliance_v1alpha1.json'),
    stderr: '',
  })
  expect(await weir(['schema'])).toEqual({ code: 0, stdout: read('weir.json'), stderr: '' })
  expect(await weir(['schema', 'stie'])).toEqual({
    code: 2,
    stdout: '',
    stderr: 'error: Weir has no kind "stie"; did you mean "site"?\n',
  })
})

test('writes all of them, over older ones', async () => {
  using folder = new Folder()
  for (let time = 0; time < 2; time++) {
    const { code, stdout, stderr } = await weir(['schema', '-o', 'a/b'], { cwd: folder.path })
    expect([code, stdout, stderr]).toEqual([0, '', expect.stringMatching(/^wrote \d+ files to a\/b\n$/)])
  }
  const files = (of: string) => readdirSync(of, { recursive: true, encoding: 'utf8' }).sort()
  expect(files(join(folder.path, 'a/b'))).toEqual(files(published))
  expect(readFileSync(join(folder.path, 'a/b/weir.json'), 'utf8')).toBe(read('weir.json'))
})
