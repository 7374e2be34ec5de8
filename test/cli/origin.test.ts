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

test('an origin says what a page is made of, for browsers run nothing else, and nothing of names that do not tell', async () => {
  using folder = new Folder()
  mkdirSync(join(folder.path, 'files'))
  for (const name of ['index.html', 'page.js', 'lib.min.mjs', 'film.m3u8', 'SHOUTED.HTML', 'none']) {
    folder.file(`files/${name}`, 'text')
  }
  const log = createLog({ program: 'test', level: 'silent' })
  const indexFile = join(folder.path, 'index.json')
  const origin = await startOrigin({ folder: join(folder.path, 'files'), exclude: [], indexFile, port: 0, log })
  try {
    const typeOf = async (path: string) => (await fetch(`${origin.url}/${path}`)).headers.get('content-type')
    expect(await Promise.all(['index.html', 'SHOUTED.HTML', 'page.js', 'lib.min.mjs'].map(typeOf))).toEqual([
      ...['text/html; charset=utf-8', 'text/html; charset=utf-8'],
      ...['text/javascript; charset=utf-8', 'text/javascript; charset=utf-8'],
    ])
    expect(await Promise.all(['film.m3u8', 'none', 'catalog.ndjson'].map(typeOf))).toEqual([
      ...['application/vnd.apple.mpegurl', 'application/octet-stream', 'application/x-ndjson'],
    ])
  } finally {
    await origin.close()
  }
})
