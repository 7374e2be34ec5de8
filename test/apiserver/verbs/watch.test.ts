import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { openMemoryStore } from '../../../apiserver/storage/open.ts'
import { FakeClock } from '../../../runtime/clock.ts'
import { TestServer } from '../support/test-server.ts'
import { configMap, configMaps, crds, widget, widgetCrd, widgets } from '../support/widgets.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await server.create(crds, widgetCrd)
})
afterAll(() => server.stop())

async function revision(): Promise<string> {
  return String((await server.get(`${configMaps}?limit=1`)).body.metadata!.resourceVersion)
}

test('from a revision on, every change arrives in order and once', async () => {
  const from = await revision()
  await server.create(configMaps, configMap('a'))
  const watch = await server.watch(`${configMaps}?watch=true&resourceVersion=${from}`)
  await server.put(`${configMaps}/a`, configMap('a', { n: '1' }))
  const last = await server.delete(`${configMaps}/a`)
  expect(last.status).toBe(200)
  const events = [await watch.next(), await watch.next(), await watch.next()]
  expect(events.map((e) => [e.type, e.object.kind, e.object.data])).toEqual([
    ['ADDED', 'ConfigMap', undefined],
    ['MODIFIED', 'ConfigMap', { n: '1' }],
    ['DELETED', 'ConfigMap', { n: '1' }],
  ])
  const revisions = events.map((e) => Number(e.object.metadata!.resourceVersion))
  expect(revisions).toEqual([...revisions].sort((x, y) => x - y))
  expect(new Set(revisions).size).toBe(3)
  watch.close()
})

test('a watch can go on from the last event that another saw', async () => {
  const from = await revision()
  await server.create(configMaps, configMap('first'))
  const one = await server.watch(`${configMaps}?watch=true&resourceVersion=${from}`)
  const seen = (await one.next()).object.metadata!.resourceVersion
  one.close()
  await server.create(configMaps, configMap('second'))
  const two = await server.watch(`${configMaps}?watch=true&resourceVersion=${String(seen)}`)
  expect((await two.next()).object.metadata!.name).toBe('second')
  two.close()
})

test('all watchers of a collection see the same events', async () => {
  const from = await revision()
  const watches = await Promise.all(
    Array.from({ length: 20 }, () => server.watch(`${configMaps}?watch=true&resourceVersion=${from}`)),
  )
  for (let i = 0; i < 10; i++) await server.create(configMaps, configMap(`many-${i}`))
  const seen = await Promise.all(
    watches.map(async (w) => {
      const names: unknown[] = []
      for (let i = 0; i < 10; i++) names.push((await w.next()).object.metadata!.name)
      return names
    }),
  )
  for (const names of seen) expect(names).toEqual(Array.from({ length: 10 }, (_, i) => `many-${i}`))
  for (const w of watches) w.close()
})

describe('selectors', () => {
  test('objects come and go as they start and cease to match', async () => {
    const from = await revision()
    const watch = await server.watch(`${configMaps}?watch=true&labelSelector=on%3Dyes&resourceVersion=${from}`)
    await server.create(configMaps, configMap('sel', { n: '1' }))
    await server.put(`${configMaps}/sel`, configMap('sel', { n: '2' }, { labels: { on: 'yes' } }))
    await server.put(`${configMaps}/sel`, configMap('sel', { n: '3' }, { labels: { on: 'yes' } }))
    const off = await server.put(`${configMaps}/sel`, configMap('sel', { n: '4' }))
    await server.delete(`${configMaps}/sel`)
    const events = [await watch.next(), await watch.next(), await watch.next()]
    expect(events.map((e) => [e.type, e.object.data!.n])).toEqual([
      ['ADDED', '2'],
      ['MODIFIED', '3'],
      ['DELETED', '3'],
    ])
    expect(events[2]!.object.metadata!.resourceVersion).toBe(off.body.metadata!.resourceVersion)
    watch.close()
  })

  test('fields of custom resources too', async () => {
    const watch = await server.watch(`${widgets}?watch=true&fieldSelector=spec.color%3Dblue`)
    await server.create(widgets, widget('w-red'))
    await server.create(widgets, widget('w-blue', { color: 'blue' }))
    expect((await watch.next()).object.metadata!.name).toBe('w-blue')
    watch.close()
  })

  test('one object by name', async () => {
    const watch = await server.watch(
      `${configMaps}?watch=true&fieldSelector=metadata.name%3Donly&resourceVersion=${await revision()}`,
    )
    await server.create(configMaps, configMap('not-it'))
    await server.create(configMaps, configMap('only'))
    expect((await watch.next()).object.metadata!.name).toBe('only')
    watch.close()
  })
})

describe('the start', () => {
  test('without a revision the state there is comes first', async () => {
    await server.create(configMaps, configMap('there'))
    const watch = await server.watch(`${configMaps}?watch=true&fieldSelector=metadata.name%3Dthere`)
    expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'there' } } })
    watch.close()
  })

  test('sendInitialEvents ends the state with a bookmark that says so', async () => {
    await server.create(configMaps, configMap('initial', {}, { labels: { wl: 'y' } }))
    const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
    const watch = await server.watch(`${configMaps}?${query}&labelSelector=wl`)
    expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'initial' } } })
    expect(await watch.next()).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'ConfigMap', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    })
    watch.close()
  })

  test('sendInitialEvents=false starts now', async () => {
    const watch = await server.watch(
      `${configMaps}?watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan`,
    )
    await server.create(configMaps, configMap('fresh'))
    expect((await watch.next()).object.metadata!.name).toBe('fresh')
    watch.close()
  })

  test.each([
    ['sendInitialEvents=true', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'],
    [
      'resourceVersionMatch=NotOlderThan',
      'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    ],
    ['resourceVersion=abc', 'invalid syntax'],
  ])('%s is refused', async (query, message) => {
    const refused = await server.get(`${configMaps}?watch=true&${query}`)
    expect([refused.status >= 400, refused.text.includes(message)]).toEqual([true, true])
  })
})

