import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { startOrigin } from '../../cli/up/origin.ts'
import { createLog } from '../../runtime/log.ts'
import { Folder } from './harness.ts'

test('an origin that still makes its list lets its first readers wait rather than tell them that it has nothing', async () => {
  using folder = new Folder()
  mkdirSync(join(folder.path, 'files'))
  folder.file('files/a', 'text')
  const log = createLog({ program: 'test', level: 'silent' })
  const indexFile = join(folder.path, 'index.json')
  const origin = await startOrigin({ folder: join(folder.path, 'files'), exclude: [], indexFile, port: 0, log })
  try {
    const answers = await Promise.all(['catalog.ndjson', 'a', 'b'].map((path) => fetch(`${origin.url}/${path}`)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404])
    expect(await answers[1]?.text()).toBe('text')
  } finally {
    await origin.close()
  }
})
