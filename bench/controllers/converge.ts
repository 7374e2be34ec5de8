import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startControllers } from '../../controllers/main.ts'
import {
  appliances,
  assignments,
  catalogs,
  hardwareClasses,
  placementPolicies,
  sites,
} from '../../controllers/resources.ts'
import { customResourceDefinitions as weirDefinitions } from '../../crds/load.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import type { Assignment } from '../../crds/types.gen.ts'
import { openBlobStore } from '../../runtime/blob-store.ts'
import { Cache } from '../../runtime/cache/cache.ts'
import { Client } from '../../runtime/client/client.ts'
import { fixedCredentials } from '../../runtime/client/credentials.ts'
import {
  type CustomResourceDefinition,
  customResourceDefinitions,
  namespaces,
  type Resource,
} from '../../runtime/client/resource.ts'
import { startKube } from '../apiserver/kube-server.ts'
import type { ServerUnderTest } from '../apiserver/server-under-test.ts'
import { startWeir } from '../apiserver/weir-server.ts'
import type { Report } from '../benchmark.ts'

const APPLIANCES = 5_000
const SITES = 100
/** Requests under way in the raw writes; more made neither server faster on two cores. */
const RAW_CONCURRENCY = 16
const FILES = 20
const NAMESPACE = 'bench'

/**
 * A change that touches every one of 5,000 appliances (the origin of the catalog that they all hold), against the same writes made by a
 * client that knows them beforehand and does nothing else.
 */
export async function compareConvergence(report: Report): Promise<void> {
  const assets = process.env.KUBEBUILDER_ASSETS
  const starts = [startWeir, ...(assets ? [() => startKube(assets)] : [])]
  for (const start of starts) {
    const server = await start()
    try {
      await measure(server, report)
    } finally {
      await server.stop()
    }
  }
  if (!assets) report.note('kube-apiserver is not measured: KUBEBUILDER_ASSETS is not set')
}

