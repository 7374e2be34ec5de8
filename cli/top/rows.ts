import type { Appliance, Site } from '../../crds/types.gen.ts'
import type { Rates } from './rates.ts'

/** What is shown of an appliance or a site. Absent: not known. */
export interface Row {
  readonly namespace: string
  readonly name: string
  readonly site?: string
  readonly tier?: string
  readonly phase?: string
  /** Of an appliance, whether it is; of a site, how many of how many are. */
  readonly online: string
  readonly onlineShare: number
  readonly ready?: string
  /** 0 to 1. */
  readonly filled: number | undefined
  readonly heldBytes: number
  readonly desiredBytes: number
  readonly leftBytes: number
  readonly bytesPerSecond: number | undefined
  /** How long filling takes at this rate; undefined where that cannot be said. */
  readonly etaSeconds: number | undefined
  readonly storage: number | undefined
  readonly failing: number
}

/** An appliance by its status, and how fast it fills. */
export function applianceRow({ metadata, spec, status }: Appliance, rates: Rates): Row {
  const content = status?.content
  const online = status?.conditions?.find(({ type }) => type === 'Online')?.status ?? 'Unknown'
  const key = `${metadata.namespace}/${metadata.name}`
  const capacity = content?.storageCapacityBytes ?? 0
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    site: spec.siteRef.name,
    phase: status?.phase ?? '',
    online,
    onlineShare: online === 'True' ? 1 : 0,
    ...progress(content?.bytesHeld ?? 0, content?.bytesDesired ?? 0, content?.bytesToFill, rates.rate(key)),
    storage: content && capacity > 0 ? content.storageUsedBytes / capacity : undefined,
    failing: content?.filesFailing ?? 0,
  }
}

/** A site: the sum of its appliances. */
export function siteRow({ metadata, spec, status }: Site, appliances: readonly Appliance[], rates: Rates): Row {
  const rows = appliances.map((appliance) => applianceRow(appliance, rates))
  const sum = (value: (row: Row) => number) => rows.reduce((total, row) => total + value(row), 0)
  const known = rows.filter(({ bytesPerSecond }) => bytesPerSecond !== undefined)
  const online = sum(({ onlineShare }) => onlineShare)
  const contents = appliances.flatMap(({ status: of }) => (of?.content ? [of.content] : []))
  const capacity = contents.reduce((total, { storageCapacityBytes }) => total + storageCapacityBytes, 0)
  const used = contents.reduce((total, { storageUsedBytes }) => total + storageUsedBytes, 0)
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    tier: spec.tier,
    online: `${online}/${rows.length}`,
    onlineShare: rows.length === 0 ? 0 : online / rows.length,
    ready: `${status?.appliances?.ready ?? 0}/${rows.length}`,
    ...progress(
      sum(({ heldBytes }) => heldBytes),
      sum(({ desiredBytes }) => desiredBytes),
      sum(({ leftBytes }) => leftBytes),
      known.length === 0 ? undefined : sum(({ bytesPerSecond }) => bytesPerSecond ?? 0),
    ),
    storage: capacity === 0 ? undefined : used / capacity,
    failing: sum(({ failing }) => failing),
  }
}

function progress(held: number, desired: number, toFill: number | undefined, rate: number | undefined) {
  const left = toFill ?? Math.max(0, desired - held)
  return {
    heldBytes: held,
    desiredBytes: desired,
    leftBytes: left,
    filled: desired === 0 ? undefined : Math.min(1, held / desired),
    bytesPerSecond: rate,
    etaSeconds: left === 0 ? 0 : rate ? left / rate : undefined,
  }
}
