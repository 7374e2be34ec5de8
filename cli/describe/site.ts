import type { Appliance, Site } from '../../crds/types.gen.ts'
import { demandClassOf } from '../../reconcilers/placement/inputs.ts'
import { bytesText } from '../output/quantity.ts'
import type { Screen } from './screen.ts'

/** A site, and its appliances with what each waits for. */
export function describeSite(screen: Screen, site: Site, appliances: readonly Appliance[]): void {
  const { spec, status } = site
  screen.head(site)
  screen.field('Tier', spec.tier)
  screen.field(
    'Place',
    `${spec.metro}, ${spec.country}${spec.coordinates ? ` (${spec.coordinates.latitude}, ${spec.coordinates.longitude})` : ''}, ${spec.timeZone}`,
  )
  screen.field('Network', networkText(site))
  screen.field('Demand', demandText(site))
  screen.field(
    'Parents',
    spec.parents?.map(({ namespace, name }) => (namespace ? `${namespace}/${name}` : name)).join(', ') || '<none>',
  )
  screen.field('Fills', windowsText(spec.fillWindows, 'at any time'))
  screen.field('Maintenance', windowsText(spec.maintenanceWindows, 'no windows'))
  if (status?.appliances)
    screen.field(
      'Appliances',
      `${status.appliances.total}, ${status.appliances.online} online, ${status.appliances.ready} ready`,
    )
  if (status?.content) {
    const { bytesHeld, bytesDesired, filesFailing } = status.content
    screen.field('Content', `${bytesText(bytesHeld)} of ${bytesText(bytesDesired)}, ${filesFailing} files failing`)
  }
  if (appliances.length > 0) {
    const rows = appliances.map(({ metadata, status: of }) => {
      const online = of?.conditions?.find(({ type }) => type === 'Online')?.status ?? 'Unknown'
      return [
        metadata.name ?? '',
        of?.phase ?? '',
        online,
        of?.content ? `${of.content.progressPercent}%` : '',
        of?.waitingFor?.[0] ?? of?.content?.waitingFor ?? '',
      ]
    })
    screen.section('Machines')
    screen.table(['NAME', 'PHASE', 'ONLINE', 'FILLED', 'WAITING FOR'], rows)
  }
  screen.conditions(status?.conditions)
}

function demandText({ spec }: Site): string {
  const peak = spec.demand?.peakGbps
  return `class ${demandClassOf({ spec })}, ${peak === undefined ? 'peak not known' : `peak ${peak} Gbps`}`
}

function networkText({ spec: { network } }: Site): string {
  const parts = [
    network?.asn === undefined ? '' : `AS${network.asn}`,
    network?.uplinkGbps === undefined ? '' : `uplink ${network.uplinkGbps} Gbps`,
    network?.prefixes?.length ? `clients ${network.prefixes.join(', ')}` : '',
  ].filter((part) => part !== '')
  return parts.join('; ') || '<none>'
}

function windowsText(
  windows: readonly { days?: readonly string[]; start: string; end: string; maxGbps?: number }[] | undefined,
  none: string,
): string {
  if (!windows?.length) return none
  return windows
    .map(
      ({ days, start, end, maxGbps }) =>
        `${days ? `${days.join(',')} ` : ''}${start}–${end}${maxGbps === undefined ? '' : ` at ${maxGbps} Gbps`}`,
    )
    .join('; ')
}
