import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type ApiServer, startApiServer } from '../../../apiserver/server.ts'
import { Client } from '../../../runtime/client/client.ts'
import { loadKubeconfig } from '../../../runtime/client/kubeconfig.ts'
import { leases } from '../../../runtime/client/resource.ts'
import { type Clock, FakeClock, systemClock } from '../../../runtime/clock.ts'
import { Deposed, LeaderElection, type Leadership } from '../../../runtime/leader-election/leader-election.ts'
import { silentLog } from '../../../runtime/log.ts'
import { ApiProxy, type Fault } from '../../kube/api-proxy.ts'
import { until } from '../http.ts'

let dir: string
let server: ApiServer
let client: Client

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'weir-leader-'))
  server = await startApiServer({ dataDir: dir })
  client = new Client({ access: await loadKubeconfig({ path: server.kubeconfigPath }) })
})

afterAll(async () => {
  client.close()
  await server.close()
  await rm(dir, { recursive: true })
})

/** Long enough for a machine that has other things to do. */
const LONG = { leaseMs: 9000, renewDeadlineMs: 6000, retryMs: 100 }
/** For a lead that is to be lost. */
const SHORT = { leaseMs: 900, renewDeadlineMs: 600, retryMs: 100 }

/** Stands for `name` and says what becomes of it. */
function stand(name: string, identity: string, clock: Clock = systemClock, times = LONG, through = client) {
  const stop = new AbortController()
  const led = Promise.withResolvers<Leadership>()
  const election = new LeaderElection({
    client: through,
    clock,
    log: silentLog,
    namespace: 'default',
    name,
    identity,
    ...times,
  })
  const ended = election.run(stop.signal, async (leadership) => {
    led.resolve(leadership)
    await new Promise<void>((resolve) => leadership.signal.addEventListener('abort', () => resolve(), { once: true }))
  })
  ended.catch(() => {})
  return { stop: () => stop.abort(new Error('stop')), led: led.promise, ended }
}

const holder = async (name: string) => (await client.get(leases, { namespace: 'default', name })).spec

test('one leads; when it stops, it releases the Lease and the next leads at once, in a later term', async () => {
  const clock = new FakeClock()
  const a = stand('release', 'a', clock, SHORT)
  const first = await a.led
  expect(await holder('release')).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0 })
  const b = stand('release', 'b', clock, SHORT)
  let bLeads = false
  void b.led.then(() => {
    bLeads = true
  })
  // a renews while b stands by, for longer than the lease.
  const renewals = new Set<string | undefined>()
  await until(async () => {
    await clock.advance(10)
    return renewals.add((await holder('release'))?.renewTime).size > 12
  }, 'it is renewed a dozen times')
  expect(bLeads).toBe(false)
  first.assert()
  a.stop()
  await a.ended
  const releasedMs = clock.monotonicMs()
  await until(async () => {
    await clock.advance(10)
    return (await holder('release'))?.holderIdentity === 'b'
  }, 'the next has taken it')
  expect(clock.monotonicMs() - releasedMs).toBeLessThan(SHORT.leaseMs)
  const second = await b.led
  expect(second.term).toBe(first.term + 1)
  expect(() => first.assert()).toThrow(Deposed)
  b.stop()
  await b.ended
})

test('a leader that dies without a word is followed once its Lease has run out', async () => {
  await client.create(leases, {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { namespace: 'default', name: 'dead' },
    spec: { holderIdentity: 'gone', leaseDurationSeconds: 1, leaseTransitions: 4 },
  })
  const startedMs = performance.now()
  const b = stand('dead', 'b')
  expect((await b.led).term).toBe(5)
  expect(performance.now() - startedMs).toBeGreaterThan(1000)
  b.stop()
  await b.ended
})

test('a leader that was frozen past its deadline finds out before it does anything, and does not take the Lease back', async () => {
  // A clock that can be stopped as SIGSTOP stops a process: no timer runs, and time has passed when it wakes.
  let skippedMs = 0
  let frozen = false
  const waiting: (() => void)[] = []
  const clock: Clock = {
    now: () => new Date(Date.now() + skippedMs),
    monotonicMs: () => performance.now() + skippedMs,
    after: (ms, fn) => systemClock.after(ms, () => (frozen ? waiting.push(fn) : fn())),
  }
  const a = stand('frozen', 'a', clock, SHORT)
  const leadership = await a.led
  frozen = true
  const b = stand('frozen', 'b')
  await b.led
  skippedMs = 5_000
  expect(() => leadership.assert()).toThrow(Deposed)
  frozen = false
  for (const fn of waiting.splice(0)) fn()
  await expect(a.ended).rejects.toThrow(Deposed)
  expect(leadership.signal.aborted).toBe(true)
  expect(await holder('frozen')).toMatchObject({ holderIdentity: 'b' })
  b.stop()
  await b.ended
})

