import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startApiServer } from '../../apiserver/server.ts'
import { installCrds } from '../../cli/up/install-crds.ts'
import { registry } from '../../crds/registry.gen.ts'
import type { HardwareClass, SteeringPolicy } from '../../crds/types.gen.ts'
import { openBlobStore } from '../../runtime/blob-store.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import { namespaces, type Resource } from '../../runtime/client/resource.ts'
import { Program } from '../drills/support/controller-process.ts'
import { type ControlPlane, eventually } from '../gateway/harness.ts'
import { FakeAppliance, named, putAppliance, putCatalog, putSite, steer } from './fleet.ts'

// `weir steering` as a process, on a fleet of one site, put through what fails. The tests below follow on each other.

const NS = 'play'
const CLIENT = '192.0.2.1'
let dir: string
let api: Awaited<ReturnType<typeof startApiServer>>
let plane: ControlPlane
let program: Program
let url: string
const boxes: FakeAppliance[] = []
const names = ['a1', 'a2', 'a3', 'a4', 'a5', 'a6']

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'weir-steering-'))
  api = await startApiServer({ dataDir: join(dir, 'api') })
  const client = new Client({ access: await loadKubeconfig({ path: api.kubeconfigPath }) })
  await installCrds(client, new AbortController().signal)
  const blobStore = await openBlobStore(join(dir, 'blobs'))
  plane = { client, blobStore, ca: '', tls: { cert: '', key: '' }, [Symbol.asyncDispose]: async () => client.close() }
  const { apiVersion, kind } = registry.HardwareClass
  const small = {
    apiVersion,
    kind,
    metadata: { name: 'small' },
    spec: { storageBytes: 1e9, storageMedium: 'flash', throughputGbps: 1 },
  }
  await client.create(registry.HardwareClass as Resource<HardwareClass>, small as HardwareClass)
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NS } })
  const catalogDigest = await putCatalog(plane, NS, 'films', [{ path: 'one.mp4' }])
  await putSite(plane, NS, 'ams', { prefixes: ['192.0.2.0/24'] })
  for (const name of names) {
    const box = await FakeAppliance.start()
    boxes.push(box)
    await putAppliance(plane, NS, name, {
      site: 'ams',
      url: box.url,
      holds: [{ catalog: 'films', catalogDigest, files: [0] }],
    })
  }
  const policy = {
    apiVersion: registry.SteeringPolicy.apiVersion,
    kind: 'SteeringPolicy',
    metadata: { name: 'all', namespace: NS },
  }
  await client.create(
    registry.SteeringPolicy as Resource<SteeringPolicy>,
    { ...policy, spec: { maxUrls: 16 } } as unknown as SteeringPolicy,
  )
  await start()
}, 60_000)
afterAll(async () => {
  await program?.[Symbol.asyncDispose]()
  for (const box of boxes) await box.kill()
  await plane?.[Symbol.asyncDispose]()
  await api?.close()
  await rm(dir, { recursive: true, force: true })
})

async function start(): Promise<void> {
  const flags = ['--listen=127.0.0.1:0', '--metrics-listen=127.0.0.1:0', '--trusted-proxies=127.0.0.1', '--rate=0']
  const kept = [
    `--blobs=${join(dir, 'blobs')}`,
    `--data=${join(dir, 'data')}`,
    `--kubeconfig=${join(dir, 'api/kubeconfig')}`,
  ]
  program = new Program(['steering', ...flags, ...kept], {})
  url = String((await program.said('steering listens')).url)
}

/** Everybody who is named to the client: the policy gives room for all. */
const everybody = async () => named(await steer(url, { file: `${NS}/films/one.mp4`, client: CLIENT }))
const isNamed = async (name: string) => (await everybody()).includes(name)
/** How long that takes is measured by test/drills/steering.ts. */
const untilGone = (name: string) => eventually(async () => !(await isNamed(name)), `${name} is left out`)

test('everybody who holds the file and answers is named', async () => {
  for (const name of names) await eventually(() => isNamed(name), `${name} is named`)
})

test('one that hangs, one whose process ends: gone from every answer; back when they answer', async () => {
  boxes[0]!.silent = true
  await untilGone('a1')
  await boxes[1]!.kill()
  await untilGone('a2')
  expect(await everybody()).not.toContain('a1')
  boxes[0]!.silent = false
  await boxes[1]!.start()
  for (const name of ['a1', 'a2']) await eventually(() => isNamed(name), `${name} is back`)
})

test('one liar moves nothing; clients of three networks do, but never more than a third of a site', async () => {
  const hint = (client: string, ...failed: string[]) =>
    fetch(`${url}/v1/hints`, {
      method: 'POST',
      body: JSON.stringify({ client, failed: failed.map((name) => `${NS}/${name}`) }),
    })
  // Many addresses of one network are one voice.
  for (let i = 1; i < 40; i++) expect((await hint(`198.51.100.${i}`, ...names)).status).toBe(202)
  expect((await hint('198.51.100.1', 'nobody')).status).toBe(202)
  for (const name of names) expect([name, await isNamed(name)]).toEqual([name, true])
  await hint('203.0.113.9', 'a1')
  expect(await isNamed('a1')).toBe(true)
  await hint('2001:db8::1', 'a1')
  expect(await isNamed('a1')).toBe(false)
  for (const client of ['203.0.113.9', '2001:db8::1', '192.0.2.200']) await hint(client, ...names)
  const left = await Promise.all(names.map(isNamed))
  expect(left.filter((one) => !one)).toHaveLength(2)
  expect((await fetch(`${url}/v1/hints`, { method: 'POST', body: '{"failed":"a1"}' })).status).toBe(400)
})

test('the API server gone: answers go on from memory, and after a SIGKILL from the snapshot', async () => {
  const snapshot = join(dir, 'data/snapshot.ndjson')
  await eventually(() => readFileSync(snapshot, 'utf8').includes('"name":"a6"'), 'the snapshot is written')
  await api.close()
  expect(await isNamed('a4')).toBe(true)
  program.kill('SIGKILL')
  await program.exited
  await rm(join(dir, 'blobs'), { recursive: true })
  await boxes[2]!.kill()
  await start()
  await program.said('started from the last snapshot')
  await eventually(() => isNamed('a4'), 'a4 is named, without API server and shared blobs')
  await eventually(async () => !(await isNamed('a3')), 'a3, which has ended meanwhile, is not')
})

test('a damaged snapshot is not used, and is told', async () => {
  program.kill('SIGTERM')
  expect(await program.exited).toBe(0)
  const snapshot = join(dir, 'data/snapshot.ndjson')
  writeFileSync(snapshot, readFileSync(snapshot, 'utf8').replace('"ams"', '"fra"'))
  await start()
  expect(await program.said('the snapshot cannot be used')).toMatchObject({ error: 'its bytes are damaged' })
  expect((await fetch(`${url}/readyz`)).status).toBe(503)
})
