import type { KubeObject } from '../crds/metadata.ts'
import type { ObjectRef, Write } from '../reconcilers/plan.ts'
import { isForbidden, Retryable } from '../runtime/errors.ts'
import type { EventSink } from './events.ts'
import { resourceOf } from './resources.ts'

const VERBS: Readonly<Record<Write['op'], string>> = {
  apply: 'patch',
  applyStatus: 'patch',
  create: 'create',
  delete: 'delete',
}

/**
 * What a write that was forbidden becomes: a sentence that says which verb on which resource, in the log and as an Event on the object, and a
 * retry with back-off, as permissions are given without any object changing. Any other error stays as it is.
 */
export function explainForbidden(
  error: unknown,
  { op }: Write,
  subject: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>,
  { events, fieldManager }: { readonly events: EventSink; readonly fieldManager: string },
): unknown {
  if (!isForbidden(error)) return error
  const { group, plural } = resourceOf(subject)
  const resource = `${plural}${op === 'applyStatus' ? '/status' : ''}${group === '' ? '' : `.${group}`}`
  const { name = '', namespace, uid } = subject.metadata
  const where = namespace === undefined ? '' : ` in namespace ${namespace}`
  const message = `${fieldManager} is not allowed to ${VERBS[op]} ${resource}${where}: ${(error as Error).message}`
  const regarding: ObjectRef = {
    apiVersion: subject.apiVersion,
    kind: subject.kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
  }
  events.record({ regarding, type: 'Warning', reason: 'Forbidden', message }, fieldManager)
  return new Retryable('Forbidden', message, { cause: error })
}
