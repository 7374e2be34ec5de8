import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Cache } from '../../../runtime/cache/cache.ts'
import type { Client } from '../../../runtime/client/client.ts'
import { type ConfigMap, configMaps } from '../../../runtime/client/resource.ts'
import { FakeClock, systemClock } from '../../../runtime/clock.ts'
import { Controller, type ControllerOptions, type Result } from '../../../runtime/controller/controller.ts'
import { Manager } from '../../../runtime/controller/manager.ts'
import { ApiError, Retryable, Stalled, Waiting } from '../../../runtime/errors.ts'
import { type Log, silentLog } from '../../../runtime/log.ts'
import { CollectionServer } from '../collection-server.ts'
import { clientOf, until } from '../http.ts'

const done: Result = { type: 'done' }
let clock: FakeClock
let controller: Controller

beforeEach(() => {
  clock = new FakeClock()
})
afterEach(() => controller?.close())

function make(reconcile: ControllerOptions['reconcile'], more: Partial<ControllerOptions> = {}): Controller {
  const backoff = { baseMs: 100, capMs: 1000, jitter: 0 }
  controller = new Controller({ name: 'test', clock, log: silentLog, reconcile, backoff, ...more })
  return controller
}

describe('the loop', () => {
  test('two quick changes are one reconcile; one during the work is one more', async () => {
    const gate = Promise.withResolvers<void>()
    const seen: string[] = []
    make(async (key) => {
      seen.push(key)
      await gate.promise
      return done
    })
    controller.enqueue('a')
    controller.enqueue('a')
    controller.start()
    await until(() => seen.length === 1)
    controller.enqueue('a')
    controller.enqueue('a')
    expect(controller.load).toMatchObject({ waiting: 0, delayed: 0, running: 1, concurrency: 1, adds: 1, retries: 0 })
    gate.resolve()
    await until(() => seen.length === 2 && controller.load.running === 0)
    expect(seen).toEqual(['a', 'a'])
  })

  test('works on several keys at once, as told, and never on one twice', async () => {
    const running = new Set<string>()
    let most = 0
    let finished = 0
    make(
      async (key) => {
        expect(running.has(key)).toBe(false)
        running.add(key)
        most = Math.max(most, running.size)
        await new Promise((resolve) => setImmediate(resolve))
        running.delete(key)
        finished++
        return done
      },
      { concurrency: 3 },
    )
    controller.start()
    for (let i = 0; i < 10; i++) for (const key of ['a', 'b', 'c', 'd', 'e']) controller.enqueue(key)
    await until(() => finished === 5)
    controller.enqueue('a')
    await until(() => finished === 6)
    expect(most).toBe(3)
  })

  test('an error in one key stops nothing else', async () => {
    const seen: string[] = []
    make(async (key) => {
      seen.push(key)
      if (key === 'bad') throw new TypeError('a bug')
      return done
    })
    controller.start()
    for (const key of ['bad', 'good', 'better']) controller.enqueue(key)
    await until(() => seen.length === 3)
    await clock.advance(100)
    await until(() => seen.length === 4)
    expect(seen).toEqual(['bad', 'good', 'better', 'bad'])
  })

  test('closing waits for what is under way, which hears of it, and starts nothing more', async () => {
    const seen: string[] = []
    let ended = false
    make(async (key, { signal }) => {
      seen.push(key)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      ended = true
      return done
    })
    controller.start()
    controller.enqueue('a')
    controller.enqueue('b')
    await until(() => seen.length === 1)
    await controller.close()
    expect(ended).toBe(true)
    expect(seen).toEqual(['a'])
  })
})

