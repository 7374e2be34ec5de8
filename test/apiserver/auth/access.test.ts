import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { TestServer } from '../support/test-server.ts'
import { configMap, configMaps } from '../support/widgets.ts'

const rbac = '/apis/rbac.authorization.k8s.io/v1'
const bob = { token: 'bob-token' }
const subjects = [{ kind: 'User', name: 'bob' }]
let server: TestServer
beforeAll(async () => {
  server = await TestServer.start()
  await server.create(`${rbac}/namespaces/default/roles`, {
    metadata: { name: 'reader' },
    rules: [
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] },
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['his'], verbs: ['get'] },
      { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: ['create', 'update'] },
    ],
  })
  await server.create(`${rbac}/namespaces/default/rolebindings`, {
    metadata: { name: 'bob-reads' },
    roleRef: { kind: 'Role', name: 'reader' },
    subjects,
  })
})
afterAll(() => server.stop())

describe('who asks', () => {
  test.each(['/healthz', '/livez', '/readyz', '/version', '/readyz/etcd'])('%s answers anybody', async (path) => {
    expect((await server.get(path, { token: null })).status).toBe(200)
  })

  test.each(['/api', '/apis', '/openapi/v3', configMaps, '/metrics'])('%s does not', async (path) => {
    const refused = await server.get(path, { token: null })
    expect([refused.status, refused.body.reason]).toEqual([403, 'Forbidden'])
    expect(refused.body.message).toContain('system:anonymous')
  })

  test('a token that nobody has is refused, also where anybody may read', async () => {
    const refused = await server.get('/version', { token: 'stolen' })
    expect([refused.status, refused.body]).toMatchObject([401, { kind: 'Status', reason: 'Unauthorized', code: 401 }])
  })

  test('the certificate in the kubeconfig is the administrator', async () => {
    const pki = join(server.folder, 'pki')
    const [cert, key] = await Promise.all(['admin.crt', 'admin.key'].map((f) => readFile(join(pki, f))))
    const text = await new Promise<string>((resolve, reject) => {
      const url = new URL('/apis/authentication.k8s.io/v1/selfsubjectreviews', server.server.url)
      const req = request(url, { method: 'POST', ca: server.ca, cert, key, agent: false }, (res) => {
        let body = ''
        res.on('data', (c) => {
          body += String(c)
        })
        res.on('end', () => resolve(body))
      })
      req.on('error', reject)
      req.end('{}')
    })
    expect(JSON.parse(text)).toMatchObject({
      status: { userInfo: { username: 'weir-admin', groups: ['system:masters', 'system:authenticated'] } },
    })
  })
})

describe('who may', () => {
  test('a role allows what it names, in its namespace', async () => {
    expect((await server.get(configMaps, bob)).status).toBe(200)
    const refused = await server.post(configMaps, configMap('no'), bob)
    expect([refused.status, refused.body.message]).toEqual([
      403,
      'configmaps is forbidden: User "bob" cannot create resource "configmaps" in API group "" in the namespace "default"',
    ])
    const elsewhere = await server.get('/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt', bob)
    expect(elsewhere.body.message).toBe(
      'configmaps "kube-root-ca.crt" is forbidden: User "bob" cannot get resource "configmaps" in API group "" in the namespace "kube-system"',
    )
    expect((await server.get('/api/v1/configmaps', bob)).body.message).toContain('at the cluster scope')
  })

  test('of one object only, where it is named', async () => {
    expect((await server.get('/api/v1/namespaces/default/secrets/his', bob)).status).toBe(404)
    expect((await server.get('/api/v1/namespaces/default/secrets/hers', bob)).status).toBe(403)
  })

  test('taking the binding away takes effect at once', async () => {
    const binding = { metadata: { name: 'once' }, roleRef: { kind: 'ClusterRole', name: 'view' }, subjects }
    await server.create(`${rbac}/clusterrolebindings`, binding)
    expect((await server.get('/api/v1/configmaps', bob)).status).toBe(200)
    await server.delete(`${rbac}/clusterrolebindings/once`)
    expect((await server.get('/api/v1/configmaps', bob)).status).toBe(403)
  })

  test('nobody grants what they do not have', async () => {
    const role = (verbs: string[]) => ({
      metadata: { name: 'own' },
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs }],
    })
    const more = await server.post(`${rbac}/namespaces/default/roles`, role(['get', 'delete']), bob)
    expect(more.status).toBe(403)
    expect(more.body.message).toContain(
      'is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["configmaps"], Verbs:["delete"]}',
    )
    expect((await server.post(`${rbac}/namespaces/default/roles`, role(['get', 'list']), bob)).status).toBe(201)
    const admin = { metadata: { name: 'mine' }, roleRef: { kind: 'ClusterRole', name: 'admin' }, subjects }
    expect((await server.post(`${rbac}/namespaces/default/rolebindings`, admin, bob)).status).toBe(403)
  })
})

describe('reviews', () => {
  const ask = (verb: string, resource: string) => ({
    spec: { resourceAttributes: { verb, resource, namespace: 'default' } },
  })

  test('may I?', async () => {
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
    expect((await server.post(path, ask('get', 'configmaps'), bob)).body.status).toMatchObject({ allowed: true })
    expect((await server.post(path, ask('delete', 'configmaps'), bob)).body.status).toEqual({ allowed: false })
    expect((await server.post(path, ask('delete', 'anything'))).body.status).toMatchObject({ allowed: true })
  })

  test('may they?', async () => {
    const review = { spec: { user: 'bob', ...ask('list', 'configmaps').spec } }
    const path = '/apis/authorization.k8s.io/v1'
    expect((await server.post(`${path}/subjectaccessreviews`, review)).body.status).toMatchObject({ allowed: true })
    const local = { metadata: { namespace: 'default' }, ...review }
    const there = await server.post(`${path}/namespaces/default/localsubjectaccessreviews`, local)
    expect(there.body.status).toMatchObject({ allowed: true })
    const nobody = await server.post(`${path}/subjectaccessreviews`, ask('get', 'x'))
    expect(nobody.body.message).toContain('at least one of user or group must be specified')
  })

  test('whose token is it?', async () => {
    const path = '/apis/authentication.k8s.io/v1/tokenreviews'
    const known = await server.post(path, { spec: { token: 'bob-token' } })
    expect(known.body.status).toMatchObject({ authenticated: true, user: { username: 'bob' } })
    const unknown = await server.post(path, { spec: { token: 'x' } })
    expect(unknown.body.status).toEqual({ authenticated: false })
  })

  test('they cannot be turned into Tables, read or listed', async () => {
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
    const headers = { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' }
    expect((await server.post(path, ask('get', 'x'), { headers })).status).toBe(406)
    expect((await server.get(path)).body).toMatchObject({ code: 405, reason: 'MethodNotAllowed' })
  })
})

describe('acting for others', () => {
  const as = (user: string, token?: string) => ({ headers: { 'impersonate-user': user }, ...(token ? { token } : {}) })

  test('the administrator can', async () => {
    expect((await server.get(configMaps, as('bob'))).status).toBe(200)
    expect((await server.delete(configMaps, undefined, as('bob'))).status).toBe(403)
  })

  test('others cannot unless they may impersonate', async () => {
    const refused = await server.get(configMaps, as('admin', 'bob-token'))
    expect([refused.status, refused.body.message]).toEqual([
      403,
      'users "admin" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope',
    ])
  })
})
