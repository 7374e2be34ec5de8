import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { leases } from '../../runtime/client/resource.ts'
import { type ControlPlane, freshNamespace, startControlPlane } from '../controllers/control-plane.ts'
import { Program } from '../drills/support/controller-process.ts'
import { metricsNamedIn } from '../support/named-metrics.ts'
import { weir } from './harness.ts'

let plane: ControlPlane
beforeAll(async () => {
  plane = await startControlPlane()
})
afterAll(async () => {
  await plane?.[Symbol.asyncDispose]()
})

const common = () => [
  `--kubeconfig=${plane.kubeconfigPath}`,
  `--blobs=${join(plane.dir, 'programs')}`,
  '--metrics-listen=127.0.0.1:0',
]

/** A connection that is kept may be closed by the server in the very moment that it is used again: then it is asked again. */
async function ask(url: unknown, path: string): Promise<{ status: number; text: string }> {
  for (let tries = 1; ; tries++) {
    try {
      const answer = await fetch(`${url}${path}`)
      return { status: answer.status, text: await answer.text() }
    } catch (error) {
      if (tries === 3) throw error
    }
  }
}

/** Names of the metrics that a page of Prometheus' text format tells. */
const told = (text: string) => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!)

test('controller and gateway: leading, standing by, serving, telling, and ending on SIGTERM', async () => {
  const ns = await freshNamespace(plane.client, 'programs')
  const env = (name: string) => ({ POD_NAMESPACE: ns, POD_NAME: name })
  await using first = new Program(['controller', '--leader-elect', ...common()], env('first'))
  await first.said('leading')
  await using second = new Program(['controller', '--leader-elect', ...common()], env('second'))
  const pki = join(plane.dir, 'api/pki')
  const tls = [`--tls-cert=${join(pki, 'server.crt')}`, `--tls-key=${join(pki, 'server.key')}`]
  await using gateway = new Program(['gateway', '--listen=127.0.0.1:0', ...tls, ...common()], env('gate-0'))
  await gateway.said('the gateway is open')
  const { url: leader } = await first.said('the controllers have been started')
  const { url: standBy } = await second.said('the controllers have been started')
  const { metrics: gate, id } = await gateway.said('the gateway listens')
  expect(id).toBe('gate-0')

  for (const url of [leader, standBy, gate]) {
    expect(await ask(url, '/healthz')).toMatchObject({
      status: 200,
      text: expect.stringContaining('healthz check passed'),
    })
    let ready = await ask(url, '/readyz')
    while (ready.status !== 200) ready = await ask(url, '/readyz')
    expect(ready.text).toContain('[+]cache appliances.fleet.weir.dev ok')
    expect((await ask(url, '/other')).status).toBe(404)
  }

  const pages = await Promise.all([leader, standBy, gate].map(async (url) => (await ask(url, '/metrics')).text))
  expect(pages[0]).toMatch(/^leader_election_master_status\{name="weir-controller"\} 1$/m)
  expect(pages[0]).toMatch(/^weir_fail_closed 0$/m)
  expect(pages[1]).toMatch(/^leader_election_master_status\{name="weir-controller"\} 0$/m)
  // Sums over replicas must not count the fleet twice.
  expect(pages[1]).not.toMatch(/^weir_fail_closed /m)
  expect(pages[2]).toMatch(/^weir_gateway_appliances_connected 0$/m)
  const named = metricsNamedIn(join(import.meta.dirname, '../../charts/weir/files'))
  expect(named.size).toBeGreaterThan(20)
  const exposed = new Set(pages.flatMap(told))
  const base = (name: string) => name.replace(/_(bucket|sum|count)$/, '')
  expect([...named].filter(([name]) => !exposed.has(name) && !exposed.has(base(name)))).toEqual([])

  for (const program of [gateway, second, first]) {
    program.kill('SIGTERM')
    expect(await program.exited).toBe(0)
  }
  const lease = await plane.client.get(leases, { namespace: ns, name: 'weir-controller' })
  expect(lease.spec?.holderIdentity ?? '').toBe('')
})

test.each([
  ['controller needs its blobs', ['controller'], '--blobs is missing'],
  [
    'an address that is none',
    ['controller', '--blobs=b', '--metrics-listen=here'],
    '--metrics-listen must be HOST:PORT',
  ],
  ['a level that is none', ['controller', '--blobs=b', '--log-level=loud'], '--log-level must be'],
  ['a level that others have', ['controller', '--blobs=b', '--log-level=trace'], '--log-level must be'],
  [
    'a share above all',
    ['controller', '--blobs=b', '--max-dark-share=2'],
    '--max-dark-share must be a number from 0 to 1',
  ],
  [
    'times that do not fit together',
    ['controller', '--leader-elect', '--lease-duration=5s', '--renew-deadline=6s'],
    '--retry-period must be well below --renew-deadline',
  ],
  ['steering needs its blobs', ['steering'], '--blobs is missing'],
  ['DNS needs its zone', ['steering', '--blobs=b', '--dns-listen=:0'], '--dns-zone is missing'],
  ['a zone needs DNS', ['steering', '--blobs=b', '--dns-zone=play.example'], '--dns-zone needs --dns-listen'],
  ['a proxy that is no prefix', ['steering', '--blobs=b', '--trusted-proxies=10.0.0.1/8'], 'bits set beyond'],
  ['a header that none sends', ['steering', '--blobs=b', '--forwarding-header=X-Mine'], '--forwarding-header must be'],
  ['a key without its certificate', ['steering', '--blobs=b', '--tls-key=k'], '--tls-cert is missing'],
  ['gateway needs its certificate', ['gateway', '--blobs=b'], '--tls-cert is missing'],
])('%s', async (_, args, message) => {
  const more = args[1] === '--leader-elect' ? common() : [`--kubeconfig=${plane.kubeconfigPath}`]
  const { code, stderr } = await weir([...args, ...more], { cwd: plane.dir })
  expect(stderr).toContain(message)
  expect(code).toBe(2)
})
