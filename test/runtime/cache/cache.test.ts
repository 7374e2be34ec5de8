import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Cache } from '../../../runtime/cache/cache.ts'
import type { Client } from '../../../runtime/client/client.ts'
import { type ConfigMap, configMaps } from '../../../runtime/client/resource.ts'
import { FakeClock } from '../../../runtime/clock.ts'
import { type Log, silentLog } from '../../../runtime/log.ts'
import { CollectionServer } from '../collection-server.ts'
import { clientOf, until } from '../http.ts'

let server: CollectionServer
let client: Client
let cache: Cache<ConfigMap>
let changes: string[]

beforeEach(async () => {
  server = await CollectionServer.start()
  client = clientOf(server.url)
  changes = []
})

afterEach(async () => {
  await cache?.close()
  client.close()
  await server[Symbol.asyncDispose]()
})

/** Starts a cache that waits hardly at all between tries, and syncs it. */
async function follow(
  options: { random?: () => number; clock?: FakeClock; idleTimeoutMs?: number; log?: Log } = {},
): Promise<void> {
  cache = new Cache({
    client,
    resource: configMaps,
    indexes: { colour: (object) => (object.data?.colour ? [object.data.colour] : []) },
    random: () => 1,
    ...options,
  })
  cache.onChange((change) => changes.push(`${change.type} ${change.key}`))
  cache.start()
  await cache.waitForSync()
  await until(() => server.watchers === 1)
}

const names = () => cache.list().map((object) => object.metadata.name)

describe('a cache', () => {
  test('holds what was there, then what changes; knows when it has synced', async () => {
    server.put('a')
    cache = new Cache({ client, resource: configMaps })
    expect(cache.synced).toBe(false)
    await follow()
    expect(cache.synced).toBe(true)
    expect(names()).toEqual(['a'])
    server.put('b', { colour: 'red' })
    server.put('a', { colour: 'red' })
    server.remove('b')
    await until(() => changes.length === 4)
    expect(changes).toEqual(['add default/a', 'add default/b', 'update default/a', 'delete default/b'])
    expect(cache.get('default/a')?.data).toEqual({ colour: 'red' })
  })

  test('indexes follow every change', async () => {
    await follow()
    server.put('a', { colour: 'red' })
    server.put('b', { colour: 'red' })
    await until(() => changes.length === 2)
    expect(cache.byIndex('colour', 'red')).toHaveLength(2)
    server.put('a', { colour: 'blue' })
    server.remove('b')
    await until(() => changes.length === 4)
    expect(cache.byIndex('colour', 'red')).toEqual([])
    expect(cache.byIndex('colour', 'blue').map((o) => o.metadata.name)).toEqual(['a'])
    expect(() => cache.byIndex('size', 'x')).toThrow('no index "size"')
  })

  test('hands out frozen objects: what is shared cannot be changed', async () => {
    server.put('a', { colour: 'red' })
    await follow()
    const data = cache.get('default/a')?.data as Record<string, string>
    expect(() => {
      data.colour = 'blue'
    }).toThrow(TypeError)
  })

  test('a handler that comes late hears of everything there is', async () => {
    server.put('a')
    await follow()
    const late: string[] = []
    cache.onChange((change) => late.push(`${change.type} ${change.key}`))
    expect(late).toEqual(['add default/a'])
  })

  test('a handler that throws keeps nothing from the others', async () => {
    await follow()
    const after: string[] = []
    cache.onChange(() => {
      throw new Error('bug')
    })
    cache.onChange((change) => after.push(change.key))
    server.put('a')
    server.put('b')
    await until(() => after.length === 2)
  })
})

