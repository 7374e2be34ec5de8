import type { JsonValue } from '../../crds/metadata.ts'
import { sayBytes } from '../../reconcilers/bytes.ts'
import type { Figure } from '../../reconcilers/effects/figure.ts'
import { humanDuration } from '../duration.ts'
import { visibleLine } from '../output/escape.ts'
import { printJson } from '../output/json.ts'
import { TabWriter } from '../output/tab-writer.ts'
import type { Cost, GateVerdict, PlanDocument, PlannedChange, PolicyEffects, SiteEffects, Stall } from './document.ts'

/** The plan for people, in the order in which they decide: what changes, what that does, what refuses. */
export function planText(document: PlanDocument): string {
  const { changes, fleet, gates } = document
  const blocks = [
    [summaryText(document), ...changeLines(changes)].join('\n'),
    siteTable(fleet.sites),
    detailLines(fleet.sites).join('\n'),
    policyTable(fleet.policies),
    [...fleet.stalls.map(stallLine), ...notesOf(document).map((note) => visibleLine(`note: ${note}`))].join('\n'),
    gates.map((gate) => gateLine(gate, fleet.sites)).join('\n'),
  ]
  return `${blocks.filter((block) => block !== '').join('\n')}\n`
}

/** `2 to change, 1 to delete, 497 unchanged`. */
export function summaryText({ summary, fleet, whatIf }: PlanDocument): string {
  const { add, change, delete: deleted, unchanged } = summary
  const parts = [
    ...(add > 0 ? [`${add} to add`] : []),
    ...(change > 0 ? [`${change} to change`] : []),
    ...(deleted > 0 ? [`${deleted} to delete`] : []),
    ...(unchanged > 0 ? [`${unchanged} unchanged`] : []),
  ]
  const nothing =
    add + change + deleted > 0 && fleet.sites.length === 0 && fleet.totals.fillBytes.certainty !== 'unknown'
  const cost = whatIf?.cost?.length ? ` for ${whatIf.cost.map(costText).join(' and ')}` : ''
  return `${whatIf ? 'what if: ' : ''}${parts.length === 0 ? 'nothing to do' : parts.join(', ')}${cost}${nothing ? '; nothing in the fleet moves' : ''}`
}

/** What is said besides, the costs that are not known among it. */
export function notesOf({ fleet, whatIf }: PlanDocument): readonly string[] {
  return whatIf?.costUnknown === undefined
    ? fleet.notes
    : [...fleet.notes, `what it costs is not known: ${whatIf.costUnknown}`]
}

const costText = ({ amount, currency }: Cost) => `${amount.toLocaleString('en')} ${currency}`

function changeLines(changes: readonly PlannedChange[]): string[] {
  const name = namer(changes)
  const writer = new TabWriter({ minWidth: 0, padding: 8, remember: false })
  for (const change of changes) {
    const sign = { add: '+', change: '~', delete: '-' }[change.action]
    if (change.fields.length === 0) {
      const reason = change.reason === undefined ? '' : ` (${change.reason})`
      writer.line([visibleLine(`${sign} ${name(change)}${reason}`), visibleLine(change.place ?? '')])
    }
    for (const { path, before, after, place } of change.fields) {
      const values = `${valueText(before)} → ${valueText(after)}`
      writer.line([visibleLine(`${sign} ${name(change)} ${path}: ${values}`), visibleLine(place ?? '')])
    }
  }
  return writer
    .flush()
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
}

/** `Site/fra1`; with its namespace where several are concerned. */
export function namer(changes: readonly PlannedChange[]): (change: PlannedChange) => string {
  const several = new Set(changes.flatMap(({ namespace }) => namespace ?? [])).size > 1
  return ({ objectKind, namespace, name }) =>
    `${objectKind}/${several && namespace !== undefined ? `${namespace}/` : ''}${name}`
}

const SHOWN_VALUE = 120

export function valueText(value: JsonValue): string {
  if (value === null) return '-'
  if (typeof value !== 'object') return String(value)
  const text = printJson(value, '')
  return text.length > SHOWN_VALUE ? `${text.slice(0, SHOWN_VALUE).toWellFormed()}…` : text
}

export const SITE_COLUMNS = ['SITE', 'FILL', 'EVICT', 'DRAIN', 'RESTART', 'WAVE', 'ETA'] as const

function siteTable(sites: readonly SiteEffects[]): string {
  if (sites.length === 0) return ''
  const writer = new TabWriter({ minWidth: 0, padding: 2, remember: false })
  writer.line(SITE_COLUMNS)
  const several = severalNamespaces(sites)
  for (const site of sites) writer.line(siteCells(site, several))
  return writer.flush().trimEnd()
}

export const severalNamespaces = (sites: readonly { readonly namespace: string }[]) =>
  new Set(sites.map(({ namespace }) => namespace)).size > 1

export function siteCells(site: SiteEffects, several: boolean): string[] {
  const { fillBytes, evictBytes, drained, restarted, wave, etaSeconds, appliances } = site
  return [
    several ? `${site.namespace}/${site.name}` : site.name,
    bytesText(fillBytes),
    bytesText(evictBytes),
    `${numberText(drained)}/${appliances}`,
    numberText(restarted),
    wave ?? '-',
    etaText(etaSeconds),
  ]
}

