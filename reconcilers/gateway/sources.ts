import type { Appliance, InventoryRef, Site } from '../../crds/types.gen.ts'
import { keyOf } from '../identity.ts'
import { hashString, rendezvousScore } from '../placement/hash.ts'

/** Sources named per site: enough to choose from, and the answer does not grow with the site. */
export const SOURCES_PER_SITE = 32

/** Somebody to fill from: an entry of `GET …/sources`. */
export interface Source {
  /** `namespace/name` of the appliance. */
  readonly name: string
  readonly url: string
  readonly inventories: readonly { readonly catalog: string; readonly catalogDigest: string; readonly digest: string }[]
}

/** Best first. */
export interface Sources {
  readonly peers: readonly Source[]
  readonly parents: readonly Source[]
}

export interface SourcesInput {
  readonly appliance: Appliance
  readonly site: Site | undefined
  /** Appliances at a site (`namespace/name`). */
  readonly appliancesAt: (site: string) => readonly Appliance[]
  readonly isOnline: (appliance: string) => boolean
  /** What an appliance advertises now. */
  readonly inventoriesOf: (appliance: Appliance) => readonly InventoryRef[]
}

/**
 * Who an appliance should fill from: online appliances of its site, then those of its parents, in order, that advertise something. Within
 * a site, every asker gets an order of its own, always the same, so that load spreads and connections are used again. Pure.
 */
export function rankSources(input: SourcesInput): Sources {
  const { appliance, site } = input
  const namespace = appliance.metadata.namespace ?? ''
  const own = `${namespace}/${appliance.spec.siteRef.name}`
  const parents = (site?.spec.parents ?? []).map((parent) => `${parent.namespace ?? namespace}/${parent.name}`)
  return {
    peers: sourcesAt(input, own),
    parents: [...new Set(parents)].filter((key) => key !== own).flatMap((key) => sourcesAt(input, key)),
  }
}

function sourcesAt({ appliance, appliancesAt, isOnline, inventoriesOf }: SourcesInput, site: string): Source[] {
  const self = keyOf(appliance)
  const asker = hashString(self)
  return appliancesAt(site)
    .flatMap((candidate) => {
      const key = keyOf(candidate)
      const url = candidate.status?.addresses?.find(({ type }) => type === 'HTTP')?.url
      if (key === self || candidate.metadata.deletionTimestamp || url === undefined || !isOnline(key)) return []
      const inventories = inventoriesOf(candidate).map(({ catalog, catalogDigest, digest }) => ({
        catalog: `${catalog.namespace}/${catalog.name}`,
        catalogDigest,
        digest,
      }))
      return inventories.length === 0 ? [] : [{ name: key, url, inventories }]
    })
    .map((source) => ({ source, score: rendezvousScore(asker, hashString(source.name), 1) }))
    .sort((a, b) => b.score - a.score || (a.source.name < b.source.name ? -1 : 1))
    .slice(0, SOURCES_PER_SITE)
    .map(({ source }) => source)
}
