import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../crds/metadata.ts'
import { TestServer } from '../support/test-server.ts'
import { configMap, configMaps, crds, widget, widgetCrd, widgets } from '../support/widgets.ts'

let server: TestServer
let count = 0
let path = ''
beforeAll(async () => {
  server = await TestServer.start()
  await server.create(crds, widgetCrd)
})
afterAll(() => server.stop())
beforeEach(async () => {
  const name = `patched-${++count}`
  path = `${widgets}/${name}`
  await server.create(widgets, widget(name, { color: 'blue', replicas: 1, tags: ['a', 'b'] }))
})

describe('merge patch', () => {
  test.each<[string, JsonObject, JsonObject]>([
    ['sets what it names', { spec: { replicas: 2 } }, { color: 'blue', replicas: 2, tags: ['a', 'b'] }],
    [
      'null takes away, and defaults come back',
      { spec: { color: null } },
      { color: 'red', replicas: 1, tags: ['a', 'b'] },
    ],
    ['lists are replaced', { spec: { tags: ['c'] } }, { color: 'blue', replicas: 1, tags: ['c'] }],
  ])('%s', async (_, patch, spec) => {
    const answer = await server.patch(path, 'merge-patch', patch)
    expect([answer.status, answer.body.spec]).toEqual([200, spec])
  })

  test('unknown fields are refused where that is asked for', async () => {
    const answer = await server.patch(`${path}?fieldValidation=Strict`, 'merge-patch', { spec: { foo: 1 } })
    expect(answer.status).toBe(422)
    expect(answer.body.message).toContain('strict decoding error: unknown field "spec.foo"')
  })

  test('a revision in the patch must be the current one', async () => {
    const answer = await server.patch(path, 'merge-patch', {
      metadata: { resourceVersion: '1' },
      spec: { replicas: 9 },
    })
    expect(answer.status).toBe(409)
  })

  test('a patch to status leaves the rest alone', async () => {
    const answer = await server.patch(`${path}/status`, 'merge-patch', {
      spec: { replicas: 9 },
      status: { phase: 'Up' },
    })
    expect(answer.body).toMatchObject({ spec: { replicas: 1 }, status: { phase: 'Up' } })
  })

  test('names cannot be changed', async () => {
    const answer = await server.patch(path, 'merge-patch', { metadata: { name: 'other' } })
    expect(answer.status).toBe(400)
  })
})

describe('JSON patch', () => {
  test('operations are carried out in order', async () => {
    const answer = await server.patch(path, 'json-patch', [
      { op: 'test', path: '/spec/replicas', value: 1 },
      { op: 'add', path: '/spec/tags/-', value: 'c' },
      { op: 'remove', path: '/spec/tags/0' },
      { op: 'replace', path: '/spec/replicas', value: 3 },
    ])
    expect([answer.status, answer.body.spec]).toEqual([200, { color: 'blue', replicas: 3, tags: ['b', 'c'] }])
  })

  test.each<[string, unknown, number]>([
    ['a test that fails', [{ op: 'test', path: '/spec/replicas', value: 2 }], 422],
    ['removing what is not there', [{ op: 'remove', path: '/spec/nothing' }], 422],
    ['an operation that does not exist', [{ op: 'frob', path: '/spec' }], 422],
    ['a patch that is no list', { op: 'remove' }, 400],
    ['no JSON at all', 'nonsense', 400],
  ])('%s is refused, and nothing is changed', async (_, patch, status) => {
    const before = await server.get(path)
    const answer = await server.patch(path, 'json-patch', patch)
    expect([answer.status, answer.body.kind]).toEqual([status, 'Status'])
    expect((await server.get(path)).body).toEqual(before.body)
  })
})

describe('strategic merge patch', () => {
  test('custom resources do not take it', async () => {
    const answer = await server.patch(path, 'strategic-merge-patch', {})
    expect(answer.status).toBe(415)
    expect(answer.body.message).toBe(
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    )
  })

  test('lists of built-in kinds merge by their key', async () => {
    const account = '/api/v1/namespaces/default/serviceaccounts'
    const secrets = [{ name: 'a' }, { name: 'b' }]
    await server.create(account, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'sa' }, secrets })
    const added = await server.patch(`${account}/sa`, 'strategic-merge-patch', { secrets: [{ name: 'c' }] })
    expect(added.body.secrets).toEqual([{ name: 'c' }, { name: 'a' }, { name: 'b' }])
    const removed = await server.patch(`${account}/sa`, 'strategic-merge-patch', {
      secrets: [{ $patch: 'delete', name: 'b' }],
      '$setElementOrder/secrets': [{ name: 'c' }, { name: 'a' }],
    })
    expect(removed.body.secrets).toEqual([{ name: 'c' }, { name: 'a' }])
  })

  test('finalizers merge as a set, and can be deleted from', async () => {
    await server.create(configMaps, configMap('held', {}, { finalizers: ['a/b', 'c/d'] }))
    const patch = { metadata: { '$deleteFromPrimitiveList/finalizers': ['a/b'], finalizers: ['e/f'] } }
    const answer = await server.patch(`${configMaps}/held`, 'strategic-merge-patch', patch)
    expect(answer.body.metadata!.finalizers).toEqual(['e/f', 'c/d'])
  })
})

