import type { Appliance, Assignment, HardwareClass, Site } from '../../crds/types.gen.ts'
import { type FillAllowance, fillAllowance } from '../../reconcilers/agent/windows.ts'
import { humanDuration } from '../duration.ts'
import { bytesText } from '../output/quantity.ts'
import type { Screen } from './screen.ts'

type AssignedFill = NonNullable<Assignment['spec']['content']>['fill']

/** An appliance and what it refers to; undefined: it does not exist, or may not be read. */
export interface ApplianceContext {
  readonly site: Site | undefined
  readonly hardwareClass: HardwareClass | undefined
  readonly assignment: Assignment | undefined
}

/** One screen that answers "why has it not converged?". */
export function describeAppliance(
  screen: Screen,
  appliance: Appliance,
  { site, hardwareClass, assignment }: ApplianceContext,
): void {
  const { spec, status } = appliance
  screen.head(appliance)
  screen.field(
    'Site',
    `${spec.siteRef.name} ${site ? `(${site.spec.tier}, ${site.spec.metro}, ${site.spec.country})` : '(not found)'}`,
  )
  screen.field(
    'Hardware',
    `${spec.hardwareClassRef.name} ${hardwareClass ? hardwareText(hardwareClass) : '(not found)'}`,
  )
  screen.field('Serial', spec.serialNumber)
  screen.field('Mode', spec.mode)
  screen.field('Phase', status?.phase ?? '<none>')
  screen.field('Addresses', status?.addresses?.map(({ type, url }) => `${type} ${url}`).join('\n') || '<none>')
  if (status?.agent)
    screen.field(
      'Agent',
      `${status.agent.version}, started ${screen.since(status.agent.startedAt)} ago, boot ${status.agent.bootId}`,
    )
  const reasons = waitingFor(appliance, { site, hardwareClass, assignment })
  screen.field('Converged', reasons.length === 0 ? 'yes' : 'no')
  if (reasons.length > 0) {
    screen.section('Waiting for')
    for (const reason of reasons) screen.text(`- ${reason}`, 1)
  }
  describeContent(screen, appliance, assignment)
  screen.conditions(status?.conditions)
}

function hardwareText({ spec }: HardwareClass): string {
  return `(${spec.storageMedium}, ${bytesText(spec.storageBytes)}, ${spec.throughputGbps} Gbps)`
}

/** Why the appliance is not what its spec and its Assignment say; empty when it is. Each reason once. */
export function waitingFor(appliance: Appliance, { site, hardwareClass, assignment }: ApplianceContext): string[] {
  const { metadata, spec, status } = appliance
  const reasons: string[] = []
  if (!site) reasons.push(`site "${spec.siteRef.name}", which does not exist`)
  if (!hardwareClass) reasons.push(`hardware class "${spec.hardwareClassRef.name}", which does not exist`)
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
    reasons.push('the appliance controller, which has not seen the latest change')
  const [online, stalled] = ['Online', 'Stalled'].map((type) => status?.conditions?.find((c) => c.type === type))
  if (online && online.status !== 'True') reasons.push(`its agent: ${online.message || online.reason}`)
  if (stalled?.status === 'True') reasons.push(`somebody to change it: ${stalled.message || stalled.reason}`)
  reasons.push(...(status?.waitingFor ?? []))
  if (status?.content?.waitingFor) reasons.push(status.content.waitingFor)
  const assigned = assignment?.spec.content?.generation
  if (assigned !== undefined && (status?.content?.generation ?? 0) < assigned) {
    reasons.push(`content generation ${assigned}; it has reached ${status?.content?.generation ?? 'none'}`)
  }
  return [...new Set(reasons)]
}

/** Whether its site's windows let it fill now, and until when. */
function windowNow({ windows, timeZone }: AssignedFill, nowMs: number): string {
  let allowance: FillAllowance
  try {
    allowance = fillAllowance(windows, timeZone, new Date(nowMs))
  } catch (error) {
    return `unknown: ${(error as Error).message}`
  }
  const { open, changesAt } = allowance
  if (!changesAt) return open ? 'open' : 'closed, and does not open within two weeks'
  const until = humanDuration(changesAt.getTime() - nowMs)
  return open ? `open, changes in ${until}` : `closed, opens in ${until}`
}

function describeContent(screen: Screen, { status }: Appliance, assignment: Assignment | undefined): void {
  const content = status?.content
  const assigned = assignment?.spec.content
  if (!content && !assigned) {
    screen.field('Content', '<none assigned>')
    return
  }
  screen.section('Content')
  screen.field('Generation', `${content?.generation ?? 'none'} reached, ${assigned?.generation ?? 'none'} assigned`, 1)
  if (content) {
    screen.field(
      'Held',
      `${content.filesHeld} of ${content.filesDesired} files, ${bytesText(content.bytesHeld)} of ${bytesText(content.bytesDesired)} (${content.progressPercent}%)`,
      1,
    )
    screen.field('To fill', bytesText(content.bytesToFill), 1)
    screen.field('Failing', `${content.filesFailing} files`, 1)
    screen.field(
      'Storage',
      `${bytesText(content.storageUsedBytes)} of ${bytesText(content.storageCapacityBytes)} used`,
      1,
    )
  }
  if (assigned) {
    const windows = assigned.fill.windows.map(
      ({ days, start, end, maxGbps }) =>
        `${days ? `${days.join(',')} ` : ''}${start}–${end}${maxGbps === undefined ? '' : ` at ${maxGbps} Gbps`}`,
    )
    const times = windows.length === 0 ? 'at any time' : `${windows.join('; ')} (${assigned.fill.timeZone})`
    screen.field('Fills', assigned.fill.paused ? 'nothing, and evicts nothing: it is out of service' : times, 1)
    if (windows.length > 0 && !assigned.fill.paused) screen.field('Window', windowNow(assigned.fill, screen.nowMs), 1)
    if (assigned.serve === false) screen.field('Serves', 'nobody new: clients are sent elsewhere', 1)
  }
  if (assigned && assigned.entries.length > 0) {
    screen.section('Catalogs', 1)
    const rows = assigned.entries.map(({ catalog, files, bytes, plans, originUrl }) => [
      `${catalog.namespace}/${catalog.name}`,
      String(files),
      bytesText(bytes),
      plans.join(','),
      originUrl,
    ])
    screen.table(['CATALOG', 'FILES', 'SIZE', 'PLANS', 'ORIGIN'], rows, 2)
  }
  if (content && content.failures.length > 0) {
    screen.section('Failures', 1)
    const rows = content.failures.map(({ path, catalog, reason, attempts, source, message }) => [
      path,
      catalog,
      reason,
      String(attempts),
      source ?? '<none>',
      message,
    ])
    screen.table(['PATH', 'CATALOG', 'REASON', 'ATTEMPTS', 'LAST SOURCE', 'MESSAGE'], rows, 2)
  }
}
