import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { JsonObject } from '../../../crds/metadata.ts'
import { TestServer } from '../support/test-server.ts'
import { configMap, configMaps, crds, widget, widgetCrd, widgets } from '../support/widgets.ts'

const api = '/apis/admissionregistration.k8s.io/v1'
let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await server.create(crds, widgetCrd)
})
afterAll(() => server.stop())

const rule = (change: JsonObject = {}) => ({
  apiGroups: ['example.com'],
  apiVersions: ['v1'],
  operations: ['*'],
  resources: ['widgets'],
  ...change,
})

/** A policy in force from here to the end of `fn`. */
async function during(name: string, spec: JsonObject, binding: JsonObject, fn: () => Promise<void>): Promise<void> {
  const bound = { policyName: name, validationActions: ['Deny'], ...binding }
  await server.create(`${api}/validatingadmissionpolicies`, {
    metadata: { name },
    spec: { matchConstraints: { resourceRules: [rule()] }, ...spec },
  })
  await server.create(`${api}/validatingadmissionpolicybindings`, { metadata: { name }, spec: bound })
  try {
    await fn()
  } finally {
    await server.delete(`${api}/validatingadmissionpolicybindings/${name}`)
    await server.delete(`${api}/validatingadmissionpolicies/${name}`)
  }
}

test('a deletion is refused while an object is in use, and the users are named', async () => {
  const inUse = {
    matchConstraints: { resourceRules: [rule({ operations: ['DELETE'] })] },
    variables: [
      {
        name: 'phase',
        expression: "has(oldObject.status) && has(oldObject.status.phase) ? oldObject.status.phase : ''",
      },
    ],
    validations: [
      { expression: "variables.phase == ''", messageExpression: "'used by ' + variables.phase", reason: 'Forbidden' },
    ],
  }
  await during('in-use', inUse, {}, async () => {
    await server.create(widgets, widget('used'))
    await server.patch(`${widgets}/used/status`, 'merge-patch', { status: { phase: 'policy-a' } })
    const refused = await server.delete(`${widgets}/used`)
    expect([refused.status, refused.body.reason, refused.body.message]).toEqual([
      403,
      'Forbidden',
      `widgets.example.com "used" is forbidden: ValidatingAdmissionPolicy 'in-use' with binding 'in-use' denied request: used by policy-a`,
    ])
    await server.patch(`${widgets}/used/status`, 'merge-patch', { status: { phase: null } })
    expect((await server.delete(`${widgets}/used`)).status).toBe(200)
  })
})

describe('what a policy sees', () => {
  test.each<[string, string, JsonObject, number]>([
    ['the new object', 'object.spec.replicas < 5', { replicas: 9 }, 422],
    ['the new object, with its defaults', "object.spec.color == 'red'", {}, 201],
    ['that there is no old one', 'oldObject == null', {}, 201],
    ['who asks', "request.userInfo.username == 'admin'", {}, 201],
    ['what is asked', "request.operation == 'CREATE' && request.resource.resource == 'widgets'", {}, 201],
    ['the namespace', "namespaceObject.metadata.name == 'default'", {}, 201],
    ['an error where it looks for what is not', 'object.spec.nothing.here == 1', {}, 422],
  ])('%s: %s', async (_, expression, spec, status) => {
    await during('seen', { validations: [{ expression }] }, {}, async () => {
      expect((await server.post(`${widgets}?dryRun=All`, widget('seen', spec))).status).toBe(status)
    })
  })

  test('the old object too, on updates', async () => {
    const validations = [{ expression: 'oldObject.spec.replicas <= object.spec.replicas', message: 'may only grow' }]
    await server.create(widgets, widget('growing', { replicas: 3 }))
    await during(
      'growing',
      { matchConstraints: { resourceRules: [rule({ operations: ['UPDATE'] })] }, validations },
      {},
      async () => {
        expect((await server.patch(`${widgets}/growing`, 'merge-patch', { spec: { replicas: 4 } })).status).toBe(200)
        const refused = await server.patch(`${widgets}/growing`, 'merge-patch', { spec: { replicas: 1 } })
        expect([refused.status, refused.body.message]).toEqual([
          422,
          `widgets.example.com "growing" is forbidden: ValidatingAdmissionPolicy 'growing' with binding 'growing' denied request: may only grow`,
        ])
      },
    )
  })
})