describe('it recovers', () => {
  test('a broken connection: goes on from the last version, without another list', async () => {
    server.put('a')
    await follow()
    server.put('b')
    await until(() => changes.length === 2)
    server.sendRaw('{"type":"ADDED","object":{"metadata":{"na')
    server.breakWatches()
    server.put('c')
    await until(() => changes.length === 3)
    expect(names()).toEqual(['a', 'b', 'c'])
    expect(server.lists()).toBe(1)
    expect(server.requests.at(-1)).toContain('resourceVersion=102')
    expect(cache.error).toBeUndefined()
  })

  test('has nothing to complain of once the server has taken the watch again, although nothing happens there', async () => {
    server.put('a')
    await follow()
    const refuse = (_: unknown, response: ServerResponse) => response.writeHead(503).end()
    server.instead.push(refuse, refuse)
    server.breakWatches()
    await until(() => cache.error !== undefined)
    await until(() => server.watchers === 1)
    await until(() => cache.error === undefined)
    expect(changes).toEqual(['add default/a'])
  })

  test('soon after a watch that lived, however often it had failed before that and however little came', async () => {
    const clock = new FakeClock()
    const waits: number[] = []
    const log: Log = { ...silentLog, warn: (fields) => waits.push((fields as { waitMs: number }).waitMs) }
    await follow({ clock, log })
    const refuse = (_: unknown, response: ServerResponse) => response.writeHead(503).end()
    for (let i = 0; i < 6; i++) server.instead.push(refuse)
    server.breakWatches()
    await until(() => cache.error !== undefined)
    while (server.watchers === 0) await clock.advance(1000)
    expect(Math.max(...waits)).toBeGreaterThan(5000)
    await until(() => cache.error === undefined)
    await clock.advance(10_000)
    server.breakWatches()
    await until(() => cache.error !== undefined)
    expect(waits.at(-1)).toBeLessThan(1000)
  })

  test('a watch that the server ends: goes on from the last bookmark', async () => {
    await follow()
    server.bookmark()
    server.put('a')
    server.bookmark()
    await until(() => cache.resourceVersion === '103')
    server.endWatches()
    await until(() => server.watchers === 1)
    expect(server.requests.at(-1)).toContain('resourceVersion=103')
    expect(server.lists()).toBe(1)
  })

  test('410: lists again, and tells of what was missed, deletions included', async () => {
    server.put('kept')
    server.put('gone')
    await follow()
    changes.length = 0
    server.instead.push((_, response) => response.destroy()) // keeps it away while things happen
    server.breakWatches()
    server.remove('gone')
    server.put('new')
    server.put('kept', { colour: 'red' })
    server.compact()
    await until(() => changes.length === 3)
    expect(changes.sort()).toEqual(['add default/new', 'delete default/gone', 'update default/kept'])
    expect(server.lists()).toBe(2)
    await until(() => server.watchers === 1)
  })

  test('a relist that finds nothing new tells nothing', async () => {
    server.put('a')
    await follow()
    changes.length = 0
    server.compact()
    server.instead.push((_, response) => {
      response.end(`${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })}\n`)
    })
    server.breakWatches()
    await until(() => server.lists() === 2 && server.watchers === 1)
    expect(changes).toEqual([])
  })

  test('a server that refuses every watch is asked for a list, which says what is wrong', async () => {
    await follow()
    const forbidden = JSON.stringify({ kind: 'Status', code: 403, reason: 'Forbidden', message: 'no watching' })
    server.instead.push((_, response) => response.writeHead(403).end(forbidden))
    server.breakWatches()
    await until(() => server.lists() === 2 && server.watchers === 1)
  })

  test('a server that is away when it starts: syncs once it is there, and says why it has not', async () => {
    const unavailable = JSON.stringify({
      kind: 'Status',
      code: 500,
      reason: 'InternalError',
      message: 'etcd is on fire',
    })
    for (let i = 0; i < 2; i++) server.instead.push((_, response) => response.writeHead(500).end(unavailable))
    server.put('a')
    cache = new Cache({ client, resource: configMaps, random: () => 1 })
    cache.start()
    await until(() => cache.error !== undefined)
    expect(cache.error?.message).toContain('etcd is on fire')
    expect(cache.synced).toBe(false)
    await cache.waitForSync()
    expect(names()).toEqual(['a'])
    expect(cache.error).toBeUndefined()
  })

  test('a connection that has silently died: is broken off after the idle time and made anew', async () => {
    const clock = new FakeClock()
    client.close()
    client = clientOf(server.url, { clock })
    await follow({ clock, idleTimeoutMs: 60_000 })
    await clock.advance(59_000)
    server.bookmark()
    await until(() => cache.resourceVersion === '101')
    await clock.advance(59_000) // 118 s, but a bookmark came at 59 s
    expect(server.requests.filter((url) => url.includes('watch='))).toHaveLength(1)
    await clock.advance(2000)
    await until(() => cache.error !== undefined)
    expect(cache.error?.message).toMatch(/no answer within 60 s/)
    await clock.advance(1000)
    await until(() => server.requests.filter((url) => url.includes('watch=')).length === 2)
  })

  test('a watch that ends at once, again and again, is slowed down', async () => {
    const clock = new FakeClock()
    client.close()
    client = clientOf(server.url, { clock })
    server.put('a')
    for (let i = 0; i < 2; i++) server.instead.push((_, response) => response.end())
    server.instead.unshift((_, response) =>
      response.setHeader('Content-Type', 'application/json').end('{"metadata":{"resourceVersion":"1"},"items":[]}'),
    )
    cache = new Cache({ client, resource: configMaps, clock, random: () => 0 })
    cache.start()
    await until(() => server.requests.length === 2)
    await until(() => clock.pendingTimers > 0)
    await clock.advance(240)
    expect(server.requests).toHaveLength(2)
    await clock.advance(20)
    await until(() => server.requests.length === 3)
  })
})

test('closing ends the watch and rejects who still waits', async () => {
  server.instead.push(() => {}) // never answers
  cache = new Cache({ client, resource: configMaps })
  cache.start()
  const synced = cache.waitForSync()
  const failed = expect(synced).rejects.toThrow('the cache of configmaps was closed')
  await until(() => server.requests.length === 1)
  await cache.close()
  await failed
})
