import { exact, type Figure, sum, unknown } from '../../reconcilers/effects/figure.ts'
import type { ApplianceEffects, SiteEffects } from './document.ts'
import { type Member, named } from './members.ts'

type Head = Pick<SiteEffects, 'namespace' | 'name' | 'appliances' | 'drained' | 'restarted' | 'wave' | 'window'>

/** What can be said of a site without knowing which files are where: what the appliances report of themselves. */
export function untold(
  head: Head,
  members: readonly Member[],
  site: string,
  why: string,
): { site: SiteEffects; appliances: ApplianceEffects[] } {
  const appliances = members.map((member) => tell(member, site, why))
  const of = (field: 'fillBytes' | 'evictBytes' | 'pendingBytes' | 'cancelledBytes') =>
    sum(appliances.map((each) => each[field]))
  const nothingMissing = members.every((member) => member.keepsFiles && pending(member, why).value === 0)
  return {
    site: {
      ...head,
      fillBytes: of('fillBytes'),
      evictBytes: of('evictBytes'),
      pendingBytes: of('pendingBytes'),
      cancelledBytes: of('cancelledBytes'),
      belowFloorFiles: members.some(({ isTouched }) => isTouched) ? unknown(why) : exact(0),
      belowFloorBytes: members.some(({ isTouched }) => isTouched) ? unknown(why) : exact(0),
      links: [],
      etaSeconds: nothingMissing ? exact(0) : unknown(why),
    },
    appliances: appliances.filter((_, i) => members[i]!.isTouched),
  }
}

function tell(member: Member, site: string, why: string): ApplianceEffects {
  const { keepsFiles, after, now, drained } = member
  const givesAllUp = member.why === undefined && (after?.entries.length ?? 0) === 0
  const figure = keepsFiles ? exact(0) : unknown(why)
  return {
    ...named(member, site),
    fillBytes: givesAllUp ? exact(0) : figure,
    evictBytes: givesAllUp && !keepsFiles ? exact(now?.status?.content?.bytesHeld ?? 0) : figure,
    pendingBytes: pending(member, why),
    cancelledBytes: figure,
    drained,
  }
}

/** What an appliance that goes on with what it was asked for says is missing. */
function pending({ keepsFiles, before, now }: Member, why: string): Figure {
  const content = now?.status?.content
  if (!keepsFiles) return unknown(why)
  if (before === undefined || before.entries.length === 0) return exact(0)
  return content?.generation === before.generation ? exact(content.bytesToFill) : unknown(why)
}
