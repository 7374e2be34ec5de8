import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import { Cleanup, contentOf, filled, makeCatalog, Origin, runAgent, sha256, TestGateway, until } from './harness.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

test('fills what it is assigned, verifies it, advertises it and serves it', async () => {
  const odd = [
    'a b/c#1?x=%41.bin',
    'Ünï/cödé 😀',
    'line\nbreak',
    "it's!(*)~&=+$,;:@",
    '%2e%2e',
    'trailing ',
    '.hidden',
    'a/..b/…',
  ]
  const files = new Map<string, Buffer>(odd.map((path, i) => [path, randomBytes(1000 + i)]))
  files.set('empty', Buffer.alloc(0))
  files.set('large', randomBytes(3 << 20))
  files.set('twin', files.get('large')!)
  for (let i = 0; i < 300; i++) files.set(`many/${i}`, randomBytes(i * 10))
  files.set('not assigned', randomBytes(10))

  const origin = await Origin.start(cleanup, files)
  const gateway = await TestGateway.start(cleanup)
  const catalog = makeCatalog('docs', files)
  const assigned = [...files.keys()].flatMap((path, i) => (path === 'not assigned' ? [] : [i]))
  gateway.assign({ entries: [gateway.entry(catalog, `${origin.url}`, assigned)] })
  const root = cleanup.folder()
  const agent = await runAgent(cleanup, gateway, { root })
  const { content, addresses, version } = await filled(gateway)

  const bytes = [...files.values()].reduce((sum, file) => sum + file.length, 0) - 10
  expect(content).toMatchObject({ filesDesired: files.size - 1, filesHeld: files.size - 1, progressPercent: 100 })
  expect(content).toMatchObject({
    bytesDesired: bytes,
    bytesHeld: bytes,
    bytesToFill: 0,
    filesFailing: 0,
    failures: [],
  })
  // Equal files are there once; so are all the empty ones.
  expect(content.storageUsedBytes).toBe(bytes - (3 << 20))
  expect([addresses, version]).toEqual([[{ type: 'HTTP', url: agent.url }], '1.2.3'])

  const held = contentOf(root)
  expect(held.size).toBe(files.size - 1 - 2)
  for (const [name, body] of held) expect(sha256(body)).toBe(name)
  expect(readdirSync(join(root, 'partial'))).toEqual([])

  for (const [path, body] of files) {
    const url = `${agent.url}/isp/docs/${path.split('/').map(encodeURIComponent).join('/')}`
    const response = await fetch(url)
    expect([path, response.status]).toEqual([path, path === 'not assigned' ? 404 : 200])
    if (response.status === 200) expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true)
  }

  const inventory = await until(
    () =>
      gateway.inventories.get('isp/docs')?.files === files.size - 1 ? gateway.inventories.get('isp/docs') : undefined,
    () => gateway.inventories.get('isp/docs')?.files,
  )
  expect(inventory).toMatchObject({ catalog: catalog.digest, bytes })
  expect([...inventory.set]).toEqual(assigned)
})

test('the last file of a fill is told at once, however seldom the others are', async () => {
  const files = new Map(Array.from({ length: 60 }, (_, i) => [`file ${i}`, randomBytes(2000)]))
  const origin = await Origin.start(cleanup, files)
  const gateway = await TestGateway.start(cleanup)
  const catalog = makeCatalog('docs', files)
  await runAgent(cleanup, gateway, { root: cleanup.folder(), tuning: { inventoryIntervalMs: 3_600_000 } })
  for (const count of [1, 40, 41, 60]) {
    gateway.assign({
      entries: [gateway.entry(catalog, origin.url, [...files.keys()].map((_, i) => i).slice(0, count))],
    })
    await until(
      () => gateway.inventories.get('isp/docs')?.files === count || undefined,
      () => gateway.inventories.get('isp/docs')?.files,
    )
  }
})