const never = { validations: [{ expression: 'false' }] }
describe('what a policy is about', () => {
  test.each<[string, JsonObject, JsonObject, number]>([
    ['everything its rules name', never, {}, 422],
    [
      'not what they do not',
      { ...never, matchConstraints: { resourceRules: [rule({ resources: ['gadgets'] })] } },
      {},
      201,
    ],
    [
      'not what they leave out',
      { ...never, matchConstraints: { resourceRules: [rule()], excludeResourceRules: [rule()] } },
      {},
      201,
    ],
    [
      'not what its conditions leave out',
      { ...never, matchConditions: [{ name: 'other', expression: "object.metadata.name == 'other'" }] },
      {},
      201,
    ],
    [
      'not other namespaces than selected',
      never,
      { matchResources: { namespaceSelector: { matchLabels: { a: 'b' } } } },
      201,
    ],
    ['objects as selected', never, { matchResources: { objectSelector: { matchLabels: { a: 'b' } } } }, 201],
    ['only what is bound', never, { policyName: 'another' }, 201],
  ])('%s', async (_, spec, binding, status) => {
    await during('about', spec, binding, async () => {
      expect((await server.post(`${widgets}?dryRun=All`, widget('about'))).status).toBe(status)
    })
  })
})

test('a binding may warn instead', async () => {
  await during(
    'warn',
    { validations: [{ expression: 'false', message: 'think twice' }] },
    { validationActions: ['Warn'] },
    async () => {
      const made = await server.post(`${widgets}?dryRun=All`, widget('warned'))
      expect([made.status, made.headers.warning]).toEqual([
        201,
        `299 - "Validation failed for ValidatingAdmissionPolicy 'warn' with binding 'warn': think twice"`,
      ])
    },
  )
})

test('a policy may take parameters', async () => {
  const spec = {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    validations: [{ expression: 'object.spec.replicas <= int(params.data.most)' }],
  }
  const paramRef = { name: 'limits', namespace: 'default', parameterNotFoundAction: 'Deny' }
  await during('limited', spec, { paramRef }, async () => {
    const post = (replicas: number) => server.post(`${widgets}?dryRun=All`, widget('limited', { replicas }))
    expect((await post(1)).body.message).toContain('no params found')
    await server.create(configMaps, configMap('limits', { most: '3' }))
    expect([(await post(3)).status, (await post(4)).status]).toEqual([201, 422])
  })
})

test('failurePolicy Ignore lets pass what cannot be told', async () => {
  await during(
    'lenient',
    { failurePolicy: 'Ignore', validations: [{ expression: 'object.spec.nothing == 1' }] },
    {},
    async () => {
      expect((await server.post(`${widgets}?dryRun=All`, widget('lenient'))).status).toBe(201)
    },
  )
})

test('a namespace that cannot be emptied says why, and goes once it can', async () => {
  await server.create('/api/v1/namespaces', { metadata: { name: 'guarded' } })
  await server.create('/apis/example.com/v1/namespaces/guarded/widgets', widget('kept'))
  const spec = {
    matchConstraints: { resourceRules: [rule({ operations: ['DELETE'] })] },
    validations: [{ expression: 'false', message: 'not yet' }],
  }
  await during('guard', spec, {}, async () => {
    await server.delete('/api/v1/namespaces/guarded')
    const said = await server.until('/api/v1/namespaces/guarded', (a) => a.text.includes('ContentDeletionFailed'))
    expect(said.text).toContain('denied request: not yet')
  })
  await server.until('/api/v1/namespaces/guarded', (a) => a.status === 404)
})

describe('a policy that makes no sense is refused', () => {
  test.each<[string, JsonObject, string]>([
    [
      'an expression that does not compile',
      { validations: [{ expression: 'object.(' }] },
      'spec.validations[0].expression',
    ],
    ['one that is no yes or no', { validations: [{ expression: "'text'" }] }, 'spec.validations[0].expression'],
    [
      'one that names what there is not',
      { validations: [{ expression: 'nonsense == 1' }] },
      'spec.validations[0].expression',
    ],
    ['no validations', {}, 'spec.validations'],
    ['no resources', { matchConstraints: { resourceRules: [] }, ...never }, 'spec.matchConstraints.resourceRules'],
    [
      'an audit log, which there is not',
      { ...never, auditAnnotations: [{ key: 'k', valueExpression: "'v'" }] },
      'spec.auditAnnotations',
    ],
  ])('%s', async (_, spec, field) => {
    const body = { metadata: { name: 'wrong' }, spec: { matchConstraints: { resourceRules: [rule()] }, ...spec } }
    const refused = await server.post(`${api}/validatingadmissionpolicies`, body)
    expect([refused.status, refused.body.details?.causes]).toMatchObject([422, [{ field }]])
  })
})