async function measure(server: ServerUnderTest, report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-converge-'))
  const { host, port, authority, client: identity } = server.access
  const access = {
    server: `https://${host}:${port}`,
    ca: authority,
    credentials: fixedCredentials({ cert: identity.certificate, key: identity.key }),
  }
  const client = new Client({ access, maxConnections: 32 })
  const watched = new Cache<Assignment>({ client, resource: assignments, namespace: NAMESPACE })
  const source = join(folder, 'catalog.ndjson')
  writeFileSync(source, catalogLines())
  await setUp(client, `file://${source}`)
  const controllers = startControllers({
    client: new Client({ access, maxConnections: 32 }),
    blobs: await openBlobStore(join(folder, 'blobs')),
    catalog: { fileRoots: [folder] },
  })
  try {
    await controllers.started
    watched.start()
    await watched.waitForSync()
    await allHave(watched, 'http://before.example/')
    const converged = allHave(watched, 'http://after.example/')
    const setting = performance.now()
    await client.apply(catalogs, catalog(`file://${source}`, 'http://after.example/') as never, by('bench'))
    await converged
    const convergedMs = performance.now() - setting
    await until(() => controllers.status.controllers.every((c) => c.waiting + c.running === 0))

    const versions = new Map(watched.list().map(({ metadata }) => [metadata.name, metadata.generation]))
    await controllers.close()
    const rawMs = await rawWrites(client, watched)
    const written = watched
      .list()
      .map(({ metadata }) => (metadata.generation ?? 0) - (versions.get(metadata.name) ?? 0))
    if (written.some((count) => count !== 1)) throw new Error('the raw writes did not write every Assignment once')
    report.note(
      `${server.name}: ${APPLIANCES} Assignments in ${(convergedMs / 1000).toFixed(2)} s, the bare writes in ${(rawMs / 1000).toFixed(2)} s`,
    )
    report.figure({
      name: `converge: time beside the bare writes, on ${server.name}`,
      value: convergedMs / rawMs,
      unit: '×',
      target: { atMost: 1.2 },
    })
  } finally {
    await controllers.close()
    await watched.close()
    client.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Applies to every Assignment what the controllers would, with another origin, as fast as the server takes it. */
async function rawWrites(client: Client, watched: Cache<Assignment>): Promise<number> {
  const bodies = watched.list().map(({ apiVersion, kind, metadata, spec }) => {
    const { name, namespace, ownerReferences } = metadata
    const text = JSON.stringify({ apiVersion, kind, metadata: { name, namespace, ownerReferences }, spec })
    return JSON.parse(text.replaceAll('http://after.example/', 'http://raw.example/')) as Assignment
  })
  const seen = allHave(watched, 'http://raw.example/')
  const started = performance.now()
  await inParallel(bodies, (body) => client.apply(assignments, body, by('weir-assignment')))
  await seen
  return performance.now() - started
}

async function setUp(client: Client, source: string): Promise<void> {
  for (const definition of weirDefinitions()) {
    await client.apply(customResourceDefinitions, definition as unknown as CustomResourceDefinition, by('bench'))
  }
  await until(async () => {
    try {
      await client.list(sites)
      return (await client.list(placementPolicies)).items.length === 0
    } catch {
      return false
    }
  })
  await client.apply(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }, by('bench'))
  await put(client, hardwareClasses, 'bench', { storageBytes: 1e12, storageMedium: 'flash', throughputGbps: 10 })
  const place = { country: 'DE', metro: 'fra' }
  for (let i = 0; i < SITES; i++) await put(client, sites, `site-${i}`, place)
  const boxes = Array.from({ length: APPLIANCES }, (_, i) => i)
  await inParallel(boxes, (i) =>
    put(client, appliances, `box-${i}`, {
      siteRef: { name: `site-${i % SITES}` },
      hardwareClassRef: { name: 'bench' },
    }),
  )
  await client.apply(catalogs, catalog(source, 'http://before.example/') as never, by('bench'))
  await put(client, placementPolicies, 'all', { catalogRef: { name: 'films' } })
}

const catalog = (url: string, originUrl: string): KubeObject =>
  ({
    apiVersion: 'content.weir.dev/v1alpha1',
    kind: 'Catalog',
    metadata: { name: 'films', namespace: NAMESPACE },
    spec: { source: { url }, originUrl },
  }) as KubeObject

function put(client: Client, resource: Resource, name: string, spec: object): Promise<unknown> {
  const { group, version, kind, namespaced } = resource
  const metadata = { name, ...(namespaced && { namespace: NAMESPACE }) }
  return client.apply(resource, { apiVersion: `${group}/${version}`, kind, metadata, spec } as KubeObject, by('bench'))
}

const by = (fieldManager: string) => ({ fieldManager, force: true })

/** Counts the Assignments that name an origin as they change, and says when all do: looking at them again and again would cost more than what is measured. */
function allHave(cache: Cache<Assignment>, origin: string): Promise<void> {
  const missing = new Set(Array.from({ length: APPLIANCES }, (_, i) => `${NAMESPACE}/box-${i}`))
  return new Promise((resolve) => {
    const forget = cache.onChange(({ key, object }) => {
      if (object.spec.content?.entries[0]?.originUrl === origin) missing.delete(key)
      if (missing.size > 0) return
      resolve()
      queueMicrotask(() => forget())
    })
  })
}

function catalogLines(): string {
  const lines = Array.from({ length: FILES }, (_, i) =>
    JSON.stringify({ path: `film/${i}`, size: 1e6, sha256: createHash('sha256').update(`${i}`).digest('hex') }),
  )
  return `${lines.join('\n')}\n`
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < items.length) await work(items[next++]!)
  }
  await Promise.all(Array.from({ length: RAW_CONCURRENCY }, worker))
}

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 300_000
  while (!(await done())) {
    if (performance.now() > deadline) throw new Error('it did not come true within five minutes')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
