import { createHash } from 'node:crypto'
import { converge } from '../../cli/plan/converge.ts'
import { type FleetKind, FleetModel, fleetResources } from '../../cli/plan/fleet-model.ts'
import { readFleet } from '../../cli/plan/snapshot.ts'
import { BlobReader } from '../../controllers/placement/blob-reader.ts'
import { customResourceDefinitions as weirDefinitions } from '../../crds/load.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import { registry } from '../../crds/registry.gen.ts'
import type { Appliance, Assignment } from '../../crds/types.gen.ts'
import { catalogOf, encodeCatalog } from '../../reconcilers/blobs/catalog.ts'
import { encodeDemand } from '../../reconcilers/blobs/demand.ts'
import { defaultSolver } from '../../reconcilers/placement/default-solver.ts'
import type { BlobStore } from '../../runtime/blob-store.ts'
import type { Client } from '../../runtime/client/client.ts'
import {
  type CustomResourceDefinition,
  customResourceDefinitions,
  keyOf,
  namespaces,
  type Resource,
} from '../../runtime/client/resource.ts'
import { inParallel } from '../controllers/access.ts'

export const NAMESPACE = 'bench-plan'

export interface FleetSize {
  readonly sites: number
  readonly appliancesPerSite: number
  readonly files: number
}

const how = { fieldManager: 'weir', force: true }

/** A fleet at rest, as its controllers would have left it: every appliance holds what it is asked for. */
export async function makeFleet(client: Client, blobs: BlobStore, size: FleetSize): Promise<void> {
  await install(client)
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  const published = await publish(blobs, size.files)
  for (const object of objectsOf(size)) await client.apply(resourceOf(object), object, how)
  await inParallel(appliancesOf(size), (object) => client.apply(registry.Appliance as Resource, object, how))
  const films = {
    ...named('Catalog', 'films'),
    status: { observedGeneration: 1, usedBy: [], version: 1, ...published },
  }
  await client.applyStatus(registry.Catalog as Resource, films as KubeObject, how)

  const { snapshot } = await readFleet(client, new AbortController().signal)
  const model = new FleetModel(snapshot, new Date())
  const planned = new Map<string, Buffer>()
  const overlay = {
    get: async (digest: string) => planned.get(digest) ?? (await blobs.get(digest)),
    has: async (digest: string) => planned.has(digest) || (await blobs.has(digest)),
  }
  await converge(model, {
    reader: new BlobReader(overlay),
    store: ({ digest, bytes }) =>
      planned.set(digest, Buffer.concat(bytes instanceof Uint8Array ? [bytes] : [...bytes])),
    solver: defaultSolver,
    now: new Date(),
    signal: new AbortController().signal,
  })
  await inParallel([...planned.values()], (bytes) => blobs.put(bytes))
  await writeBack(client, model)
}

