import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { HEARTBEAT_LABEL, HEARTBEAT_NAMESPACE } from '../../reconcilers/heartbeats/leases.ts'
import { issueAuthority, issueCertificate } from '../../runtime/certificates/issue.ts'
import type { Client } from '../../runtime/client/client.ts'
import { leases } from '../../runtime/client/resource.ts'
import { FakeClock } from '../../runtime/clock.ts'
import {
  ask,
  assign,
  type ControlPlane,
  eventually,
  makeAppliance,
  makeNamespace,
  openGateway,
  startControlPlane,
  TestStream,
} from './harness.ts'

let plane: ControlPlane
beforeAll(async () => {
  plane = await startControlPlane()
})
afterAll(async () => {
  await plane[Symbol.asyncDispose]()
})

/** The plane's client, whose writes of heartbeat Leases do something else for as long as there is one. */
function hindered() {
  const hindrance: { instead: ((signal: AbortSignal | undefined) => Promise<never>) | undefined } = {
    instead: undefined,
  }
  const apply: Client['apply'] = (resource, object, options) =>
    hindrance.instead && object.kind === 'Lease'
      ? hindrance.instead(options.signal)
      : plane.client.apply(resource, object, options)
  const client = new Proxy(plane.client, {
    get(target, name) {
      const value: unknown = name === 'apply' ? apply : Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { client, hindrance }
}

const leasesOf = async (id: string) =>
  (await plane.client.list(leases, { namespace: HEARTBEAT_NAMESPACE, labelSelector: `${HEARTBEAT_LABEL}=${id}` })).items

test('a renewed certificate is shown to who connects from then on; who is connected stays', async () => {
  await using gateway = await openGateway(plane, { id: 'g-renewed' })
  const box = await makeAppliance(plane, await makeNamespace(plane), 'box')
  const health = (ca: string) => ask(`${gateway.url}/healthz`, { ca })
  await eventually(
    async () => (await ask(`${gateway.url}${box.path}/sources`, { ca: plane.ca, token: box.token })).status === 200,
    'it is let in',
  )
  const stream = await TestStream.open(gateway.url, box, plane.ca)
  const validity = { now: new Date(), days: 7 }
  const authority = await issueAuthority('another', validity)
  const subject = { type: 'server', commonName: 'gateway', names: ['127.0.0.1'] } as const
  const { certificate: cert, key } = await issueCertificate(authority, subject, validity)

  expect((await health(plane.ca)).status).toBe(200)
  gateway.useCertificate({ cert, key })
  await expect(health(plane.ca)).rejects.toThrow(/self-signed|unable to/)
  expect((await health(authority.certificate)).status).toBe(200)
  await assign(plane, box, 7)
  await eventually(() => stream.generations.includes(7), 'the open stream goes on')

  // A pair that does not belong together is refused, and changes nothing.
  expect(() => gateway.useCertificate({ cert, key: plane.tls.key })).toThrow()
  expect((await health(authority.certificate)).status).toBe(200)
})

test('a heartbeat Lease that gets no answer is let go, and written once the API answers; that it does not is no illness', async () => {
  const { client, hindrance } = hindered()
  const clock = new FakeClock(new Date())
  await using gateway = await openGateway(plane, { id: 'g-hangs', client, clock })
  let hanging = 0
  hindrance.instead = async (signal) => {
    hanging++
    return await new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
  }
  await makeAppliance(plane, await makeNamespace(plane), 'box')
  await eventually(async () => {
    await clock.advance(100)
    return hanging > 0
  }, 'a write hangs')
  const before = hanging
  for (let i = 0; i < 90; i++) await clock.advance(1000)
  expect(hanging).toBeGreaterThan(before + 3)
  expect((await ask(`${gateway.url}/healthz`, { ca: plane.ca })).status).toBe(200)
  hindrance.instead = undefined
  await eventually(async () => {
    await clock.advance(1000)
    return (await leasesOf('g-hangs')).length > 0
  }, 'the Lease is written')
})

test('a loop that has stopped is told by /healthz, and by nothing else', async () => {
  const { client, hindrance } = hindered()
  const clock = new FakeClock(new Date())
  await using gateway = await openGateway(plane, { id: 'g-stuck', client, clock })
  // Deaf to its signal: it must not happen.
  const hanging: ((reason: Error) => void)[] = []
  hindrance.instead = () => new Promise<never>((_, reject) => hanging.push(reject))
  await makeAppliance(plane, await makeNamespace(plane), 'box')
  await eventually(async () => {
    await clock.advance(100)
    return hanging.length > 0
  }, 'a write hangs')
  const health = () => ask(`${gateway.url}/healthz`, { ca: plane.ca })
  await clock.advance(50_000)
  expect((await health()).status).toBe(200)
  await clock.advance(20_000)
  const sick = await health()
  expect(sick.status).toBe(500)
  expect(JSON.parse(sick.text)).toEqual({
    reason: 'Unhealthy',
    message: expect.stringMatching(/^heartbeats: the write of lease \d+ has hung for \d+ s$/),
  })
  expect((await ask(`${gateway.url}/readyz`, { ca: plane.ca })).status).toBe(200)
  // Else it would never end.
  for (const end of hanging) end(new Error('over'))
})
