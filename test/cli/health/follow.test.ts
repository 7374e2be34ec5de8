import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import type { ServedResource } from '../../../cli/api/discovery.ts'
import { followUntil, type Verdict } from '../../../cli/health/follow.ts'
import { Client } from '../../../runtime/client/client.ts'
import { loadKubeconfig } from '../../../runtime/client/kubeconfig.ts'
import { type ConfigMap, configMaps } from '../../../runtime/client/resource.ts'
import { ApiProxy } from '../../kube/api-proxy.ts'
import { suite } from '../suite.ts'

const here = suite()
const { folder } = here

const resource = configMaps as unknown as ServedResource
const never = new AbortController().signal
const connectionOf = (client: Client) => ({ client, namespace: 'default', namespaceGiven: false })
const judge = (object: unknown): Verdict => {
  const said = (object as ConfigMap | undefined)?.data?.say
  if (said === 'met') return { type: 'met' }
  return said === 'failed'
    ? { type: 'failed', message: 'it failed' }
    : { type: 'pending', message: said ?? 'not there' }
}
const say = (name: string, what: string) =>
  here.server.client.apply(
    configMaps,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: { say: what } },
    { fieldManager: 'test', force: true },
  )
const named = (...names: string[]) => names.map((name) => ({ resource, namespace: 'default', name }))

test('together: what was met and is no more has to be met again', async () => {
  await say('a', 'met')
  await say('b', 'slow')
  const told: string[] = []
  const tell = async (what: string) => {
    told.push(what)
    // Each step follows from what was told before it.
    if (what === 'b pending slow') await say('a', 'again')
    if (what === 'a pending again') await say('b', 'met')
    if (what === 'b met') await say('a', 'met')
  }
  const result = await followUntil(connectionOf(here.server.client), named('a', 'b'), {
    judge,
    together: true,
    settleMs: 50,
    timeoutMs: 20_000,
    signal: never,
    onMet: ({ name }) => void tell(`${name} met`),
    onPending: ({ name }, message) => void tell(`${name} pending ${message}`),
  })
  expect(result.met.map(({ name }) => name)).toEqual(['a', 'b'])
  expect(told).toEqual(['a met', 'b pending slow', 'a pending again', 'b met', 'a met'])
})

test('a failure that passes is none; one that stays ends it', async () => {
  await say('c', 'failed')
  const passing = followUntil(connectionOf(here.server.client), named('c', 'd'), {
    judge,
    failAfterMs: 20_000,
    timeoutMs: 20_000,
    signal: never,
    onMet: () => void say('d', 'met'),
    onPending: ({ name }) => void (name === 'd' && say('c', 'met')),
  })
  expect(await passing).toMatchObject({ failed: [], pending: [] })
  await say('c', 'failed')
  const staying = followUntil(connectionOf(here.server.client), named('c', 'e'), {
    judge,
    failAfterMs: 20,
    timeoutMs: 20_000,
    signal: never,
    onMet: () => {},
  })
  expect(await staying).toMatchObject({
    failed: [{ followed: { name: 'c' }, message: 'it failed' }],
    pending: [{ followed: { name: 'e' }, message: 'not there' }],
  })
})

test('nothing to follow is met; a server that may not be watched is told at once, one that is gone when the time is over', async () => {
  const options = { judge, timeoutMs: 20_000, signal: never, onMet: () => {} }
  expect(await followUntil(connectionOf(here.server.client), [], options)).toEqual({ met: [], failed: [], pending: [] })
  await using proxy = await ApiProxy.start({ kubeconfigPath: here.server.kubeconfig })
  const client = new Client({ access: await loadKubeconfig({ path: proxy.writeKubeconfig(join(folder.path, 'k')) }) })
  try {
    proxy.fault = () => ({ type: 'answer', status: 403, reason: 'Forbidden' })
    await expect(followUntil(connectionOf(client), named('x'), options)).rejects.toMatchObject({ code: 403 })
    proxy.fault = () => ({ type: 'break' })
    const short = { ...options, timeoutMs: 300 }
    await expect(followUntil(connectionOf(client), named('x'), short)).rejects.toMatchObject({ name: 'ConnectError' })
  } finally {
    client.close()
  }
})
