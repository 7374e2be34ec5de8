import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../crds/metadata.ts'
import { TestServer } from '../support/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server.stop())

const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases'
const lease = (name: string, spec: JsonObject) => ({ metadata: { name }, spec })

test('times keep their microseconds', async () => {
  const made = await server.create(
    leases,
    lease('timed', { renewTime: '2026-01-02T03:04:05.6Z', leaseDurationSeconds: 30 }),
  )
  expect(made.spec).toEqual({ renewTime: '2026-01-02T03:04:05.600000Z', leaseDurationSeconds: 30 })
})

test.each<[JsonObject, string, string]>([
  [{ leaseDurationSeconds: 0 }, 'spec.leaseDurationSeconds', 'must be greater than 0'],
  [{ leaseTransitions: -1 }, 'spec.leaseTransitions', 'must be greater than or equal to 0'],
  [{ preferredHolder: 'me' }, 'spec.preferredHolder', 'may only be specified if `strategy` is defined'],
])('%j is refused', async (spec, field, message) => {
  const refused = await server.post(leases, lease('refused', spec))
  expect(refused.body.details!.causes).toMatchObject([{ field }])
  expect(refused.body.message).toContain(message)
})

test('of two who take a lease at the same time one gets it', async () => {
  const made = await server.create(leases, lease('taken', { holderIdentity: 'nobody' }))
  const take = (holderIdentity: string) => server.put(`${leases}/taken`, { ...made, spec: { holderIdentity } })
  const answers = await Promise.all([take('a'), take('b'), take('c')])
  expect(answers.map((a) => a.status).sort()).toEqual([200, 409, 409])
})
