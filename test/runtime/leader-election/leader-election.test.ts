import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type ApiServer, startApiServer } from '../../../apiserver/server.ts'
import { Client } from '../../../runtime/client/client.ts'
import { loadKubeconfig } from '../../../runtime/client/kubeconfig.ts'
import { leases } from '../../../runtime/client/resource.ts'
import { type Clock, systemClock } from '../../../runtime/clock.ts'
import { Deposed, LeaderElection, type Leadership } from '../../../runtime/leader-election/leader-election.ts'
import { silentLog } from '../../../runtime/log.ts'

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

/** Stands for `name` and says what becomes of it. */
function stand(
  name: string,
  identity: string,
  clock: Clock = systemClock,
  times = { leaseMs: 900, renewDeadlineMs: 600, retryMs: 100 },
) {
  const stop = new AbortController()
  const led = Promise.withResolvers<Leadership>()
  const election = new LeaderElection({ client, clock, log: silentLog, namespace: 'default', name, identity, ...times })
  const ended = election.run(stop.signal, async (leadership) => {
    led.resolve(leadership)
    await new Promise<void>((resolve) => leadership.signal.addEventListener('abort', () => resolve(), { once: true }))
  })
  ended.catch(() => {})
  return { stop: () => stop.abort(new Error('stop')), led: led.promise, ended }
}

const holder = async (name: string) => (await client.get(leases, { namespace: 'default', name })).spec

test('one leads; when it stops, it releases the Lease and the next leads at once, in a later term', async () => {
  const a = stand('release', 'a')
  const first = await a.led
  expect(await holder('release')).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0 })
  const b = stand('release', 'b')
  let bLeads = false
  void b.led.then(() => {
    bLeads = true
  })
  // a renews while b stands by, for longer than the lease.
  const renewals = new Set<string | undefined>()
  while (renewals.size < 12) renewals.add((await holder('release'))?.renewTime)
  expect(bLeads).toBe(false)
  first.assert()
  a.stop()
  await a.ended
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
  const a = stand('frozen', 'a', clock)
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
    leaseMs: 900,
    renewDeadlineMs: 600,
    retryMs: 100,
  })
  const ended = election.run(new AbortController().signal, async ({ signal }) => {
    await lost.close()
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  })
  await expect(ended).rejects.toThrow(Deposed)
  ownClient.close()
  await rm(own, { recursive: true })
})