describe('when a key is looked at again', () => {
  const notFound = new ApiError('GET /x', { code: 404, reason: 'NotFound' }, 404)
  const throttled = new ApiError('GET /x', { code: 429, reason: 'TooManyRequests' }, 429, 5000)
  const fail = (error: Error) => async (): Promise<Result> => {
    throw error
  }
  const cases: {
    why: string
    reconcile: () => Promise<Result>
    afterMs: number | undefined
    outcome: Result['type']
  }[] = [
    { why: 'done: not until something changes', reconcile: async () => done, afterMs: undefined, outcome: 'done' },
    {
      why: 'requeue: when it says',
      reconcile: async () => ({ type: 'requeue', afterMs: 700 }),
      afterMs: 700,
      outcome: 'requeue',
    },
    {
      why: 'stalled: not until a person changes something',
      reconcile: fail(new Stalled('BadSpec', 'no')),
      afterMs: undefined,
      outcome: 'stalled',
    },
    {
      why: 'waiting: after a while',
      reconcile: fail(new Waiting('Busy', 'later')),
      afterMs: 60_000,
      outcome: 'waiting',
    },
    {
      why: 'waiting: when it says',
      reconcile: fail(new Waiting('Busy', 'later', 900)),
      afterMs: 900,
      outcome: 'waiting',
    },
    { why: 'retry: with back-off', reconcile: fail(new Retryable('Flaky', 'oops')), afterMs: 100, outcome: 'retry' },
    {
      why: 'retry: when the other side says',
      reconcile: fail(new Retryable('Flaky', 'oops', { afterMs: 3000 })),
      afterMs: 3000,
      outcome: 'retry',
    },
    { why: 'an API error: with back-off', reconcile: fail(notFound), afterMs: 100, outcome: 'retry' },
    { why: 'an API that asks for patience gets it', reconcile: fail(throttled), afterMs: 5000, outcome: 'retry' },
    { why: 'a bug: with back-off', reconcile: fail(new TypeError('x is undefined')), afterMs: 100, outcome: 'retry' },
  ]
  test.each(cases)('$why', async ({ reconcile, afterMs, outcome }) => {
    const outcomes: string[] = []
    make(reconcile, { observer: { reconciled: (_, { type }) => outcomes.push(type) } })
    controller.start()
    controller.enqueue('a')
    await until(() => outcomes.length === 1)
    expect(outcomes).toEqual([outcome])
    expect(controller.load.delayed).toBe(afterMs === undefined ? 0 : 1)
    if (afterMs === undefined) return
    await clock.advance(afterMs - 1)
    expect(outcomes).toHaveLength(1)
    await clock.advance(1)
    await until(() => outcomes.length === 2)
  })

  test('failures add up, and are forgotten once it went well', async () => {
    let failing = true
    let runs = 0
    make(async () => {
      runs++
      if (failing) throw new Retryable('Flaky', 'oops')
      return done
    })
    controller.start()
    controller.enqueue('a')
    for (const wait of [100, 200, 400]) {
      await until(() => controller.load.delayed === 1)
      const before = runs
      await clock.advance(wait - 1)
      expect(runs).toBe(before)
      if (wait === 400) failing = false
      await clock.advance(1)
      await until(() => runs === before + 1)
    }
    failing = true
    controller.enqueue('a')
    await until(() => controller.load.delayed === 1)
    await clock.advance(99)
    expect(runs).toBe(5)
    await clock.advance(1)
    await until(() => runs === 6)
  })
})

test('every line says which controller, key and reconcile; a routine conflict is no warning', async () => {
  const lines: { level: string; fields: object; message: string }[] = []
  const logOf = (own: object): Log => {
    const say = (level: string) => (fields: object, message: string) =>
      void lines.push({ level, fields: { ...own, ...fields }, message })
    return {
      debug: say('debug'),
      info: say('info'),
      warn: say('warn'),
      error: say('error'),
      child: (more) => logOf({ ...own, ...more }),
    }
  }
  const errors = [
    new ApiError('PATCH /x', { code: 409, reason: 'Conflict', message: 'modified' }, 409),
    new TypeError('bug'),
  ]
  make(
    async (_, { log }) => {
      log.info({ n: 1 }, 'working')
      throw errors.shift()
    },
    { log: logOf({}) },
  )
  controller.start()
  controller.enqueue('ns/a')
  await until(() => controller.load.delayed === 1)
  await clock.advance(100)
  await until(() => lines.length === 5)
  const own = (reconcile: number) => ({ controller: 'test', key: 'ns/a', reconcile })
  expect(lines.map(({ level, fields, message }) => [level, message, fields])).toEqual([
    ['info', 'working', { ...own(1), n: 1 }],
    ['debug', 'modified', { ...own(1), reason: 'Conflict', failures: 1, waitMs: 0 }],
    ['info', 'working', { ...own(2), n: 1 }],
    ['error', 'reconcile failed unexpectedly', { ...own(2), err: expect.any(TypeError) }],
    ['warn', 'bug', { ...own(2), reason: 'ReconcileFailed', failures: 2, waitMs: 200 }],
  ])
})

