import type { PlacementPlan } from '../../crds/types.gen.ts'
import type { Placed } from './placed.ts'
import type { PlacementProblem } from './problem.ts'

type ScarceResource = NonNullable<PlacementPlan['spec']['scarce']>[number]

const TERABYTE = 1e12
/** Prices hold for a little more; an amount is at most this part of what a site has on average. */
const LITTLE = 0.1

/**
 * Shadow prices as a plan has them: for a round amount, the same at every site so that sites compare. Value is concave, so that a price times an
 * amount is never less than what the amount adds. What comes to nothing, at a thousandth of a per cent, is left out.
 */
export function tellScarce(
  { worth, scarce = [] }: Placed,
  { sites }: Pick<PlacementProblem, 'sites'>,
): readonly ScarceResource[] {
  if (!worth || !(worth.demand > 0)) return []
  const boxes = sites.flatMap(({ appliances }) => appliances)
  const equipped = sites.reduce((n, { appliances }) => n + (appliances.length > 0 ? 1 : 0), 0)
  const average = (of: (box: (typeof boxes)[number]) => number) =>
    boxes.reduce((sum, box) => sum + of(box), 0) / Math.max(1, equipped)
  const storageBytes = Math.max(1, roundAmount(average((box) => box.storageBytes)))
  const throughputGbps = roundAmount(average((box) => box.throughputGbps))
  const room = Math.max(0, 1 - worth.value / worth.demand)
  return scarce
    .map(({ site, resource, gain }) => {
      const amount = resource === 'Storage' ? storageBytes / TERABYTE : throughputGbps
      const [namespace = '', name = ''] = site.split('/')
      return {
        site: { namespace, name },
        resource,
        ...(resource === 'Storage' ? { storageBytes } : { throughputGbps }),
        gainPercent: Math.round(Math.min(room, (gain * amount) / worth.demand) * 1e5) / 1e3,
      }
    })
    .filter(({ gainPercent }) => gainPercent > 0)
    .sort((a, b) => b.gainPercent - a.gainPercent)
}

/** The power of ten that is at most a little of what there is; 0 where there is nothing. */
function roundAmount(average: number): number {
  const little = average * LITTLE
  return little > 0 ? Number(`1e${Math.floor(Math.log10(little))}`) : 0
}
