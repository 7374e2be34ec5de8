import type { JsonObject, JsonValue, KubeObject } from '../../crds/metadata.ts'
import type { Health } from './health.ts'

type Body = KubeObject & JsonObject

/** How long the scheduler may take before a Pod without a node counts as one that will not get any. */
const SCHEDULE_WINDOW_MS = 15_000

const CURRENT: Health = { state: 'Current', message: '' }
const progress = (message: string): Health => ({ state: 'InProgress', message })
const failed = (message: string): Health => ({ state: 'Failed', message })

/**
 * The health of Kubernetes' own kinds, whose controllers say it in fields of their own; undefined for any other kind. Source:
 * https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/status/core.go
 */
export function builtInHealth(object: Body, now: Date): Health | undefined {
  const slash = object.apiVersion.indexOf('/')
  const group = slash < 0 ? '' : `${object.apiVersion.slice(0, slash)}/`
  return RULES[`${group}${object.kind}`]?.(object, now)
}

const RULES: Readonly<Record<string, (object: Body, now: Date) => Health>> = {
  ConfigMap: () => CURRENT,
  Secret: () => CURRENT,
  'batch/CronJob': () => CURRENT,
  'policy/PodDisruptionBudget': () => CURRENT,
  Service: (object) =>
    text(object, 'spec', 'type') === 'LoadBalancer' && text(object, 'spec', 'clusterIP') === ''
      ? progress('it has no cluster IP yet')
      : CURRENT,
  PersistentVolumeClaim: (object) => {
    const phase = text(object, 'status', 'phase') || 'unknown'
    return phase === 'Bound' ? CURRENT : progress(`it is not bound but ${phase}`)
  },
  Pod: podHealth,
  'apps/Deployment': deploymentHealth,
  'apps/ReplicaSet': replicaSetHealth,
  'apps/StatefulSet': statefulSetHealth,
  'apps/DaemonSet': daemonSetHealth,
  'batch/Job': jobHealth,
  'apiextensions.k8s.io/CustomResourceDefinition': definitionHealth,
}