export const bytesText = (figure: Figure) => (figure.certainty === 'unknown' ? 'unknown' : sayBytes(figure.value))
const numberText = (figure: Figure) => (figure.certainty === 'unknown' ? 'unknown' : String(figure.value))

function etaText(figure: Figure): string {
  if (figure.certainty === 'unknown') return 'unknown'
  return figure.value === 0 ? '-' : humanDuration(figure.value * 1000)
}

/** What a site's row has no room for. */
export function detailLines(sites: readonly SiteEffects[]): string[] {
  const several = severalNamespaces(sites)
  return sites.flatMap((site) => {
    const name = several ? `${site.namespace}/${site.name}` : site.name
    return siteDetails(site).map((detail) => `${name}: ${detail}`)
  })
}

function siteDetails(site: SiteEffects): string[] {
  const { links, window, pendingBytes, cancelledBytes, belowFloorFiles, belowFloorBytes, etaSeconds, fillBytes } = site
  const some = (figure: Figure) => figure.certainty !== 'unknown' && figure.value > 0
  const fills = some(fillBytes) || some(pendingBytes)
  const from = links.map(({ from: source, site: parent, bytes }) => {
    const where = source === 'peer' ? 'from peers' : source === 'origin' ? 'from the origin' : `from site ${parent}`
    return `${bytesText(bytes)} ${where}`
  })
  const unknowns = [fillBytes, etaSeconds, belowFloorFiles].flatMap((figure) =>
    figure.certainty === 'unknown' ? [figure.why] : [],
  )
  return [
    ...(from.length === 0 ? [] : [`about ${from.join(', ')}`]),
    ...(fills ? windowText(window) : []),
    ...(some(pendingBytes) ? [`${bytesText(pendingBytes)} more are being filled anyway`] : []),
    ...(some(cancelledBytes) ? [`${bytesText(cancelledBytes)} were yet to be filled, and are not any more`] : []),
    ...(some(belowFloorFiles)
      ? [
          `up to ${numberText(belowFloorFiles)} files, ${bytesText(belowFloorBytes)}, below their minimum copies on the way`,
        ]
      : []),
    ...new Set(unknowns.map((why) => `unknown: ${why}`)),
  ]
}

function windowText({ state, opensAt, maxGbps }: SiteEffects['window']): string[] {
  const rate = maxGbps === null ? '' : `, at most ${maxGbps} Gbps`
  if (state === 'opens') return [`the fill window opens at ${opensAt}${rate}`]
  if (state === 'never') return ['no fill window opens within two weeks']
  return state === 'open' ? [`the fill window is open${rate}`] : []
}

/** Policies that plan anew, or of which nobody can tell. */
function policyTable(policies: readonly PolicyEffects[]): string {
  const unchanged = policies.filter(({ plan }) => plan === 'unchanged').length
  const told = policies.filter(({ plan }) => plan !== 'unchanged')
  if (told.length === 0) return ''
  const writer = new TabWriter({ minWidth: 0, padding: 2, remember: false })
  writer.line(POLICY_COLUMNS)
  for (const policy of told) writer.line(policyCells(policy))
  const rest =
    unchanged === 0 ? '' : `\n${unchanged} ${unchanged === 1 ? 'policy keeps its plan' : 'policies keep their plans'}`
  return writer.flush().trimEnd() + rest
}

export const POLICY_COLUMNS = ['POLICY', 'PLAN', 'OFFLOAD', 'BOUND', 'LEFT OUT'] as const

export function policyCells({
  namespace,
  name,
  plan,
  offloadPercent,
  boundPercent,
  filesLeftOut,
}: PolicyEffects): string[] {
  const left = [filesLeftOut.before, filesLeftOut.after].map(numberText)
  return [
    `${namespace}/${name}`,
    plan,
    `${percentText(offloadPercent.before)} → ${percentText(offloadPercent.after)}`,
    `${percentText(boundPercent.before)} → ${percentText(boundPercent.after)}`,
    left[0] === left[1] ? left[0]! : `${left[0]} → ${left[1]}`,
  ]
}

const percentText = (figure: Figure) => (figure.certainty === 'unknown' ? 'unknown' : `${figure.value.toFixed(2)} %`)

export const stallLine = ({ kind, key, message }: Stall) => visibleLine(`stalls: ${kind} ${key}: ${message}`)

/** `gate --max-fill 1TiB exceeded at fra1 (1.8 TiB)`. */
export function gateLine({ gate, limit, verdict, value, of }: GateVerdict, sites: readonly SiteEffects[]): string {
  const where = of === undefined ? '' : ` at ${of.replace(severalNamespaces(sites) ? /^site / : /^site [^/]*\//, '')}`
  const line = `gate --${gate} ${limit}`
  if (verdict === 'unknown') {
    const why = value.certainty === 'unknown' ? value.why : ''
    return visibleLine(`${line} refuses what is unknown${where}: ${why}`)
  }
  return visibleLine(`${line} ${verdict}${where} (${gateValue(gate, limit, value)})`)
}

function gateValue(gate: string, limit: string, value: Figure): string {
  if (gate === 'max-fill') return bytesText(value)
  if (gate === 'max-offload-loss' || limit.endsWith('%')) return percentText(value)
  return numberText(value)
}
