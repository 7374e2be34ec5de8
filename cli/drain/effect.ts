import type { Appliance } from '../../crds/types.gen.ts'
import { bytesText } from '../output/quantity.ts'

const inService = ({ spec, metadata }: Appliance) =>
  (spec.mode ?? 'InService') === 'InService' && metadata.deletionTimestamp === undefined
const isOnline = ({ status }: Appliance) =>
  status?.conditions?.some(({ type, status: is }) => type === 'Online' && is === 'True') ?? false

/** What a drain does to the sites of the appliances: who stays to serve, and how much of what is held stays with them. Lines for people. */
export function effectOfDrain(chosen: readonly Appliance[], neighbours: readonly Appliance[]): string[] {
  const going = new Set(chosen.filter(inService).map(({ metadata }) => metadata.uid))
  const sites = new Map<string, Appliance[]>()
  for (const appliance of neighbours) {
    const site = `${appliance.metadata.namespace}/${appliance.spec.siteRef.name}`
    sites.set(site, [...(sites.get(site) ?? []), appliance])
  }
  return [...sites].flatMap(([site, all]) => {
    const serving = all.filter(inService)
    const leaving = serving.filter(({ metadata }) => going.has(metadata.uid))
    if (leaving.length === 0) return []
    const staying = serving.filter(({ metadata }) => !going.has(metadata.uid))
    const online = staying.filter(isOnline)
    const bytes = leaving.reduce((sum, { status }) => sum + (status?.content?.bytesHeld ?? 0), 0)
    const what = `site ${site}: ${leaving.length} of ${serving.length} appliances in service ${leaving.length === 1 ? 'goes' : 'go'}, with ${bytesText(bytes)} held`
    if (staying.length === 0) return [`${what}; none is left, so its clients are sent to other sites`]
    return [`${what}; ${staying.length} ${staying.length === 1 ? 'stays' : 'stay'}, ${online.length} of them online`]
  })
}