/** The CustomResourceDefinitions, served when this resolves. */
async function install(client: Client): Promise<void> {
  for (const definition of weirDefinitions())
    await client.apply(customResourceDefinitions, definition as unknown as CustomResourceDefinition, how)
  for (const kind of Object.values(registry)) {
    while (
      !(await client.list(kind as Resource).then(
        () => true,
        () => false,
      ))
    )
      await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** A catalog with sizes and popularity as catalogs of films have them: few large, few wanted. */
async function publish(blobs: BlobStore, files: number) {
  const catalog = catalogOf(
    Array.from({ length: files }, (_, i) => ({
      path: `films/${i % 100}/${i}.mp4`,
      size: Math.round(2 ** (28 + ((i * 7919) % 4000) / 1000)),
      sha256: createHash('sha256').update(String(i)).digest('hex'),
    })),
  )
  const digest = await blobs.put(encodeCatalog(catalog))
  const popularity = [Float64Array.from({ length: files }, (_, i) => 1e6 / (((i * 104_729) % files) + 1))]
  const demandDigest = await blobs.put(encodeDemand(digest, { classes: [], popularity }))
  return { digest, demandDigest, files, bytes: catalog.bytes }
}

function named(kind: 'Catalog' | 'HardwareClass' | 'PlacementPolicy' | 'Site' | 'Appliance', name: string) {
  const { apiVersion, namespaced } = registry[kind]
  return { apiVersion, kind, metadata: { name, ...(namespaced ? { namespace: NAMESPACE } : {}) } }
}

/** What appliances stand on, and what is placed on them: room for a fifth of the catalog at every site. */
function objectsOf({ sites, files, appliancesPerSite }: FleetSize): KubeObject[] {
  const storageBytes = Math.round((files * 2 ** 30) / 5 / appliancesPerSite)
  return [
    { ...named('HardwareClass', 'bench-flash'), spec: { storageBytes, storageMedium: 'flash', throughputGbps: 100 } },
    ...Array.from({ length: sites }, (_, i) => ({
      ...named('Site', `s${i}`),
      spec: {
        country: 'DE',
        metro: 'fra',
        timeZone: 'Europe/Berlin',
        parents: i < 10 ? [] : [{ name: `s${i % 10}` }],
        fillWindows: [{ start: '02:00', end: '08:00', maxGbps: 40 }],
        network: { uplinkGbps: 100 },
      },
    })),
    { ...named('Catalog', 'films'), spec: { source: { url: 'http://127.0.0.1:9/films.ndjson' } } },
    { ...named('PlacementPolicy', 'films'), spec: { catalogRef: { name: 'films' } } },
  ] as KubeObject[]
}

function appliancesOf({ sites, appliancesPerSite }: FleetSize): KubeObject[] {
  return Array.from({ length: sites * appliancesPerSite }, (_, i) => ({
    ...named('Appliance', `a${i}`),
    spec: { siteRef: { name: `s${i % sites}` }, hardwareClassRef: { name: 'bench-flash' } },
  })) as KubeObject[]
}

/** What controllers and agents would have written. */
async function writeBack(client: Client, { objects }: FleetModel): Promise<void> {
  const spoken = (object: KubeObject) => {
    const { name, namespace, finalizers, ownerReferences } = object.metadata
    return { ...object, metadata: { name, namespace, finalizers, ownerReferences } } as KubeObject
  }
  for (const kind of ['plans', 'assignments'] as const)
    await inParallel<KubeObject>(objects[kind].list(), (object) =>
      client.apply(fleetResources[kind] as Resource, spoken(object), how),
    )
  const finalized: FleetKind[] = ['sites', 'catalogs', 'appliances']
  for (const kind of finalized) {
    await inParallel<KubeObject>(objects[kind].list(), ({ apiVersion, kind: name, metadata }) =>
      client.apply(fleetResources[kind] as Resource, spoken({ apiVersion, kind: name, metadata } as KubeObject), {
        fieldManager: 'controllers',
        force: true,
      }),
    )
  }
  const [policy] = objects.policies.list()
  await client.applyStatus(registry.PlacementPolicy as Resource, bare(policy!) as KubeObject, how)
  await inParallel(objects.appliances.list() as unknown as readonly Appliance[], (appliance) => {
    const assignment = objects.assignments.get(keyOf(appliance.metadata)) as Assignment | undefined
    return client.applyStatus(registry.Appliance as Resource, held(appliance, assignment!), how)
  })
}

function bare({ apiVersion, kind, metadata, ...rest }: KubeObject) {
  return { apiVersion, kind, metadata: { name: metadata.name, namespace: metadata.namespace }, ...rest }
}

/** The status of an appliance that holds all it should. */
function held({ apiVersion, kind, metadata }: Appliance, { spec }: Assignment): KubeObject {
  const { generation, entries } = spec.content!
  const [{ files = 0, bytes = 0, catalog, catalogDigest, manifestDigest } = {}] = entries as Partial<
    (typeof entries)[number]
  >[]
  const now = '2026-01-01T00:00:00Z'
  return {
    apiVersion,
    kind,
    metadata: { name: metadata.name!, namespace: NAMESPACE },
    status: {
      conditions: [
        { type: 'Online', status: 'True', reason: 'Heartbeat', message: 'Sends heartbeats', lastTransitionTime: now },
      ],
      agent: { version: '1', bootId: 'b', startedAt: now },
      content: {
        generation,
        filesDesired: files,
        bytesDesired: bytes,
        filesHeld: files,
        bytesHeld: bytes,
        filesFailing: 0,
        bytesToFill: 0,
        progressPercent: 100,
        storageUsedBytes: bytes,
        storageCapacityBytes: bytes * 2,
        failures: [],
        inventories: [{ catalog, catalogDigest, digest: manifestDigest }],
      },
    },
  } as KubeObject
}

function resourceOf({ kind }: KubeObject): Resource {
  return Object.values(registry).find((each) => each.kind === kind) as Resource
}