test('the end of the initial events is told also where more than a connection holds was told before', async () => {
  const label = { labels: { wl: 'big' } }
  const names = Array.from({ length: 12 }, (_, i) => `big-${i}`)
  const data = { filler: 'x'.repeat(512 * 1024) }
  await Promise.all(names.map((name) => server.create(configMaps, configMap(name, data, label))))
  const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
  const watch = await server.watch(`${configMaps}?${query}&labelSelector=wl%3Dbig`)
  const seen = new Set<unknown>()
  for (const _ of names) seen.add((await watch.next()).object.metadata!.name)
  expect(seen).toEqual(new Set(names))
  expect(await watch.next()).toMatchObject({
    type: 'BOOKMARK',
    object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
  })
  watch.close()
})

test('a Table names its columns once', async () => {
  const accept = { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' }
  const watch = await server.watch(`${widgets}?watch=true&resourceVersion=${await revision()}`, accept)
  await server.create(widgets, widget('t1'))
  await server.create(widgets, widget('t2'))
  const [one, two] = [await watch.next(), await watch.next()]
  expect(one.object).toMatchObject({ kind: 'Table', columnDefinitions: [{ name: 'Name' }, { name: 'Color' }] })
  expect(two.object.columnDefinitions ?? []).toEqual([])
  watch.close()
})

test('a client whose revision is history no more is told so with an ERROR event', async () => {
  const store = await openMemoryStore({ history: { events: 10, bytes: 1 << 20 } })
  await TestServer.during({ store }, async (small) => {
    for (let i = 0; i < 30; i++) await small.create(configMaps, configMap(`h${i}`))
    const watch = await small.watch(`${configMaps}?watch=true&resourceVersion=3`)
    expect(await watch.next()).toMatchObject({
      type: 'ERROR',
      object: { code: 410, reason: 'Expired', kind: 'Status' },
    })
    await watch.ended
  })
})

test('a watch ends when its time is over; bookmarks tell how far it is', async () => {
  const clock = new FakeClock(new Date())
  await TestServer.during({ clock }, async (timed) => {
    const query = 'watch=true&allowWatchBookmarks=true&timeoutSeconds=90&resourceVersion=1'
    const watch = await timed.watch(`${configMaps}?${query}`)
    for (let seen = ''; seen !== 'kube-root-ca.crt'; ) seen = String((await watch.next()).object.metadata!.name)
    const made = await timed.create('/api/v1/namespaces', { metadata: { name: 'elsewhere' } })
    await clock.advance(61_000)
    const bookmark = await watch.next()
    expect(bookmark.type).toBe('BOOKMARK')
    const told = Number(bookmark.object.metadata!.resourceVersion)
    expect(told).toBeGreaterThanOrEqual(Number(made.metadata!.resourceVersion))
    await clock.advance(30_000)
    await watch.ended
  })
})

test('a watcher that does not read is held back without harm to others, and gets everything in the end', async () => {
  const { hostname, port } = new URL(server.server.url)
  const { connect } = await import('node:tls')
  const from = await revision()
  const lazy = connect({ host: hostname, port: Number(port), ca: server.ca })
  await new Promise<void>((resolve) => lazy.once('secureConnect', () => resolve()))
  lazy.write(
    `GET ${configMaps}?watch=true&labelSelector=bulk&resourceVersion=${from} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin-token\r\n\r\n`,
  )
  await new Promise<void>((resolve) => lazy.once('readable', () => resolve()))
  lazy.pause()
  const keen = await server.watch(`${configMaps}?watch=true&labelSelector=bulk&resourceVersion=${from}`)
  const total = 60
  for (let i = 0; i < total; i++) {
    await server.create(configMaps, configMap(`bulk-${i}`, { a: 'x'.repeat(200_000) }, { labels: { bulk: 'y' } }))
  }
  for (let i = 0; i < total; i++) expect((await keen.next()).object.metadata!.name).toBe(`bulk-${i}`)
  let text = ''
  lazy.setEncoding('latin1')
  lazy.on('data', (data: string) => {
    text += data.replaceAll(/x{100,}/g, '')
  })
  lazy.resume()
  const end = Date.now() + 30_000
  while (!text.includes(`"name":"bulk-${total - 1}"`) && Date.now() < end) await new Promise((r) => setTimeout(r, 20))
  expect(text.split('"type":"ADDED"').length - 1).toBe(total)
  lazy.destroy()
  keen.close()
})

test('too many watches are refused', async () => {
  await TestServer.during({ limits: { maxWatches: 1 } }, async (limited) => {
    const one = await limited.watch(`${configMaps}?watch=true`)
    const refused = await limited.get(`${configMaps}?watch=true`)
    expect([refused.status, refused.body.reason, refused.headers['retry-after']]).toEqual([429, 'TooManyRequests', '1'])
    one.close()
  })
})
