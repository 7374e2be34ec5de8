import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { Appliance } from '../../crds/types.gen.ts'
import type { Verdict } from '../health/follow.ts'

const pending = (message: string): Verdict => ({ type: 'pending', message })
const MET: Verdict = { type: 'met' }

/** Whether an appliance's controller has taken up what its spec says. */
const isObserved = ({ metadata, status }: Appliance) => (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)

/** Drained: nobody is sent there any more, because it advertises nothing, or because it is not there to be sent to. */
export function isDrained(object: (KubeObject & JsonObject) | undefined): Verdict {
  if (!object) return MET
  const appliance = object as unknown as Appliance
  const { status, spec } = appliance
  if ((spec.mode ?? 'InService') === 'InService')
    return { type: 'failed', message: 'somebody has set it back to InService' }
  if (!isObserved(appliance)) return pending('its controller has not taken this up yet')
  const online = status?.conditions?.find(({ type }) => type === 'Online')
  if (online?.status === 'False') return MET
  const advertised = status?.content?.inventories?.length ?? 0
  return advertised === 0
    ? MET
    : pending(`its agent still advertises files of ${advertised} ${advertised === 1 ? 'catalog' : 'catalogs'}`)
}

/** Restored: its controller has taken up that it is in service. What it holds is advertised as soon as its agent hears of it. */
export function isRestored(object: (KubeObject & JsonObject) | undefined): Verdict {
  if (!object) return { type: 'failed', message: 'it has been deleted' }
  const appliance = object as unknown as Appliance
  if (!isObserved(appliance) || appliance.status?.phase === 'Draining')
    return pending('its controller has not taken this up yet')
  return MET
}
