import { createHash } from 'node:crypto'
import { type InstanceSize, makeInstance } from '../../cli/bench/placement/instance.ts'
import type { FleetSnapshot } from '../../cli/plan/fleet-model.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import { registry } from '../../crds/registry.gen.ts'
import type { Catalog } from '../../crds/types.gen.ts'
import { encodeDemand } from '../../reconcilers/blobs/demand.ts'
import type { BlobStore } from '../../runtime/blob-store.ts'

const NAMESPACE = 'bench'
export const POLICY_KEY = `${NAMESPACE}/films`
/** Lines of a catalog blob that are joined at a time: a million in one string would be in memory twice. */
const LINES_AT_ONCE = 10_000

/** The same fleet and catalog as `weir bench placement`, as objects and blobs. */
export function snapshotOf(size: InstanceSize, published: NonNullable<Catalog['status']>): FleetSnapshot {
  const { sites } = makeInstance({ ...size, files: 1 })
  const classes = new Map<string, KubeObject>()
  const appliances = sites.flatMap((site) =>
    site.appliances.map(({ key, storageBytes, throughputGbps }) => {
      const name = `c-${storageBytes}-${throughputGbps}`
      const spec = { storageBytes, storageMedium: 'mixed', throughputGbps }
      classes.set(name, { ...named('HardwareClass', name), spec } as KubeObject)
      return { ...named('Appliance', key), spec: { siteRef: { name: site.key }, hardwareClassRef: { name } } }
    }),
  )
  return {
    appliances,
    hardwareClasses: [...classes.values()],
    sites: sites.map(({ key, parents, demandClass, demandGbps }) => ({
      ...named('Site', key),
      spec: {
        country: 'DE',
        timeZone: 'UTC',
        parents: parents.map((name) => ({ name })),
        demand: { class: className(demandClass ?? 0), peakGbps: demandGbps },
      },
    })),
    catalogs: [
      { ...named('Catalog', 'films'), spec: { source: { url: 'http://127.0.0.1:9/films.ndjson' } }, status: published },
    ],
    policies: [{ ...named('PlacementPolicy', 'films'), spec: { catalogRef: { name: 'films' } } }],
    plans: [],
    assignments: [],
    namespaces: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }],
  } as unknown as FleetSnapshot
}

function named(kind: 'Catalog' | 'HardwareClass' | 'PlacementPolicy' | 'Site' | 'Appliance', name: string) {
  const { apiVersion, namespaced } = registry[kind]
  const metadata = { name, uid: `${kind}-${name}`, generation: 1, ...(namespaced && { namespace: NAMESPACE }) }
  return { apiVersion, kind, metadata }
}

const className = (k: number) => `c${String(k).padStart(2, '0')}`

/** Publishes the catalog with the popularity of a day; gives the Catalog's status. */
export async function publish(
  blobs: BlobStore,
  size: InstanceSize,
  day: number,
): Promise<NonNullable<Catalog['status']>> {
  const { sizes, popularity } = makeInstance({ ...size, appliances: 3 }, day)
  const digest = await blobs.put(catalogPieces(sizes))
  const classes = popularity.map((_, k) => className(k))
  const demand = encodeDemand(digest, { classes, popularity: [new Float64Array(sizes.length), ...popularity] })
  return {
    observedGeneration: 1,
    digest,
    demandDigest: await blobs.put(demand),
    files: sizes.length,
    bytes: sizes.reduce((sum, each) => sum + each, 0),
    usedBy: ['films'],
    version: day + 1,
  } as unknown as NonNullable<Catalog['status']>
}

function* catalogPieces(sizes: Float64Array): Generator<Uint8Array> {
  const encoder = new TextEncoder()
  const bytes = sizes.reduce((sum, each) => sum + each, 0)
  yield encoder.encode(`${JSON.stringify({ weirCatalog: 1, files: sizes.length, bytes })}\n`)
  for (let start = 0; start < sizes.length; start += LINES_AT_ONCE) {
    const lines = Array.from(sizes.subarray(start, start + LINES_AT_ONCE), (size, i) => {
      const file = start + i
      const sha256 = createHash('sha256').update(String(file)).digest('hex')
      const title = `Title ${file >> 3}`
      return `${JSON.stringify({ path: `films/${file >> 3}/${file & 7}.mp4`, size, sha256, title })}\n`
    })
    yield encoder.encode(lines.join(''))
  }
}
