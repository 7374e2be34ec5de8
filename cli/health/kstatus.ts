import type { Condition, JsonObject, KubeObject } from '../../crds/metadata.ts'
import { builtInHealth } from './built-in.ts'
import type { Health } from './health.ts'

/**
 * An object's health from its conditions, as kstatus (and so Argo CD and Flux) reads them: Stalled is failure, Reconciling or an
 * older observedGeneration is progress, then built-in kinds are judged by what their controllers report, and the others by Ready.
 * `observed`: its controller reports observedGeneration, so that an empty status means that nobody has looked yet. Source:
 * https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
 */
export function healthOf(object: KubeObject & JsonObject, observed: boolean, now: Date): Health {
  const { generation, deletionTimestamp } = object.metadata
  if (deletionTimestamp) return { state: 'Terminating', message: 'it is being deleted' }
  const status = object.status as Status | null | undefined
  const seen = status?.observedGeneration
  if ((seen === undefined && observed) || (seen !== undefined && generation !== undefined && seen !== generation)) {
    return { state: 'InProgress', message: 'its controller has not seen the change yet' }
  }
  const condition = (type: string) => status?.conditions?.find((c) => c.type === type)
  const [stalled, reconciling, ready] = [condition('Stalled'), condition('Reconciling'), condition('Ready')]
  if (stalled?.status === 'True') return { state: 'Failed', message: sentence(stalled) }
  if (reconciling?.status === 'True') return { state: 'InProgress', message: sentence(reconciling, status?.waitingFor) }
  const builtIn = builtInHealth(object, now)
  if (builtIn) return builtIn
  if (ready && ready.status !== 'True') return { state: 'InProgress', message: sentence(ready, status?.waitingFor) }
  return { state: 'Current', message: '' }
}

interface Status {
  readonly observedGeneration?: number
  readonly conditions?: readonly Condition[]
  /** Of Appliances: what has to happen before it has converged. */
  readonly waitingFor?: readonly string[]
}

function sentence({ reason, message = '' }: Condition, waitingFor: readonly string[] = []): string {
  const said = message === '' ? reason : `${reason}: ${message}`
  const more = waitingFor.filter((what) => !said.includes(what))
  return more.length === 0 ? said : `${said} (${more.join('; ')})`
}
