import type { JsonObject } from '../../crds/metadata.ts'
import type { Api } from '../api.ts'
import { bootstrapBindings, bootstrapRoles } from '../auth/bootstrap-policy.ts'
import { controllerUser } from '../auth/user.ts'
import type { ApiObject } from '../json.ts'
import type { Transaction } from '../storage/store.ts'
import { createIn } from '../verbs/create.ts'
import { transact } from '../verbs/write.ts'

const user = controllerUser('bootstrap')
const namespaces = ['default', 'kube-system', 'kube-public'].map((name) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
}))

/** Makes what must be there from the start, in one transaction; leaves alone what is there already. */
export async function bootstrap(api: Api): Promise<void> {
  await transact(api, false, (tx) => {
    for (const object of namespaces) ensure(api, tx, '', 'namespaces', object)
    for (const object of bootstrapRoles) ensure(api, tx, 'rbac.authorization.k8s.io', 'clusterroles', object)
    for (const object of bootstrapBindings) ensure(api, tx, 'rbac.authorization.k8s.io', 'clusterrolebindings', object)
  })
}

function ensure(api: Api, tx: Transaction, group: string, plural: string, json: JsonObject): void {
  const served = api.registry.find(group, 'v1', plural)
  if (!served) throw new Error(`${plural} are not served`)
  const object = json as unknown as ApiObject
  if (tx.get(served.key('', object.metadata.name ?? ''))) return
  createIn(api, tx, { served, namespace: '', name: '', subresource: '', user, warn: () => {} }, object, false)
}
