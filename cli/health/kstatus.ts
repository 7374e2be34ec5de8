import type { Condition, JsonObject, KubeObject } from '../../crds/metadata.ts'

/** Whether an object is as its spec wants it: kstatus' words. */
export interface Health {
  readonly state: 'Current' | 'InProgress' | 'Failed' | 'Terminating'
  /** Why it is not `Current`; empty otherwise. */
  readonly message: string
}

/**
 * An object's health from its conditions, as kstatus (and so Argo CD and Flux) reads them: Stalled is failure, Reconciling or an
 * older observedGeneration is progress, and then Ready decides. `observed`: its controller reports observedGeneration, so that an empty
 * status means that nobody has looked yet. Source: https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
 */
export function healthOf(object: KubeObject & JsonObject, observed: boolean): Health {
  const { generation, deletionTimestamp } = object.metadata
  if (deletionTimestamp) return { state: 'Terminating', message: 'it is being deleted' }
  const status = object.status as { observedGeneration?: number; conditions?: readonly Condition[] } | undefined
  const seen = status?.observedGeneration
  if ((seen === undefined && observed) || (seen !== undefined && generation !== undefined && seen < generation)) {
    return { state: 'InProgress', message: 'its controller has not seen the change yet' }
  }
  const condition = (type: string) => status?.conditions?.find((c) => c.type === type)
  const [stalled, reconciling, ready] = [condition('Stalled'), condition('Reconciling'), condition('Ready')]
  if (stalled?.status === 'True') return { state: 'Failed', message: sentence(stalled) }
  if (reconciling?.status === 'True') return { state: 'InProgress', message: sentence(reconciling) }
  if (ready && ready.status !== 'True') return { state: 'InProgress', message: sentence(ready) }
  return { state: 'Current', message: '' }
}

const sentence = ({ reason, message }: Condition) => (message === '' ? reason : `${reason}: ${message}`)