test('a leader whose API server is gone is deposed by its own deadline', async () => {
  const own = await mkdtemp(join(tmpdir(), 'weir-leader-'))
  const lost = await startApiServer({ dataDir: own })
  const ownClient = new Client({ access: await loadKubeconfig({ path: lost.kubeconfigPath }) })
  const election = new LeaderElection({
    client: ownClient,
    clock: systemClock,
    log: silentLog,
    namespace: 'default',
    name: 'cut-off',
    identity: 'a',
    ...SHORT,
  })
  const ended = election.run(new AbortController().signal, async ({ signal }) => {
    await lost.close()
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  })
  await expect(ended).rejects.toThrow(Deposed)
  ownClient.close()
  await rm(own, { recursive: true })
})

describe('an API server that', () => {
  let proxy: ApiProxy
  let through: Client

  beforeAll(async () => {
    proxy = await ApiProxy.start({ kubeconfigPath: server.kubeconfigPath })
    const path = proxy.writeKubeconfig(join(dir, 'through-the-proxy'))
    through = new Client({ access: await loadKubeconfig({ path }), maxServerRetries: 0 })
  })
  afterAll(async () => {
    through.close()
    await proxy[Symbol.asyncDispose]()
  })

  /** How many requests for the Lease have come to nothing. */
  const refused = () => proxy.seen.filter(({ resource, status }) => resource === 'leases' && status === 0).length
  const renewed = () => proxy.seen.filter(({ resource, status }) => resource === 'leases' && status === 200).length

  test.each<[string, Fault]>([
    ['answers 500', { type: 'answer', status: 500, reason: 'InternalError' }],
    [
      'answers 503 and asks for a minute',
      { type: 'answer', status: 503, reason: 'Unavailable', retryAfterSeconds: 60 },
    ],
    [
      'answers 429 and asks for a minute',
      { type: 'answer', status: 429, reason: 'TooManyRequests', retryAfterSeconds: 60 },
    ],
    ['breaks connections', { type: 'break' }],
  ])('%s, but not until the deadline, costs nobody the lead', async (what, fault) => {
    proxy.seen.length = 0
    const lease = what.replaceAll(' ', '-')
    const a = stand(lease, 'a', systemClock, LONG, through)
    const { signal, term, assert } = await a.led
    proxy.fault = () => fault
    await until(() => refused() >= 3, 'three renewals have failed')
    proxy.fault = undefined
    const before = renewed()
    await until(() => renewed() > before, 'it is renewed again')
    expect(signal.aborted).toBe(false)
    assert()
    expect(await holder(lease)).toMatchObject({ holderIdentity: 'a', leaseTransitions: term })
    a.stop()
    await a.ended
  })

  test('is slow, but faster than half the deadline, costs nobody the lead', async () => {
    proxy.seen.length = 0
    const a = stand('slow', 'a', systemClock, LONG, through)
    const { signal, assert } = await a.led
    proxy.fault = () => ({ type: 'delay', ms: 500 })
    const before = renewed()
    await until(() => renewed() >= before + 2, 'it is renewed twice')
    expect(signal.aborted).toBe(false)
    assert()
    proxy.fault = undefined
    a.stop()
    await a.ended
  })

  test('hangs past the deadline deposes the leader at the deadline, not later; its next process leads in a later term', async () => {
    const a = stand('hang', 'a', systemClock, SHORT, through)
    const { term } = await a.led
    const fromMs = performance.now()
    proxy.fault = () => ({ type: 'delay', ms: 60_000 })
    await expect(a.ended).rejects.toThrow(Deposed)
    // Releasing it takes at most one more request, of 2 s. Those that hang would take a minute.
    expect(performance.now() - fromMs).toBeLessThan(SHORT.renewDeadlineMs + 2000 + 8000)
    proxy.fault = undefined
    const b = stand('hang', 'b', systemClock, LONG, through)
    expect((await b.led).term).toBe(term + 1)
    b.stop()
    await b.ended
  })
})
