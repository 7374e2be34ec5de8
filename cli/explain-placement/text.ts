import { count, sayBytes } from '../../reconcilers/bytes.ts'
import { visibleLine } from '../output/escape.ts'
import { TabWriter } from '../output/tab-writer.ts'
import type { ExplanationDocument, PolicyExplanation, SiteExplanation } from './document.ts'
import { REASONS, timesText } from './message.ts'

/** For people: what it is, where it is, and why, site by site. */
export function explanationText({ policies }: ExplanationDocument): string {
  return policies.map(policyText).join('\n')
}

function policyText(told: PolicyExplanation): string {
  const lines = [headText(told), ...stateLines(told), '', ...siteLines(told)]
  const others = told.others.map(({ why, sites }) => `${sites} ${REASONS[why]}`)
  const rest = told.others.reduce((sum, { sites }) => sum + sites, 0)
  if (rest > 0) lines.push(`and ${count(rest, 'other site')}: ${others.join(', ')}`)
  return `${lines.join('\n')}\n`
}

function headText({ title, paths, files, bytes, namespace, catalog, demandPercent }: PolicyExplanation): string {
  const what = title === undefined ? (paths[0] ?? '') : `${title}: ${count(files, 'file')}`
  return visibleLine(`${what}, ${sayBytes(bytes)}, in Catalog ${namespace}/${catalog}, ${demandPercent}% of all demand`)
}

function stateLines({ policy, namespace, plan, isUpToDate, totals, title }: PolicyExplanation): string[] {
  if (plan === null) return [`PlacementPolicy ${namespace}/${policy} has no plan yet: reasons are those of the first`]
  const some = totals.holdingSome > 0 ? `, in part at ${totals.holdingSome}` : ''
  const where = `${title === undefined ? '' : 'all of it '}at ${totals.holdingAll} of ${count(totals.sites, 'site')}${some}`
  return [
    `PlacementPolicy ${namespace}/${policy}, plan ${plan}: ${where}`,
    ...(isUpToDate
      ? []
      : ['note: the fleet, the catalog or its demand has changed since that plan was made; reasons are those of now']),
  ]
}

function siteLines({ sites, title }: PolicyExplanation): string[] {
  if (sites.length === 0) return []
  const writer = new TabWriter({ minWidth: 0, padding: 2, remember: false })
  const things = title === undefined ? 'APPLIANCES' : 'FILES'
  writer.line(['SITE', things, 'VERIFIED', 'DEMAND', 'CUT-OFF', 'WHY'])
  for (const site of sites) writer.line(cellsOf(site, title !== undefined))
  return writer
    .flush()
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
}

function cellsOf(site: SiteExplanation, isTitle: boolean): string[] {
  const { namespace, name, appliances, holding, files, demandPercent, timesCutOff, message, role } = site
  const verified = isTitle ? files.holding : (holding?.length ?? null)
  return [
    `${namespace}/${name}${role === 'Parent' ? ' (parent)' : ''}`,
    String(isTitle ? files.asked : appliances.asked.length),
    verified === null ? 'unknown' : String(verified),
    `${demandPercent}%`,
    cutOffText(timesCutOff),
    visibleLine(message),
  ]
}

function cutOffText({ least, most }: SiteExplanation['timesCutOff']): string {
  const [low, high] = [least, most].map((times) => timesText(times ?? Number.POSITIVE_INFINITY))
  return low === high ? low! : `${low}–${high}`
}
