import { siteKeyOf } from '../../controllers/gather/objects.ts'
import { compare } from '../../reconcilers/blobs/plan-index.ts'
import { estimate, sum } from '../../reconcilers/effects/figure.ts'
import { FillClock } from '../../reconcilers/effects/fill-time.ts'
import type { ApplianceEffects, Effects, SiteEffects } from './document.ts'
import type { FleetModel } from './fleet-model.ts'
import { type EffectsInput, members } from './members.ts'
import { SiteView } from './site-view.ts'

/** What the change does at every site where it does something, and to the appliances there. */
export async function siteEffects(
  input: EffectsInput,
): Promise<{ readonly sites: SiteEffects[]; readonly appliances: ApplianceEffects[] }> {
  const bySite = Map.groupBy(members(input), ({ appliance }) => siteKeyOf(appliance))
  const clock = new FillClock(input.now)
  const sites: SiteEffects[] = []
  const appliances: ApplianceEffects[] = []
  for (const [key, group] of [...bySite].sort(([a], [b]) => compare(a, b))) {
    if (!group.some(({ isTouched }) => isTouched) && !windowsChanged(input, key)) continue
    input.contents.forget()
    const told = await new SiteView(input, key, group, clock).tell()
    sites.push(told.site)
    appliances.push(...told.appliances)
  }
  return { sites, appliances }
}

/** What the whole change comes to. `isGuess`: what controllers do depends on the order in which they see it, also at sites that are not told. */
export function totalsOf(sites: readonly SiteEffects[], isGuess = false): Omit<Effects, 'links'> {
  const total = (field: keyof Omit<Effects, 'links'>) =>
    sum([...sites.map((site) => site[field]), ...(isGuess && field.endsWith('Bytes') ? [estimate(0)] : [])])
  return {
    fillBytes: total('fillBytes'),
    evictBytes: total('evictBytes'),
    pendingBytes: total('pendingBytes'),
    cancelledBytes: total('cancelledBytes'),
    drained: total('drained'),
    restarted: total('restarted'),
    belowFloorFiles: total('belowFloorFiles'),
    belowFloorBytes: total('belowFloorBytes'),
  }
}

function windowsChanged({ before, after }: EffectsInput, site: string): boolean {
  const of = ({ objects }: FleetModel) => {
    const spec = objects.sites.get(site)?.spec
    return JSON.stringify([spec?.fillWindows, spec?.timeZone, spec?.network?.uplinkGbps, spec?.parents])
  }
  return of(before) !== of(after)
}