function at(object: Body, ...path: readonly string[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>(
    (value, step) => (typeof value === 'object' && value !== null ? (value as JsonObject)[step] : undefined),
    object,
  )
}

const text = (object: Body, ...path: readonly string[]) => {
  const value = at(object, ...path)
  return typeof value === 'string' ? value : ''
}

const number = (object: Body, fallback: number, ...path: readonly string[]) => {
  const value = at(object, ...path)
  return typeof value === 'number' ? value : fallback
}

interface LooseCondition {
  readonly type?: string
  readonly status?: string
  readonly reason?: string
  readonly message?: string
}

function conditions(object: Body): readonly LooseCondition[] {
  const found = at(object, 'status', 'conditions')
  return Array.isArray(found) ? (found as readonly LooseCondition[]) : []
}

const conditionIs = (object: Body, type: string, status: string) =>
  conditions(object).find((condition) => condition.type === type && condition.status === status)

/** The first of several counts that is short of what is wanted, as progress. */
function short(wanted: number, counts: readonly (readonly [what: string, count: number])[]): Health | undefined {
  const found = counts.find(([, count]) => count < wanted)
  return found && progress(`${found[1]} of ${wanted} ${found[0]}`)
}

function podHealth(object: Body, now: Date): Health {
  const phase = text(object, 'status', 'phase')
  switch (phase) {
    case 'Succeeded':
    case 'Failed':
      return CURRENT
    case 'Running': {
      if (conditionIs(object, 'Ready', 'True')) return CURRENT
      const looping = crashLooping(object)
      return looping.length > 0
        ? failed(`crashing again and again: ${looping.join(', ')}`)
        : progress('it is not ready')
    }
    case 'Pending': {
      if (conditionIs(object, 'PodScheduled', 'False')?.reason !== 'Unschedulable') return progress('it is pending')
      const age = now.getTime() - Date.parse(object.metadata.creationTimestamp ?? '')
      return age < SCHEDULE_WINDOW_MS ? progress('it has no node yet') : failed('there is no node for it')
    }
    default:
      return progress(phase === '' ? 'no node has seen it yet' : `its phase is ${phase}`)
  }
}

function crashLooping(object: Body): string[] {
  const statuses = at(object, 'status', 'containerStatuses')
  if (!Array.isArray(statuses)) return []
  return (statuses as readonly { name?: string; state?: { waiting?: { reason?: string } } }[]).flatMap(
    ({ name = '', state }) => (state?.waiting?.reason === 'CrashLoopBackOff' ? [name] : []),
  )
}

function deploymentHealth(object: Body): Health {
  const status = (field: string) => number(object, 0, 'status', field)
  const wanted = number(object, 1, 'spec', 'replicas')
  const exceeded = conditions(object).find(
    ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
  )
  if (exceeded) return failed(`ProgressDeadlineExceeded: ${exceeded.message ?? ''}`)
  const [replicas, updated, available] = [status('replicas'), status('updatedReplicas'), status('availableReplicas')]
  const lacking = short(wanted, [
    ['replicas are there', replicas],
    ['replicas are updated', updated],
  ])
  if (lacking) return lacking
  if (replicas > wanted) return progress(`${replicas - wanted} old replicas are still there`)
  if (updated > available) return progress(`${available} of ${updated} replicas are available`)
  const unready = short(wanted, [['replicas are ready', status('readyReplicas')]])
  if (unready) return unready
  // Without a deadline the controller does not say whether it progresses.
  const deadline = at(object, 'spec', 'progressDeadlineSeconds')
  const progressing = deadline === undefined || deadline === 2 ** 31 - 1
  const arrived = conditionIs(object, 'Progressing', 'True')?.reason === 'NewReplicaSetAvailable'
  if (!progressing && !arrived) return progress('its new ReplicaSet is not available')
  return conditionIs(object, 'Available', 'True') ? CURRENT : progress('it is not available')
}

function replicaSetHealth(object: Body): Health {
  const status = (field: string) => number(object, 0, 'status', field)
  const wanted = number(object, 1, 'spec', 'replicas')
  const failure = conditionIs(object, 'ReplicaFailure', 'True')
  if (failure) return progress(`${failure.reason ?? 'ReplicaFailure'}: ${failure.message ?? ''}`)
  const lacking = short(wanted, [
    ['replicas have its labels', status('fullyLabeledReplicas')],
    ['replicas are available', status('availableReplicas')],
    ['replicas are ready', status('readyReplicas')],
  ])
  if (lacking) return lacking
  const extra = status('replicas') - wanted
  return extra > 0 ? progress(`${extra} replicas too many are still there`) : CURRENT
}

function statefulSetHealth(object: Body): Health {
  if (text(object, 'spec', 'updateStrategy', 'type') === 'OnDelete') return CURRENT
  const status = (field: string) => number(object, 0, 'status', field)
  const wanted = number(object, 1, 'spec', 'replicas')
  const lacking = short(wanted, [
    ['replicas are there', status('replicas')],
    ['replicas are ready', status('readyReplicas')],
  ])
  if (lacking) return lacking
  const extra = status('replicas') - wanted
  if (extra > 0) return progress(`${extra} replicas too many are still there`)
  const partition = number(object, -1, 'spec', 'updateStrategy', 'rollingUpdate', 'partition')
  if (partition !== -1)
    return short(wanted - partition, [['replicas are updated', status('updatedReplicas')]]) ?? CURRENT
  const behind = short(wanted, [['replicas are current', status('currentReplicas')]])
  if (behind) return behind
  const same = text(object, 'status', 'currentRevision') === text(object, 'status', 'updateRevision')
  return same ? CURRENT : progress('its replicas are not all of the new revision')
}

function daemonSetHealth(object: Body): Health {
  if (object.metadata.generation === undefined || at(object, 'status', 'observedGeneration') === undefined)
    return progress('its controller has not seen it yet')
  const status = (field: string) => number(object, 0, 'status', field)
  const wanted = number(object, -1, 'status', 'desiredNumberScheduled')
  if (wanted === -1) return progress('its controller has not counted nodes yet')
  const lacking = short(wanted, [
    ['pods have a node', status('currentNumberScheduled')],
    ['pods are updated', status('updatedNumberScheduled')],
    ['pods are available', status('numberAvailable')],
    ['pods are ready', status('numberReady')],
  ])
  return lacking ?? CURRENT
}

function jobHealth(object: Body): Health {
  if (conditionIs(object, 'Complete', 'True')) return CURRENT
  const failure = conditionIs(object, 'Failed', 'True')
  if (failure) return failed(`${failure.reason ?? 'JobFailed'}: ${failure.message ?? ''}`)
  return text(object, 'status', 'startTime') === '' ? progress('it has not been started') : CURRENT
}

function definitionHealth(object: Body): Health {
  for (const { type, status, reason = '', message = '' } of conditions(object)) {
    if (type === 'NamesAccepted' && status === 'False') return failed(`${reason}: ${message}`)
    if (type === 'Established' && status === 'True') return CURRENT
    if (type === 'Established' && status === 'False' && reason !== 'Installing') return failed(`${reason}: ${message}`)
  }
  return progress('it is not served yet')
}
