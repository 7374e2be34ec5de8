import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { appliances, catalogs, hardwareClasses, placementPolicies, sites } from '../../controllers/resources.ts'
import { customResourceDefinitions as weirDefinitions } from '../../crds/load.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import type { Client } from '../../runtime/client/client.ts'
import {
  type CustomResourceDefinition,
  customResourceDefinitions,
  namespaces,
  type Resource,
} from '../../runtime/client/resource.ts'
import { inParallel } from './access.ts'
import { until } from './within.ts'

export const NAMESPACE = 'bench'
const SITES = 100
const FILES = 20
const FORCED = { fieldManager: 'bench', force: true }

/** A fleet whose appliances all hold one small catalog, in `folder`; changed by giving the catalog another origin. */
export class Fleet {
  readonly names: readonly string[]
  readonly #client: Client
  readonly #source: string

  constructor(client: Client, size: number, folder: string) {
    this.#client = client
    this.names = Array.from({ length: size }, (_, i) => `box-${i}`)
    const path = join(folder, 'catalog.ndjson')
    writeFileSync(path, catalogLines())
    this.#source = `file://${path}`
  }

  async setUp(origin: string): Promise<void> {
    const client = this.#client
    for (const definition of weirDefinitions())
      await client.apply(customResourceDefinitions, definition as unknown as CustomResourceDefinition, FORCED)
    await until(60_000, 'every definition served', () =>
      Promise.all([client.list(sites), client.list(placementPolicies), client.list(appliances)]).then(
        () => true,
        () => false,
      ),
    )
    await client.apply(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }, FORCED)
    await this.#put(hardwareClasses, 'bench', { storageBytes: 1e12, storageMedium: 'flash', throughputGbps: 10 })
    for (let i = 0; i < SITES; i++) await this.#put(sites, `site-${i}`, { country: 'DE', metro: 'fra' })
    await inParallel([...this.names.entries()], ([i, name]) =>
      this.#put(appliances, name, { siteRef: { name: `site-${i % SITES}` }, hardwareClassRef: { name: 'bench' } }),
    )
    await this.setOrigin(origin)
    await this.#put(placementPolicies, 'all', { catalogRef: { name: 'films' } })
  }

  /** The change that touches everything. */
  async setOrigin(originUrl: string): Promise<void> {
    await this.#put(catalogs, 'films', { source: { url: this.#source }, originUrl })
  }

  #put(resource: Resource, name: string, spec: object): Promise<unknown> {
    const { group, version, kind, namespaced } = resource
    const metadata = { name, ...(namespaced && { namespace: NAMESPACE }) }
    return this.#client.apply(
      resource,
      { apiVersion: `${group}/${version}`, kind, metadata, spec } as KubeObject,
      FORCED,
    )
  }
}

function catalogLines(): string {
  const lines = Array.from({ length: FILES }, (_, i) =>
    JSON.stringify({ path: `film/${i}`, size: 1e6, sha256: createHash('sha256').update(`${i}`).digest('hex') }),
  )
  return `${lines.join('\n')}\n`
}
