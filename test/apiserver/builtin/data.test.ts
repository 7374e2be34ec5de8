import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../crds/metadata.ts'
import { TestServer } from '../support/test-server.ts'
import { configMap, configMaps } from '../support/widgets.ts'

let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
})
afterAll(() => server.stop())

const secrets = '/api/v1/namespaces/default/secrets'
const base64 = (text: string) => Buffer.from(text).toString('base64')
const secret = (name: string, more: JsonObject) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, ...more })

describe('Secrets', () => {
  test('stringData is folded into data and not kept; the type defaults to Opaque', async () => {
    const made = await server.create(
      secrets,
      secret('folded', { data: { a: base64('1') }, stringData: { a: '2', b: '3' } }),
    )
    expect(made).toMatchObject({ type: 'Opaque', data: { a: base64('2'), b: base64('3') } })
    expect(made.stringData).toBeUndefined()
  })

  test('can be listed by type', async () => {
    await server.create(secrets, secret('typed', { type: 'example.com/t' }))
    const list = await server.get(`${secrets}?fieldSelector=type%3Dexample.com/t`)
    expect(list.body.items).toMatchObject([{ metadata: { name: 'typed' } }])
  })

  test('their type cannot be changed', async () => {
    const made = await server.create(secrets, secret('fixed', {}))
    const refused = await server.put(`${secrets}/fixed`, { ...made, type: 'example.com/other' })
    expect(refused.body.details!.causes).toMatchObject([
      { field: 'type', message: 'Invalid value: "example.com/other": field is immutable' },
    ])
  })

  test.each<[string, JsonObject, string[]]>([
    ['kubernetes.io/tls', {}, ['data[tls.crt]', 'data[tls.key]']],
    ['kubernetes.io/ssh-auth', {}, ['data[ssh-privatekey]']],
    ['kubernetes.io/basic-auth', {}, ['data[username]', 'data[password]']],
    ['kubernetes.io/dockerconfigjson', {}, ['data[.dockerconfigjson]']],
    [
      'kubernetes.io/dockerconfigjson',
      { data: { '.dockerconfigjson': base64('nonsense') } },
      ['data[.dockerconfigjson]'],
    ],
    ['kubernetes.io/service-account-token', {}, ['metadata.annotations[kubernetes.io/service-account.name]']],
  ])('%s must hold what its type says', async (type, more, fields) => {
    const refused = await server.post(secrets, secret('well-known', { type, ...more }))
    const causes = refused.body.details!.causes as unknown as { field: string }[]
    expect([refused.status, causes.map((c) => c.field)]).toEqual([422, fields])
  })

  test('data that is no base64 cannot be read', async () => {
    const refused = await server.post(secrets, secret('bad', { data: { a: '%%%' } }))
    expect([refused.status, refused.body.message]).toEqual([
      400,
      'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0',
    ])
  })
})

describe('ConfigMaps', () => {
  test.each(['..', '../up', 'a/b', '', 'x'.repeat(254)])('%j is no key', async (key) => {
    const refused = await server.post(configMaps, configMap('keys', { [key]: 'v' }))
    expect([refused.status, refused.body.reason]).toEqual([422, 'Invalid'])
    expect(refused.body.message).toContain(`data[${key}]: Invalid value`)
  })

  test('a key may be text or bytes, not both', async () => {
    const refused = await server.post(configMaps, { ...configMap('both', { a: '1' }), binaryData: { a: base64('1') } })
    expect(refused.body.message).toContain('duplicate of key present in binaryData')
  })

  test('more than a mebibyte is refused', async () => {
    const refused = await server.post(configMaps, configMap('big', { a: 'x'.repeat(1024 * 1024 + 1) }))
    expect(refused.body.message).toContain('Too long: may not be more than 1048576 bytes')
  })
})

test.each([
  ['a ConfigMap', configMaps, { ...configMap('frozen', { a: '1' }), immutable: true }, { data: { a: '2' } }],
  ['a Secret', secrets, secret('frozen', { data: { a: base64('1') }, immutable: true }), { data: { a: base64('2') } }],
])('%s that is immutable stays as it is, but for metadata', async (_, path, object, change) => {
  await server.create(path, object as JsonObject)
  const changed = await server.patch(`${path}/frozen`, 'merge-patch', change)
  expect(changed.body.details!.causes).toMatchObject([
    { field: 'data', reason: 'FieldValueForbidden', message: 'Forbidden: field is immutable when `immutable` is set' },
  ])
  const thawed = await server.patch(`${path}/frozen`, 'merge-patch', { immutable: false })
  expect(thawed.body.details!.causes).toMatchObject([{ field: 'immutable' }])
  const labelled = await server.patch(`${path}/frozen`, 'merge-patch', { metadata: { labels: { a: 'b' } } })
  expect(labelled.status).toBe(200)
})
