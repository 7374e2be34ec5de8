import type { Api } from '../api.ts'
import { ApiError } from '../api-error.ts'
import { controllerUser } from '../auth/user.ts'
import { asObject } from '../json.ts'
import { createObject } from '../verbs/create.ts'

const namespaces = ['default', 'kube-system', 'kube-public']

/** Makes what must be there from the start. */
export async function bootstrap(api: Api): Promise<void> {
  const served = api.registry.find('', 'v1', 'namespaces')
  if (!served) throw new Error('namespaces are not served')
  const user = controllerUser('bootstrap')
  for (const name of namespaces) {
    if (api.store.get(served.key('', name))) continue
    const object = asObject({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    const target = { served, namespace: '', name: '', subresource: '', user, warn: () => {} } as const
    const options = {
      dryRun: false,
      fieldManager: 'kube-apiserver',
      fieldValidation: 'Ignore',
      userAgent: undefined,
    } as const
    await createObject(api, target, object, options).catch((err: unknown) => {
      if (!(err instanceof ApiError) || err.status.reason !== 'AlreadyExists') throw err
    })
  }
}