describe('with caches', () => {
  let server: CollectionServer
  let client: Client
  let manager: Manager

  beforeEach(async () => {
    server = await CollectionServer.start()
    client = clientOf(server.url)
    manager = new Manager({ client, clock: systemClock, log: silentLog })
  })
  afterEach(async () => {
    await manager.close()
    client.close()
    await server[Symbol.asyncDispose]()
  })

  test('starts once the caches have synced, so that no reconcile sees half of what there is', async () => {
    for (const name of ['a', 'b', 'c']) server.put(name)
    const cache = manager.cache(configMaps)
    const seen: [string, number][] = []
    make(async (key) => {
      seen.push([key, cache.size])
      return done
    })
    manager.add(controller.reconciles(cache))
    await manager.start()
    await until(() => seen.length === 3)
    expect(seen).toEqual([
      ['default/a', 3],
      ['default/b', 3],
      ['default/c', 3],
    ])
    expect(manager.status).toMatchObject({
      caches: [{ resource: 'configmaps', synced: true }],
      controllers: [{ name: 'test', started: true, waiting: 0, delayed: 0, running: 0, adds: 3 }],
    })
  })

  test('watching another kind: the keys that the object names, as it was and as it is', async () => {
    const cache: Cache<ConfigMap> = manager.cache(configMaps)
    const seen: string[] = []
    make(async (key) => {
      seen.push(key)
      return done
    })
    controller.watches(cache, (object) => [object.data?.for ?? ''], {
      when: ({ object }) => object.data?.for !== 'nobody',
    })
    manager.add(controller)
    await manager.start()
    server.put('x', { for: 'one' })
    await until(() => seen.length === 1)
    server.put('x', { for: 'two' })
    await until(() => seen.length === 3)
    server.put('y', { for: 'nobody' })
    server.remove('x')
    await until(() => seen.length === 4)
    expect([...seen].sort()).toEqual(['one', 'one', 'two', 'two'])
  })

  test('a resync looks at everything again', async () => {
    const cache = manager.cache(configMaps)
    server.put('a')
    server.put('b')
    const seen: string[] = []
    make(async (key) => {
      seen.push(key)
      return done
    })
    manager.add(controller.reconciles(cache))
    await manager.start()
    await until(() => seen.length === 2)
    manager.resync()
    await until(() => seen.length === 4)
  })

  test('a controller that needs a cache that cannot sync does not start, and says why; others do', async () => {
    server.instead.push((_, response) =>
      response.writeHead(403).end('{"kind":"Status","code":403,"reason":"Forbidden","message":"no"}'),
    )
    const cache = manager.cache(configMaps)
    let ran = false
    const free = new Controller({
      name: 'free',
      clock,
      log: silentLog,
      async reconcile() {
        ran = true
        return done
      },
    })
    free.enqueue('a')
    make(async () => {
      throw new Error('must not run')
    })
    controller.enqueue('a')
    manager.add(controller.needsCaches(cache), free)
    const started = manager.start()
    await until(() => manager.status.caches[0]?.error === 'no' && ran)
    expect(controller.load).toMatchObject({ waiting: 1, delayed: 0, running: 0 })
    expect(manager.status.controllers.map((c) => c.started)).toEqual([false, true])
    const failed = expect(started).rejects.toThrow('was closed')
    await manager.close()
    await failed
  })

  test('a stand-by reads everything, and decides nothing until it leads', async () => {
    server.put('a')
    const cache = manager.cache(configMaps)
    const seen: string[] = []
    make(async (key) => {
      seen.push(key)
      return done
    })
    manager.add(controller.reconciles(cache))
    const lead = Promise.withResolvers<void>()
    const started = manager.start(undefined, lead.promise)
    await until(() => cache.synced && controller.load.waiting === 1)
    server.put('b')
    await until(() => controller.load.waiting === 2)
    expect(seen).toEqual([])
    lead.resolve()
    await started
    await until(() => seen.length === 2)
  })

  test('regular resyncs, by the clock', async () => {
    const own = new Manager({ client, clock, log: silentLog, resyncMs: 1000 })
    const cache = own.cache(configMaps)
    server.put('a')
    let runs = 0
    make(async () => {
      runs++
      return done
    })
    own.add(controller.reconciles(cache))
    await own.start()
    await until(() => runs === 1)
    await clock.advance(1000)
    await until(() => runs === 2)
    await clock.advance(1000)
    await until(() => runs === 3)
    await own.close()
  })
})
