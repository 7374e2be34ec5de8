import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startControllers } from '../../controllers/main.ts'
import { appliances, hardwareClasses, sites } from '../../controllers/resources.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import { tokenSecretName } from '../../reconcilers/credentials/plan-credentials.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import { type Resource, secrets } from '../../runtime/client/resource.ts'
import { type ControlPlane, eventually, freshNamespace, startControlPlane } from '../controllers/control-plane.ts'
import { ApiProxy } from './api-proxy.ts'
import { untilAllowed } from './until-allowed.ts'

let plane: ControlPlane
beforeAll(async () => {
  plane = await startControlPlane()
})
afterAll(async () => {
  await plane?.[Symbol.asyncDispose]()
})

const rbac = (kind: string, plural: string): Resource => ({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind,
  plural,
  namespaced: false,
})

test('controllers with too few rights say which verb on which resource is missing; what does not need it goes on', async () => {
  const ns = await freshNamespace(plane.client, 'rights')
  const user = `controller-of-${ns}`
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  const rules = [
    // Nothing of content.weir.dev.
    { apiGroups: ['fleet.weir.dev'], resources: ['*'], verbs: ['*'] },
    { apiGroups: ['', 'coordination.k8s.io'], resources: ['secrets', 'namespaces', 'events', 'leases'], verbs: ['*'] },
  ]
  const metadata = { name: user }
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: user }
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }]
  const how = { fieldManager: 'test', force: true }
  const role = { apiVersion, kind: 'ClusterRole', metadata, rules } as unknown as KubeObject
  const binding = { apiVersion, kind: 'ClusterRoleBinding', metadata, roleRef, subjects } as unknown as KubeObject
  await plane.client.apply(rbac('ClusterRole', 'clusterroles'), role, how)
  await plane.client.apply(rbac('ClusterRoleBinding', 'clusterrolebindings'), binding, how)

  const impersonate = { user, groups: ['system:authenticated'] }
  await untilAllowed(plane.client, impersonate, rules)
  await using proxy = await ApiProxy.start({ kubeconfigPath: plane.kubeconfigPath, impersonate })
  const path = proxy.writeKubeconfig(join(plane.dir, 'few-rights'))
  const client = new Client({ access: await loadKubeconfig({ path }) })
  const controllers = startControllers({ client, blobs: plane.blobs, installProtection: false })
  try {
    const spec = { storageBytes: 1e9, storageMedium: 'flash', throughputGbps: 1 }
    await make(hardwareClasses, 'small', spec)
    await make(sites, 'fra', { country: 'DE', metro: 'fra' }, ns)
    await make(appliances, 'box', { siteRef: { name: 'fra' }, hardwareClassRef: { name: 'small' } }, ns)
    await eventually(
      () => plane.client.find(secrets, { namespace: ns, name: tokenSecretName('box') }),
      'the controller of credentials, which needs no content, goes on',
    )
    await eventually(
      async () => (await plane.client.get(sites, { namespace: ns, name: 'fra' })).status?.appliances?.total === 1,
      'the controller of sites goes on',
    )
    const errors = controllers.status.caches.flatMap(({ resource, error }) => (error ? [`${resource}: ${error}`] : []))
    expect(errors.sort()).toEqual([
      expect.stringMatching(
        /^catalogs\.content\.weir\.dev: .*cannot list resource "catalogs" in API group "content\.weir\.dev"/,
      ),
      expect.stringMatching(/^placementplans\..*cannot list resource "placementplans"/),
      expect.stringMatching(/^placementpolicies\..*cannot list resource "placementpolicies"/),
    ])
  } finally {
    await controllers.close()
    client.close()
  }
}, 120_000)

async function make<T extends KubeObject>(resource: Resource<T>, name: string, spec: object, namespace?: string) {
  const object = {
    apiVersion: `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    spec,
  }
  return await plane.client.apply(resource, object as unknown as T, { fieldManager: 'test', force: true })
}
