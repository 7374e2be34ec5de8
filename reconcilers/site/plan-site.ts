import type { KubeObject } from '../../crds/metadata.ts'
import type { Reason } from '../../crds/reasons.ts'
import type { Appliance, Site } from '../../crds/types.gen.ts'
import { holdsContent } from '../appliance/plan-appliance.ts'
import type { Brake } from '../brake/brake.ts'
import { count } from '../bytes.ts'
import { type Cause, summarize, upsertConditions, type WantedCondition } from '../conditions.ts'
import { identify } from '../identity.ts'
import { type Plan, plan } from '../plan.ts'

/** Keeps a Site until none of its appliances holds anything that clients are sent to. */
export const SITE_FINALIZER = 'fleet.weir.dev/drain'

export interface SiteInput {
  readonly site: Site
  readonly appliances: readonly Appliance[]
  /** Parents (`namespace/name`) that do not exist. */
  readonly missingParents: readonly string[]
  /** While engaged, a site is not let go. */
  readonly brake: Brake
}

/** Decides a Site's status from its appliances; lets go of a deleted Site once its appliances are empty. Pure. */
export function planSite(input: SiteInput, now: Date): Plan {
  const { site, appliances } = input
  const p = plan(site)
  const holding = appliances.filter((appliance) => isOn(appliance, 'Online') && holdsContent(appliance))
  if (site.metadata.deletionTimestamp && holding.length === 0 && !input.brake.engaged)
    return p.apply(identify(site, [])).done()
  if (!site.metadata.deletionTimestamp) p.apply(identify(site, [SITE_FINALIZER]))

  const generation = site.metadata.generation
  p.applyStatus({
    ...identify(site),
    status: {
      ...(generation !== undefined && { observedGeneration: generation }),
      conditions: upsertConditions(site.status?.conditions, conditionsOf(input), now, generation),
      appliances: {
        total: appliances.length,
        online: appliances.filter((appliance) => isOn(appliance, 'Online')).length,
        ready: appliances.filter((appliance) => isOn(appliance, 'Ready')).length,
      },
      content: {
        bytesDesired: sum(appliances, 'bytesDesired'),
        bytesHeld: sum(appliances, 'bytesHeld'),
        filesFailing: sum(appliances, 'filesFailing'),
      },
    },
  } as KubeObject)
  if (!site.metadata.deletionTimestamp) return p.done()
  if (input.brake.engaged) return p.waiting('FleetDark', input.brake.message, 5_000)
  return p.waiting('Draining', `${count(holding.length, 'appliance')} still to be drained`)
}

function conditionsOf({ appliances, missingParents }: SiteInput): WantedCondition[] {
  const off = appliances.filter((appliance) => !isOn(appliance, 'Online')).length
  const failing = sum(appliances, 'filesFailing')
  const unready = appliances.filter((appliance) => !isOn(appliance, 'Ready')).length
  const problems = [
    ...(off > 0 ? [`${off} of ${count(appliances.length, 'appliance')} not online`] : []),
    ...(failing > 0 ? [`${count(failing, 'file')} cannot be filled`] : []),
  ]
  const degraded: WantedCondition<Reason<'Site'>> =
    problems.length > 0
      ? {
          type: 'Degraded',
          status: 'True',
          reason: off > 0 ? 'AppliancesOffline' : 'FilesFailing',
          message: problems.join('; '),
        }
      : {
          type: 'Degraded',
          status: 'False',
          reason: 'NothingWrong',
          message: 'Every appliance is online and can be filled',
        }
  const stalled: Cause<Reason<'Site'>> | undefined =
    missingParents.length > 0
      ? { reason: 'ParentNotFound', message: `Parent sites do not exist: ${missingParents.join(', ')}` }
      : undefined
  const reconciling: Cause<Reason<'Site'>> | undefined =
    unready > 0
      ? { reason: 'AppliancesNotReady', message: `${unready} of ${count(appliances.length, 'appliance')} not ready` }
      : undefined
  return summarize({
    ready: { reason: 'AppliancesReady', message: `${count(appliances.length, 'appliance')} ready` },
    ...(stalled && { stalled }),
    ...(reconciling && { reconciling }),
    conditions: [degraded],
  })
}

const isOn = (appliance: Appliance, type: string) =>
  appliance.status?.conditions?.some((c) => c.type === type && c.status === 'True') ?? false

const sum = (appliances: readonly Appliance[], field: 'bytesDesired' | 'bytesHeld' | 'filesFailing') =>
  appliances.reduce((total, appliance) => total + (appliance.status?.content?.[field] ?? 0), 0)
