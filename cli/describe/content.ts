import type { Catalog, PlacementPlan, PlacementPolicy } from '../../crds/types.gen.ts'
import { unmetText } from '../../reconcilers/placement/plan-policy.ts'
import { bytesText, decimalBytesText } from '../output/quantity.ts'
import type { Screen } from './screen.ts'

type ScarceResource = NonNullable<PlacementPlan['spec']['scarce']>[number]

export function describeCatalog(screen: Screen, catalog: Catalog): void {
  const { spec, status } = catalog
  screen.head(catalog)
  screen.field('Source', spec.source.url)
  screen.field('Origin', spec.originUrl ?? 'the folder of the source')
  screen.field(
    'Refreshed',
    `${status?.lastRefreshTime ? `${screen.since(status.lastRefreshTime)} ago` : 'never'}, every ${spec.refreshInterval}${spec.suspend ? ' (suspended)' : ''}`,
  )
  if (status?.files !== undefined)
    screen.field('Files', `${status.files}, ${bytesText(status.bytes ?? 0)} (version ${status.version ?? 0})`)
  screen.field('Digest', status?.digest)
  screen.field('Demand', status?.demandDigest)
  if (status?.counted) {
    const { files, days, lastDay, refused, firstRefused } = status.counted
    screen.field('Counted', lastDay === undefined ? 'nothing yet' : `${files} files on ${days} days up to ${lastDay}`)
    if (refused !== undefined)
      screen.field('Refused', `${refused} rows of the demand database; the first: ${firstRefused}`)
  }
  screen.field('Used by', status?.usedBy?.join('\n') || '<none>')
  screen.conditions(status?.conditions)
}

const DEMAND = { observed: 'as counted', forecast: 'forecast from what was counted' } as const

export function describePolicy(screen: Screen, policy: PlacementPolicy, plan: PlacementPlan | undefined): void {
  const { spec, status } = policy
  screen.head(policy)
  screen.field('Catalog', spec.catalogRef.name)
  screen.field('Priority', spec.priority)
  screen.field(
    'Copies',
    `${spec.copies.perSite} per site${spec.copies.perRegion === undefined ? '' : `, ${spec.copies.perRegion} per region`}`,
  )
  screen.field('Storage', `${spec.storageShare}% of each appliance`)
  if (spec.demand.source !== 'catalog') screen.field('Demand', DEMAND[spec.demand.source])
  if (spec.churn) {
    const { bonusPercent = 50, maxFillBytesPerSite: most } = spec.churn
    const budget = most === undefined ? '' : `, at most ${bytesText(most)} a plan to each site`
    screen.field('Churn', `what moves must earn ${bonusPercent}% more than what it displaces${budget}`)
  }
  if (spec.resilience) {
    const { headPercent, survivesLossOf = 1 } = spec.resilience
    screen.field(
      'Resilience',
      `${headPercent}% of each site's demand outlives the loss of ${survivesLossOf} of its appliances`,
    )
  }
  for (const { paths, copies } of spec.pins ?? [])
    screen.field('Pinned', `${paths.join(', ')} (${copies === 'all' ? 'on every appliance' : `${copies} copies`})`)
  for (const { paths } of spec.exclude ?? []) screen.field('Excluded', paths.join(', '))
  screen.field('Plan', status?.currentPlan ?? '<none>')
  if (status?.filesPlaced !== undefined)
    screen.field('Placed', `${status.filesPlaced} files, ${bytesText(status.bytesPlaced ?? 0)}`)
  if (status?.filesLeftOut !== undefined)
    screen.field('Left out', `${status.filesLeftOut} files, ${bytesText(status.bytesLeftOut ?? 0)}`)
  if (status?.bytesToMove !== undefined) screen.field('To move', bytesText(status.bytesToMove))
  if (status?.offload)
    screen.field('Offload', offloadText(status.offload, plan?.spec.offload && servedText(plan.spec.offload)))
  scarceLines(screen, status?.scarce)
  if (status?.appliances)
    screen.field('Appliances', `${status.appliances.converged} of ${status.appliances.selected} converged`)
  if (plan) planSites(screen, plan)
  screen.conditions(status?.conditions)
}

export function describePlan(screen: Screen, plan: PlacementPlan): void {
  const { spec } = plan
  screen.head(plan)
  screen.field('Policy', spec.policyRef.name)
  screen.field('Parent', spec.parent ?? '<none>')
  screen.field('Catalog', `${spec.catalog.name} (${spec.catalog.digest})`)
  screen.field('Demand', spec.demandDigest)
  screen.field('Solver', spec.solver)
  screen.field('Index', spec.index.digest)
  const { files, bytes, copies, appliances, fillBytes, filesLeftOut, bytesLeftOut } = spec.totals
  screen.field('Places', `${files} files, ${bytesText(bytes)}, in ${copies} copies on ${appliances} appliances`)
  screen.field('To fill', bytesText(fillBytes))
  screen.field('Left out', `${filesLeftOut} files, ${bytesText(bytesLeftOut)}`)
  if (spec.offload) screen.field('Offload', offloadText(spec.offload, servedText(spec.offload)))
  scarceLines(screen, spec.scarce)
  if (spec.unmet?.length) screen.field('Unmet', spec.unmet.map(unmetText).join('\n'))
  planSites(screen, plan)
}

interface Offload {
  readonly expectedPercent: number
  readonly boundPercent: number
}

/** Value, bound, and their ratio, which says how good the plan is. */
function offloadText({ expectedPercent, boundPercent }: Offload, served = ''): string {
  const ratio = boundPercent > 0 ? ` (${((100 * expectedPercent) / boundPercent).toFixed(1)}% of it)` : ''
  return `${expectedPercent}% expected, at most ${boundPercent}% possible${ratio}${served}`
}

const servedText = ({ sitePercent, parentPercent }: { sitePercent: number; parentPercent: number }) =>
  `\n${sitePercent}% served at the viewers' own site, ${parentPercent}% at its parents, where each step counts half`

/** What a little more would be worth, where. */
function scarceLines(screen: Screen, scarce: PlacementPlan['spec']['scarce']): void {
  if (!scarce?.length) return
  screen.field('Scarce', scarce.map(scarceText).join('\n'))
}

export function scarceText({ site, storageBytes, throughputGbps, gainPercent }: ScarceResource): string {
  const amount = storageBytes === undefined ? `${throughputGbps} Gbit/s` : decimalBytesText(storageBytes)
  return `another ${amount} at ${site.namespace}/${site.name} is worth up to ${gainPercent}% of all demand`
}

function planSites(screen: Screen, { spec: { sites, others } }: PlacementPlan): void {
  if (sites.length === 0) return
  screen.section('Sites')
  const row = (name: string, of: { appliances: number; files: number; bytes: number; fillBytes: number }) => [
    name,
    String(of.appliances),
    String(of.files),
    bytesText(of.bytes),
    bytesText(of.fillBytes),
  ]
  const rows = sites.map((site) => row(`${site.namespace}/${site.name}`, site))
  if (others) rows.push(row(`${others.sites} others`, others))
  screen.table(['SITE', 'APPLIANCES', 'FILES', 'SIZE', 'TO FILL'], rows)
}