describe('server-side apply', () => {
  const applied = (name: string, spec: JsonObject) => ({
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name },
    spec,
  })

  test('creates, and owns what it named', async () => {
    const answer = await server.patch(`${widgets}/ssa?fieldManager=alice`, 'apply', applied('ssa', { replicas: 3 }))
    expect([answer.status, answer.body.spec]).toEqual([201, { replicas: 3, color: 'red' }])
    expect(answer.body.metadata!.managedFields).toMatchObject([
      { manager: 'alice', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
    ])
  })

  test('a field that another owns is a conflict, unless forced', async () => {
    const name = path.slice(widgets.length + 1)
    const refused = await server.patch(`${path}?fieldManager=alice`, 'apply', applied(name, { replicas: 5 }))
    expect([refused.status, refused.body.reason]).toEqual([409, 'Conflict'])
    expect(refused.body.details!.causes).toMatchObject([{ reason: 'FieldManagerConflict', field: '.spec.replicas' }])
    const forced = await server.patch(`${path}?fieldManager=alice&force=true`, 'apply', applied(name, { replicas: 5 }))
    expect([forced.status, forced.body.spec!.replicas]).toEqual([200, 5])
  })

  test('what is not applied any more goes', async () => {
    const url = `${widgets}/shrunk?fieldManager=alice`
    await server.patch(url, 'apply', applied('shrunk', { replicas: 3, tags: ['x'] }))
    const less = await server.patch(url, 'apply', applied('shrunk', { replicas: 3 }))
    expect(less.body.spec).toEqual({ replicas: 3, color: 'red' })
  })

  test('applying the same again writes nothing', async () => {
    const url = `${widgets}/steady?fieldManager=alice`
    const first = await server.patch(url, 'apply', applied('steady', { replicas: 3 }))
    const again = await server.patch(url, 'apply', applied('steady', { replicas: 3 }))
    expect([again.status, again.body]).toEqual([200, first.body])
  })

  test('YAML is taken as it is', async () => {
    const yaml = 'apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: yaml\nspec:\n  replicas: 4\n'
    const answer = await server.patch(`${widgets}/yaml?fieldManager=alice`, 'apply', yaml)
    expect([answer.status, answer.body.spec]).toEqual([201, { replicas: 4, color: 'red' }])
  })

  test('a field manager must be named', async () => {
    const answer = await server.patch(`${widgets}/x`, 'apply', applied('x', {}))
    expect(answer.status).toBe(422)
    expect(answer.body.message).toBe(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    )
  })
})

describe('the namespace in what is sent', () => {
  const role = (rules: readonly JsonObject[]): JsonObject => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'of-kustomize', namespace: 'anywhere' },
    rules,
  })
  const rule = (verb: string): JsonObject => ({ apiGroups: [''], resources: ['pods'], verbs: [verb] })

  // kustomize gives every object its namespace.
  test('is of no effect on what is in none: it is applied, and patched, again and again', async () => {
    const url = '/apis/rbac.authorization.k8s.io/v1/clusterroles/of-kustomize'
    for (const verb of ['get', 'list', 'list']) {
      const applied = await server.patch(`${url}?fieldManager=test`, 'apply', role([rule(verb)]))
      expect([applied.status < 300, applied.body.rules]).toEqual([true, [rule(verb)]])
      expect(applied.body.metadata).not.toHaveProperty('namespace')
    }
    const patched = await server.patch(url, 'merge-patch', {
      metadata: { namespace: 'elsewhere' },
      rules: [rule('watch')],
    })
    expect([patched.status, patched.body.rules]).toEqual([200, [rule('watch')]])
    expect(patched.body.metadata).not.toHaveProperty('namespace')
  })

  test('must be the one of the request where there is one', async () => {
    const wrong = { metadata: { namespace: 'elsewhere' } }
    const refused = {
      status: 400,
      body: { message: expect.stringContaining('does not match the namespace sent on the request') },
    }
    expect(await server.patch(path, 'merge-patch', wrong)).toMatchObject(refused)
    const { apiVersion, kind, metadata } = widget(path.split('/').at(-1)!, {})
    const applied = { apiVersion, kind, metadata: { ...(metadata as JsonObject), ...wrong.metadata } }
    expect(await server.patch(`${path}?fieldManager=test`, 'apply', applied as JsonObject)).toMatchObject(refused)
  })
})
