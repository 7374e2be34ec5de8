import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type ApiServer, startApiServer } from '../../apiserver/server.ts'
import { startControllers } from '../../controllers/main.ts'
import { appliances, assignments, hardwareClasses, sites } from '../../controllers/resources.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import { openBlobStore } from '../../runtime/blob-store.ts'
import { Client } from '../../runtime/client/client.ts'
import { bearerCredentials } from '../../runtime/client/credentials.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import { coreEvents, type Resource } from '../../runtime/client/resource.ts'
import { silentLog } from '../../runtime/log.ts'
import { eventually, freshNamespace, install } from './control-plane.ts'

let dir: string
let server: ApiServer
let admin: Client
let limited: Client

const clusterRole: Resource = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterroles',
  kind: 'ClusterRole',
  namespaced: false,
}
const clusterRoleBinding: Resource = { ...clusterRole, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding' }

/** Everything that controllers need but two things: reading Secrets, and writing the status of Sites. */
const rules = [
  { apiGroups: ['fleet.weir.dev', 'content.weir.dev'], resources: ['*'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create', 'patch', 'get'] },
  {
    apiGroups: ['fleet.weir.dev'],
    resources: ['sites', 'appliances', 'appliances/status', 'assignments'],
    verbs: ['create', 'patch', 'delete'],
  },
]

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'weir-forbidden-'))
  const tokens = new Map([['limited-token', { name: 'limited', groups: ['system:authenticated'] }]])
  server = await startApiServer({ dataDir: join(dir, 'api'), tokens })
  const access = await loadKubeconfig({ path: server.kubeconfigPath })
  admin = new Client({ access })
  limited = new Client({ access: { ...access, credentials: bearerCredentials('limited-token') } })
  await install(admin)
  await put(clusterRole, { rules })
  const subjects = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'limited' }]
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'limited' }
  await put(clusterRoleBinding, { subjects, roleRef })
})
afterAll(async () => {
  limited?.close()
  admin?.close()
  await server?.close()
  rmSync(dir, { recursive: true, force: true })
})

function put(resource: Resource, fields: object, metadata: object = { name: 'limited' }): Promise<KubeObject> {
  const { group, version, kind } = resource
  const object = { apiVersion: `${group}/${version}`, kind, metadata, ...fields } as KubeObject
  return admin.apply(resource, object, { fieldManager: 'test', force: true })
}

test('too little RBAC: it says which verb on which resource, and the rest goes on', async () => {
  const ns = await freshNamespace(admin, 'forbidden')
  const warnings: string[] = []
  const log = {
    ...silentLog,
    warn: (fields: object, message: string) => void warnings.push(`${message} ${JSON.stringify(fields)}`),
    child: () => log,
  }
  const blobs = await openBlobStore(join(dir, 'blobs'))
  const controllers = startControllers({ client: limited, blobs, log, site: { progressDelayMs: 20 } })
  try {
    const hardware = { storageBytes: 10_000, storageMedium: 'flash', throughputGbps: 10 }
    await put(hardwareClasses, { spec: hardware }, { name: 'small' })
    const site = { country: 'DE', metro: 'fra', timeZone: 'UTC', network: { prefixes: [] } }
    await put(sites, { spec: site }, { name: 'fra', namespace: ns })
    const box = { siteRef: { name: 'fra' }, hardwareClassRef: { name: 'small' } }
    await put(appliances, { spec: box }, { name: 'box', namespace: ns })

    // What needs neither goes on.
    await eventually(() => admin.find(assignments, { namespace: ns, name: 'box' }), 'the Assignment is made')
    await eventually(async () => (await admin.get(appliances, { namespace: ns, name: 'box' })).status, 'a status')

    // Reading: the cache, and with it /readyz and the log, say what is missing; who needs it has not started, all others have.
    const cannot = 'cannot list resource "secrets" in API group "" at the cluster scope'
    expect(controllers.status.caches.find(({ resource }) => resource === 'secrets')).toMatchObject({
      synced: false,
      error: expect.stringContaining(cannot),
    })
    expect(warnings.join('\n')).toContain(JSON.stringify(cannot).slice(1, -1))
    const idle = controllers.status.controllers.filter(({ started }) => !started).map(({ name }) => name)
    expect(idle).toEqual(['credentials'])

    // Writing: an Event on the object, and the log.
    const sentence = `weir-site is not allowed to patch sites/status.fleet.weir.dev in namespace ${ns}`
    await eventually(async () => {
      const { items } = await admin.list(coreEvents, { namespace: ns })
      return items.some((e) => e.involvedObject.name === 'fra' && e.type === 'Warning' && e.message.includes(sentence))
    }, 'the Event says what is missing')
    expect(warnings.join('\n')).toContain(sentence)

    // The permission is given: it goes on by itself.
    const more = [
      { apiGroups: ['fleet.weir.dev'], resources: ['sites/status'], verbs: ['patch'] },
      { apiGroups: [''], resources: ['secrets'], verbs: ['list', 'watch', 'create'] },
    ]
    await put(clusterRole, { rules: [...rules, ...more] })
    await eventually(
      async () => (await admin.get(sites, { namespace: ns, name: 'fra' })).status,
      'the Site has a status',
    )
    await eventually(async () => controllers.status.controllers.every(({ started }) => started), 'all have started')
  } finally {
    await controllers.close()
  }
})
