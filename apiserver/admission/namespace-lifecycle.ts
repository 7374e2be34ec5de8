import { forbidden, notFound } from '../api-error.ts'
import { asObject, at } from '../json.ts'
import { objectKey } from '../storage/keys.ts'
import type { Gate } from './admission.ts'

/** New objects need a namespace that exists and is not being deleted. */
export const namespaceLifecycle: Gate = ({ operation, target, name }, tx) => {
  const { served, namespace } = target
  if (operation !== 'CREATE' || !served.info.namespaced) return
  const found = tx.get(objectKey('', 'namespaces', undefined, namespace))
  if (!found) throw notFound({ group: '', resource: 'namespaces' }, namespace)
  const { deletionTimestamp } = found.value.metadata
  const phase = at(asObject(found.value), 'status', 'phase')
  if (deletionTimestamp === undefined && phase !== 'Terminating') return
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`
  throw forbidden(served.groupResource, name, why, [
    {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    },
  ])
}
