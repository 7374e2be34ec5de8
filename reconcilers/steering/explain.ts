import { holdsAll, isBusy, isDrained, isExcluded, isForOthers } from './eligible.ts'
import { hashAt, loadAt, loadOf, stateOf } from './places.ts'
import { STATE } from './state.ts'
import type { Steering } from './steering.ts'
import { forEachPinned, sitesOf } from './tier-sites.ts'
import { type CandidateReason, type Considered, PURPOSES, TIERS, type Tier } from './types.ts'

/**
 * Fills in why each candidate of each tier was kept or rejected, in the order in which sites are looked at. Goes by the tests that the decision goes by;
 * what they let pass and the answer does not name, was not needed.
 */
export function explainAnswer(steering: Steering): void {
  const { world, request, memory, policy } = steering
  const { answer } = memory
  const considered: Considered[] = []
  const seen = new Set<number>()
  const named = new Map<number, number>()
  for (let i = 0; i < answer.count; i++) named.set(answer.appliances[i]!, answer.tiers[i]!)
  const tell = (tier: Tier, site: number) => {
    if (seen.has(site)) return
    seen.add(site)
    for (const appliance of sitesOf(world.siteAppliances, site)) {
      const reason = reasonFor(steering, appliance, named)
      considered.push({ appliance, tier, site, reason, utilisation: loadOf(world, appliance) })
    }
  }
  for (const t of policy.tiers) {
    const tier = TIERS[t]!
    const { site, region } = request.client
    if (tier === 'Fallback') {
      policy.fallbacks.forEach((_, i) => {
        if (!policy.fallbacksFor[PURPOSES.indexOf(request.purpose)]!.includes(i)) return
        const reason = named.has(-1 - i) ? 'Chosen' : 'NotNeeded'
        considered.push({ appliance: -1 - i, tier, site: -1, reason, utilisation: Number.NaN })
      })
    } else if (tier === 'Site') {
      forEachPinned(steering, (pinned) => tell(tier, pinned))
      if (site >= 0) tell(tier, site)
    } else {
      const lists = { Siblings: world.siblings, Parents: world.parents, Region: world.regionSites }[tier]
      for (const one of sitesOf(lists, tier === 'Region' ? region : site)) tell(tier, one)
    }
  }
  answer.considered = considered
}

function reasonFor(
  { world, request, policy, limit }: Steering,
  appliance: number,
  named: ReadonlyMap<number, number>,
): CandidateReason {
  const place = world.appliancePlace[appliance]!
  const busy = isBusy(request.seed, limit, loadAt(world.places, place), hashAt(world.places, place))
  if (named.has(appliance)) return busy ? 'ChosenLastResort' : 'Chosen'
  if (!holdsAll(world, request, appliance)) return 'MissingFiles'
  const state = stateOf(world, appliance)
  if (state & STATE.Draining) return 'Draining'
  if (state & STATE.OriginOnly) return 'OriginOnly'
  if (state & STATE.NoAddress) return 'NoAddress'
  if (state !== 0) return 'Down'
  if (isExcluded(request, appliance)) return 'Excluded'
  if (isDrained(world, request, policy, appliance)) return 'DrainedByPolicy'
  if (isForOthers(policy, request, appliance)) return 'NotInCanaryShare'
  return busy ? 'Overloaded' : 'NotNeeded'
}
