import { parseAccept } from '../http/media-type.ts'
import type { ResourceInfo } from '../resource.ts'
import { type AggregatedVersion, aggregatedDocument, type ServedGroup } from './aggregated.ts'
import { type Document, jsonDocument } from './document.ts'
import { apiGroup, apiGroupList, apiResourceList, apiVersions } from './legacy.ts'
import { compareGroups, compareVersions } from './priority.ts'

export type { Document } from './document.ts'

/** The discovery documents of a set of resources. Build one per set; documents are computed on demand. */
export interface Discovery {
  /** `/api`: legacy APIVersions, or aggregated discovery where `accept` asks for it (core group). */
  api(accept: string | undefined): Document
  /** `/apis` */
  apis(accept: string | undefined): Document
  /** `/apis/G` */
  group(group: string): Document | undefined
  /** `/api/v1` and `/apis/G/V` */
  resources(group: string, version: string): Document | undefined
}

/** `serverAddress` (host:port) is what `/api` tells clients. */
export function discovery(resources: readonly ResourceInfo[], serverAddress = ''): Discovery {
  return new Documents(resources, serverAddress)
}

class Documents implements Discovery {
  readonly #groups: ReadonlyMap<string, ServedGroup>
  readonly #serverAddress: string
  readonly #made = new Map<string, Document>()

  constructor(resources: readonly ResourceInfo[], serverAddress: string) {
    this.#groups = groupsOf(resources)
    this.#serverAddress = serverAddress
  }

  api(accept: string | undefined): Document {
    const core = this.#groups.get('')
    const aggregated = aggregatedVersion(accept)
    return this.#once(`api ${aggregated}`, () =>
      aggregated
        ? aggregatedDocument(core ? [core] : [], aggregated)
        : jsonDocument(apiVersions(core, this.#serverAddress)),
    )
  }

  apis(accept: string | undefined): Document {
    const aggregated = aggregatedVersion(accept)
    return this.#once(`apis ${aggregated}`, () => {
      const groups = [...this.#groups.values()].filter(({ name }) => name !== '')
      return aggregated ? aggregatedDocument(groups, aggregated) : jsonDocument(apiGroupList(groups))
    })
  }

  group(group: string): Document | undefined {
    const served = group === '' ? undefined : this.#groups.get(group)
    return served && this.#once(`group ${group}`, () => jsonDocument(apiGroup(served)))
  }

  resources(group: string, version: string): Document | undefined {
    const served = this.#groups.get(group)?.versions.find((of) => of.version === version)
    if (!served) return undefined
    const groupVersion = group === '' ? version : `${group}/${version}`
    return this.#once(`resources ${groupVersion}`, () => jsonDocument(apiResourceList(groupVersion, served.resources)))
  }

  #once(key: string, make: () => Document): Document {
    let document = this.#made.get(key)
    if (!document) {
      document = make()
      this.#made.set(key, document)
    }
    return document
  }
}

/** Groups in the order of their priority, each with its versions best first and its resources by name. */
function groupsOf(resources: readonly ResourceInfo[]): Map<string, ServedGroup> {
  const byGroup = Map.groupBy(resources, ({ group }) => group)
  const names = [...byGroup.keys()].sort(compareGroups)
  return new Map(
    names.map((name) => {
      const byVersion = Map.groupBy(byGroup.get(name) ?? [], ({ version }) => version)
      const versions = [...byVersion]
        .sort(([a], [b]) => compareVersions(a, b))
        .map(([version, of]) => ({ version, resources: of.toSorted((a, b) => (a.plural < b.plural ? -1 : 1)) }))
      return [name, { name, versions }]
    }),
  )
}

/** The version of aggregated discovery that `accept` prefers to plain JSON, if any. */
function aggregatedVersion(accept: string | undefined): AggregatedVersion | undefined {
  for (const { type, subtype, params } of parseAccept(accept ?? '')) {
    if (type !== 'application' && type !== '*') continue
    if (params.as === 'APIGroupDiscoveryList' && params.g === 'apidiscovery.k8s.io' && subtype === 'json') {
      if (params.v === 'v2' || params.v === 'v2beta1') return params.v
      continue
    }
    if (params.as === undefined && (subtype === 'json' || subtype === '*')) return undefined
  }
  return undefined
}
