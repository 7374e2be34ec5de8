import type { KubeObject } from '../../crds/metadata.ts'
import type { Reason } from '../../crds/reasons.ts'
import type { Appliance, Assignment, HardwareClass, Site } from '../../crds/types.gen.ts'
import { count, sayBytes } from '../bytes.ts'
import { type Cause, summarize, upsertConditions, type WantedCondition } from '../conditions.ts'
import { type Heard, shardOf } from '../heartbeats/leases.ts'
import { identify, keyOf } from '../identity.ts'
import { type Plan, plan } from '../plan.ts'

type Phase = NonNullable<NonNullable<Appliance['status']>['phase']>

export interface ApplianceInput {
  readonly appliance: Appliance
  readonly site: Site | undefined
  readonly hardwareClass: HardwareClass | undefined
  readonly assignment: Assignment | undefined
  readonly heard: Heard
}

/** Decides an Appliance's conditions, phase and what it waits for, from what was asked of it and what it reports. Pure. */
export function planAppliance(input: ApplianceInput, now: Date): Plan {
  const { appliance, heard } = input
  const generation = appliance.metadata.generation
  const online = onlineCondition(appliance, heard)
  const content = contentCondition(input)
  const missing = missingReference(input)
  const waitingFor = [
    ...(missing ? [missing.message] : []),
    ...(online.status === 'True' ? [] : [online.message]),
    ...(content.status === 'True' || missing ? [] : [content.message]),
  ]
  const out = serviceMode(appliance)
  const conditions = summarize({
    ready: out ?? { reason: 'Converged', message: 'Online, and holds all it should' },
    ...(missing && { stalled: missing }),
    ...(!missing && content.status !== 'True' && { reconciling: content }),
    conditions: [online, content],
    required: ['Online', 'ContentReady'],
  })
  const p = plan(appliance).applyStatus({
    ...identify(appliance),
    status: {
      ...(generation !== undefined && { observedGeneration: generation }),
      phase: phaseOf(appliance, online, content, missing),
      conditions: upsertConditions(appliance.status?.conditions, conditions, now, generation),
      waitingFor,
    },
  } as KubeObject)
  const before = appliance.status?.conditions?.find((c) => c.type === 'Online')
  if (before?.status === 'True' && online.status !== 'True') p.event('Warning', online.reason, online.message)
  if (before?.status === 'False' && online.status === 'True') {
    const first = before.reason === ('NeverConnected' satisfies Reason<'Appliance'>)
    p.event('Normal', online.reason, first ? 'Its agent has connected' : 'Heard of again')
  }
  // A Lease that runs out makes no event: look again when the first could.
  const recheckMs = heard.expiresAtMs === undefined ? undefined : heard.expiresAtMs - now.getTime() + 1
  return recheckMs === undefined ? p.done() : p.requeueAfter(Math.max(1, recheckMs))
}

function onlineCondition(
  appliance: Appliance,
  { online, freshShards, settling }: Heard,
): WantedCondition<Reason<'Appliance'>> {
  const key = keyOf(appliance)
  if (online.has(key)) return { type: 'Online', status: 'True', reason: 'Heartbeat', message: 'Sends heartbeats' }
  if (!freshShards.has(shardOf(key))) {
    const before = appliance.status?.conditions?.find((c) => c.type === 'Online')
    if (settling && before) return { ...before, reason: before.reason as Reason<'Appliance'> }
    return {
      type: 'Online',
      status: 'Unknown',
      reason: 'GatewayUnreachable',
      message: 'No gateway says whether it is online',
    }
  }
  if (!appliance.status?.agent) {
    return { type: 'Online', status: 'False', reason: 'NeverConnected', message: 'Its agent has not connected yet' }
  }
  return { type: 'Online', status: 'False', reason: 'HeartbeatLost', message: 'No heartbeat for 30 s' }
}

/** A reference that leads nowhere: only a person can mend it. */
function missingReference({ appliance, site, hardwareClass }: ApplianceInput): Cause<Reason<'Appliance'>> | undefined {
  if (!site) return { reason: 'SiteNotFound', message: `Site "${appliance.spec.siteRef.name}" does not exist` }
  if (!hardwareClass) {
    const name = appliance.spec.hardwareClassRef.name
    return { reason: 'HardwareClassNotFound', message: `HardwareClass "${name}" does not exist` }
  }
  return undefined
}

function contentCondition({ appliance, assignment }: ApplianceInput): WantedCondition<Reason<'Appliance'>> {
  const no = (reason: Reason<'Appliance'>, message: string) => ({
    type: 'ContentReady',
    status: 'False' as const,
    reason,
    message,
  })
  const asked = assignment?.spec.content
  const has = appliance.status?.content
  if (!asked) return no('NotAssigned', 'No content has been assigned yet')
  if (!has || has.generation < asked.generation) {
    return no('NotObserved', 'The agent has not taken up its latest Assignment yet')
  }
  if (has.filesFailing > 0) {
    const first = has.failures?.[0]
    const detail = first ? `: ${first.path}: ${first.message}` : ''
    return no('FilesFailing', `${count(has.filesFailing, 'file')} cannot be filled${detail}`)
  }
  if (has.bytesToFill > 0 || has.filesHeld < has.filesDesired) {
    return no('Filling', has.waitingFor || `${count(has.filesDesired - has.filesHeld, 'file')} to fill`)
  }
  return {
    type: 'ContentReady',
    status: 'True',
    reason: 'ContentComplete',
    message: `Holds ${count(has.filesHeld, 'file')}, ${sayBytes(has.bytesHeld)}, each verified`,
  }
}

/** What a person has asked for that keeps the appliance from serving. */
function serviceMode({ spec }: Appliance): Cause<Reason<'Appliance'>> | undefined {
  switch (spec.mode) {
    case 'Draining':
      return { reason: 'Draining', message: 'Clients are sent elsewhere, as its mode says' }
    case 'OutOfService':
      return { reason: 'OutOfService', message: 'Out of service, as its mode says' }
    case 'Decommissioned':
      return { reason: 'Decommissioned', message: 'Decommissioned, as its mode says' }
    default:
      return undefined
  }
}

function phaseOf(
  { spec, metadata }: Appliance,
  online: WantedCondition<Reason<'Appliance'>>,
  content: WantedCondition<Reason<'Appliance'>>,
  missing: Cause<Reason<'Appliance'>> | undefined,
): Phase {
  if (spec.mode === 'Decommissioned') return 'Decommissioned'
  if (spec.mode === 'OutOfService') return 'OutOfService'
  if (spec.mode === 'Draining' || metadata.deletionTimestamp) return 'Draining'
  if (missing || online.reason === 'NeverConnected') return 'Pending'
  if (online.status === 'False') return 'Offline'
  if (content.reason === 'FilesFailing') return 'Degraded'
  if (content.status === 'True') return 'Ready'
  return content.reason === 'NotAssigned' ? 'Pending' : 'Filling'
}

/** Whether it keeps bytes that clients may be on their way to: advertised, or withdrawn and not yet evicted. */
export function holdsContent({ status }: Appliance): boolean {
  const content = status?.content
  return content !== undefined && ((content.inventories?.length ?? 0) > 0 || content.storageUsedBytes > 0)
}
