import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Controllers, type ControllersOptions, startControllers } from '../../controllers/main.ts'
import {
  appliances,
  assignments,
  catalogs,
  hardwareClasses,
  placementPlans,
  placementPolicies,
  sites,
} from '../../controllers/resources.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import type { Appliance, Assignment } from '../../crds/types.gen.ts'
import { decodeFileSet } from '../../reconcilers/blobs/file-set-blob.ts'
import { APPLIANCE_LABEL } from '../../reconcilers/credentials/plan-credentials.ts'
import {
  HEARTBEAT_LABEL,
  HEARTBEAT_NAMESPACE,
  leaseName,
  ONLINE_ANNOTATION,
  shardOf,
} from '../../reconcilers/heartbeats/leases.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import { coreEvents, leases, namespaces, type Resource, secrets } from '../../runtime/client/resource.ts'
import { isAlreadyExists, isForbidden } from '../../runtime/errors.ts'
import { silentLog } from '../../runtime/log.ts'
import { type ControlPlane, eventually, freshNamespace, startControlPlane } from './control-plane.ts'

let plane: ControlPlane
let client: Client
let ns: string
let controllers: Controllers
const wrote: string[] = []
/** What the controllers have logged, warnings of single keys aside. */
const said: string[] = []

/** A client for the controllers that notes every request that is no read. */
async function watchedClient(): Promise<Client> {
  const access = await loadKubeconfig({ path: plane.kubeconfigPath })
  const made = new Client({ access, userAgent: 'weir-controllers' })
  const raw = made.raw.bind(made)
  made.raw = (path, request) => {
    if (request?.method && request.method !== 'GET') wrote.push(`${request.method} ${path}`)
    return raw(path, request)
  }
  return made
}

let controllersClient: Client

beforeAll(async () => {
  plane = await startControlPlane()
  client = plane.client
  controllersClient = await watchedClient()
  await client
    .create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: HEARTBEAT_NAMESPACE } })
    .catch((error) => {
      if (!isAlreadyExists(error)) throw error
    })
})
afterAll(async () => {
  controllersClient?.close()
  await plane?.[Symbol.asyncDispose]()
})
beforeEach(async () => {
  ns = await freshNamespace(client, 'fleet')
  // What gateways of earlier tests have said must not outlive them.
  for (const { metadata } of (await client.list(leases, { namespace: HEARTBEAT_NAMESPACE })).items) {
    await client.delete(leases, { namespace: HEARTBEAT_NAMESPACE, name: metadata.name! })
  }
  await start()
})
afterEach(async () => {
  await cleanUp()
  await controllers?.close()
})

/** Takes away what would keep the controllers busy in the next test. */
async function cleanUp(): Promise<void> {
  for (const resource of [placementPolicies, catalogs]) {
    for (const { metadata } of (await client.list(resource as Resource, { namespace: ns })).items) {
      await eventually(async () => {
        await client.delete(resource, { namespace: ns, name: metadata.name! })
        return true
      }, `${metadata.name} is deleted`)
    }
    await eventually(
      async () => (await client.list(resource as Resource, { namespace: ns })).items.length === 0,
      'all are gone',
    )
  }
}

async function start(options: Partial<ControllersOptions> = {}): Promise<void> {
  said.length = 0
  controllers = startControllers({
    client: controllersClient,
    blobs: plane.blobs,
    catalog: { fileRoots: [plane.dir] },
    placement: { fleetDelayMs: 20, progressDelayMs: 20 },
    site: { progressDelayMs: 20 },
    assignment: { drainSeconds: 0 },
    // Appliances of earlier tests are dark: only the tests of the brake count them.
    brake: { maxDarkShare: 1, minDark: 1 },
    log: { ...silentLog, child: () => silentLog, info: (_, message) => said.push(message) },
    ...options,
  })
  await controllers.started
}

const apply = <T extends KubeObject>(resource: Resource<T>, name: string, fields: object) =>
  client.apply(
    resource,
    {
      apiVersion: `${resource.group}/${resource.version}`,
      kind: resource.kind,
      metadata: { name, ...(resource.namespaced ? { namespace: ns } : {}) },
      ...fields,
    } as unknown as T,
    { fieldManager: 'test', force: true },
  )

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
/** Files `prefix/0` … of `size` bytes each, the first the most popular. */
const lines = (count: number, size = 100, prefix = 'film') =>
  Array.from({ length: count }, (_, i) =>
    JSON.stringify({ path: `${prefix}/${i}`, size, sha256: sha256(`${prefix}/${i}`), popularity: count - i }),
  ).join('\n')

function sourceFile(text: string): string {
  writeFileSync(join(plane.dir, `${ns}.ndjson`), text)
  return `file://${plane.dir}/${ns}.ndjson`
}

/** A site with `count` appliances of 10,000 bytes, a catalog of `files` files of 100 bytes, and a policy that places them. */
async function fleet({
  count = 2,
  files = 10,
  policy = {},
}: {
  count?: number
  files?: number
  policy?: object
} = {}): Promise<void> {
  await apply(hardwareClasses, 'small', { spec: { storageBytes: 10_000, storageMedium: 'flash', throughputGbps: 10 } })
  await apply(sites, 'fra', { spec: { country: 'DE', metro: 'fra', timeZone: 'UTC', network: { prefixes: [] } } })
  for (let i = 0; i < count; i++) {
    await apply(appliances, `box-${i}`, { spec: { siteRef: { name: 'fra' }, hardwareClassRef: { name: 'small' } } })
  }
  await apply(catalogs, 'films', { spec: { source: { url: sourceFile(lines(files)) } } })
  await apply(placementPolicies, 'all', { spec: { catalogRef: { name: 'films' }, ...policy } })
}

const get = <T extends KubeObject>(resource: Resource<T>, name: string) => client.get(resource, { namespace: ns, name })
const condition = (
  object: { status?: { conditions?: readonly { type: string; status: string; reason: string; message: string }[] } },
  type: string,
) => object.status?.conditions?.find((c) => c.type === type)

/** The catalog once it has said, of this version of its spec, how the source is. */
const catalogRead = () =>
  eventually(async () => {
    const catalog = await get(catalogs, 'films')
    return (
      catalog.status?.observedGeneration === catalog.metadata.generation && condition(catalog, 'SourceReady') && catalog
    )
  }, 'the catalog was read')

/** The Assignments of the boxes once they hold `files` files in all. */
const assigned = (files: number, boxes = 2) =>
  eventually(async () => {
    const { items } = await client.list(assignments, { namespace: ns })
    const total = items.reduce(
      (sum, { spec }) => sum + (spec.content?.entries.reduce((n, e) => n + e.files, 0) ?? 0),
      0,
    )
    return items.length === boxes && total === files && items
  }, `${files} files are assigned to ${boxes} boxes`)

/** Says, as the gateway would, which of the boxes it hears. Leases of every shard, so that silence means something. */
async function hear(...boxes: string[]): Promise<void> {
  const keys = boxes.map((box) => `${ns}/${box}`)
  for (const shard of new Set(['box-0', 'box-1', 'box-2'].map((box) => shardOf(`${ns}/${box}`)))) {
    await client.apply(
      leases,
      {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: {
          name: leaseName('test', shard),
          namespace: HEARTBEAT_NAMESPACE,
          labels: { [HEARTBEAT_LABEL]: 'true' },
          annotations: { [ONLINE_ANNOTATION]: JSON.stringify(keys.filter((key) => shardOf(key) === shard)) },
        },
        spec: {
          holderIdentity: 'test',
          leaseDurationSeconds: 30,
          renewTime: `${new Date().toISOString().slice(0, -1)}000Z`,
        },
      },
      { fieldManager: 'weir-gateway', force: true },
    )
  }
}

/** Says, as the gateway would, that a box holds what it was asked to. */
async function report({ metadata, spec }: Assignment, content: object = {}): Promise<void> {
  const entries = spec.content?.entries ?? []
  const files = entries.reduce((n, e) => n + e.files, 0)
  const bytes = entries.reduce((n, e) => n + e.bytes, 0)
  await client.applyStatus(
    appliances,
    {
      apiVersion: 'fleet.weir.dev/v1alpha1',
      kind: 'Appliance',
      metadata: { name: metadata.name!, namespace: ns },
      status: {
        content: {
          generation: spec.content?.generation,
          filesDesired: files,
          bytesDesired: bytes,
          filesHeld: files,
          bytesHeld: bytes,
          filesFailing: 0,
          bytesToFill: 0,
          progressPercent: 100,
          storageUsedBytes: bytes,
          storageCapacityBytes: 10_000,
          ...content,
        },
        agent: { version: '0.1.0', bootId: 'b', startedAt: '2030-01-01T00:00:00Z' },
      },
    } as unknown as Appliance,
    { fieldManager: 'weir-gateway', force: true },
  )
}

/** Waits until no controller has anything to do, and makes sure that it stays so. */
async function idle(): Promise<void> {
  const busy = () => controllers.status.controllers.some((c) => c.waiting + c.running > 0)
  let quietSince = Date.now()
  let writes = wrote.length
  await eventually(async () => {
    if (busy() || wrote.length !== writes) {
      quietSince = Date.now()
      writes = wrote.length
    }
    return Date.now() - quietSince > 150
  }, 'the controllers come to rest')
}

const events = async () =>
  (await client.list(coreEvents, { namespace: ns })).items
    .map((e) => `${e.involvedObject.kind}/${e.involvedObject.name} ${e.reason}: ${e.message}`)
    .sort()

describe('from YAML to what each appliance must hold', () => {
  test('a catalog is published, placed, and assigned; every file once', async () => {
    await fleet()
    const found = await assigned(10)
    const sets = await Promise.all(
      found.map(
        async ({ spec }) => decodeFileSet((await plane.blobs.get(spec.content!.entries[0]!.manifestDigest))!).set,
      ),
    )
    expect(sets[0]!.union(sets[1]!).size).toBe(10)
    expect(sets[0]!.intersection(sets[1]!).size).toBe(0)
    const catalog = await get(catalogs, 'films')
    expect(catalog.status).toMatchObject({ files: 10, bytes: 1000, version: 1, usedBy: [`${ns}/all`] })
    expect(catalog.metadata.finalizers).toHaveLength(1)
    for (const digest of [catalog.status!.digest!, catalog.status!.demandDigest!])
      expect(await plane.blobs.has(digest)).toBe(true)
    await eventually(async () => (await events()).length === 2, 'both events are there')
    expect(await events()).toEqual([
      'Catalog/films CatalogPublished: Published 10 files, 1000 B',
      'PlacementPolicy/all Planned: 1000 B on 2 appliances, 1000 B to fill',
    ])
  })

  test('converged: a resync makes not one write request, however often', async () => {
    await fleet()
    for (const assignment of await assigned(10)) await report(assignment)
    await hear('box-0', 'box-1')
    await eventually(
      async () => condition(await get(placementPolicies, 'all'), 'Ready')?.status === 'True',
      'the policy is Ready',
    )
    await eventually(async () => condition(await get(sites, 'fra'), 'Ready')?.status === 'True', 'the site is Ready')
    await idle()
    const versions = async () =>
      JSON.stringify(
        await Promise.all(
          [appliances, assignments, catalogs, placementPlans, placementPolicies, sites, secrets].map(async (r) =>
            (await client.list(r as Resource, { namespace: ns })).items.map((o) => o.metadata.resourceVersion),
          ),
        ),
      )
    const before = await versions()
    wrote.length = 0
    for (let i = 0; i < 3; i++) {
      controllers.resync()
      await idle()
    }
    expect(wrote).toEqual([])
    expect(await versions()).toBe(before)
  })

  test('controllers that start anew over a converged fleet write nothing but what they install', async () => {
    await fleet()
    for (const assignment of await assigned(10)) await report(assignment)
    await hear('box-0', 'box-1')
    await eventually(
      async () => condition(await get(placementPolicies, 'all'), 'Ready')?.status === 'True',
      'the policy is Ready',
    )
    await eventually(async () => condition(await get(sites, 'fra'), 'Ready')?.status === 'True', 'the site is Ready')
    await idle()
    await controllers.close()
    wrote.length = 0
    await start()
    await idle()
    expect(wrote.filter((request) => !request.includes('validatingadmissionpolic'))).toEqual([])
  })

  test('another file in the source moves that file and nothing else', async () => {
    await fleet()
    const before = await assigned(10)
    await apply(catalogs, 'films', {
      spec: {
        source: { url: sourceFile(`${lines(10)}\n${lines(1, 100, 'new')}`) },
        suspend: false,
        refreshInterval: '2h',
      },
    })
    const after = await assigned(11)
    const changed = after.filter(
      (a, i) => a.spec.content!.entries[0]!.files !== before[i]!.spec.content!.entries[0]!.files,
    )
    expect(changed).toHaveLength(1)
    const plans = await client.list(placementPlans, { namespace: ns })
    const current = (await get(placementPolicies, 'all')).status!.currentPlan
    const [now, parent] = [
      plans.items.find((p) => p.metadata.name === current)!,
      plans.items.find((p) => p.metadata.name !== current)!,
    ]
    expect(now.spec.parent).toBe(parent.metadata.name)
    expect(now.spec.totals.fillBytes).toBe(100)
  })

  test('what does not fit is left out, and the policy says by how much', async () => {
    await fleet({ count: 1, files: 120 })
    await assigned(100, 1)
    const policy = await eventually(async () => {
      const found = await get(placementPolicies, 'all')
      return (found.status?.filesLeftOut ?? 0) > 0 && found
    }, 'the policy says what was left out')
    expect(policy.status).toMatchObject({ filesPlaced: 100, filesLeftOut: 20, bytesLeftOut: 2000 })
    expect(condition(policy, 'Fits')).toMatchObject({ status: 'False', reason: 'StorageExhausted' })
  })

  test('of two policies the one of higher priority plans first; the other gets what is left', async () => {
    await fleet({ count: 1, files: 80, policy: { priority: 10 } })
    await assigned(80, 1)
    await apply(catalogs, 'series', { spec: { source: { url: `file://${plane.dir}/${ns}-b.ndjson` } } })
    writeFileSync(join(plane.dir, `${ns}-b.ndjson`), lines(80, 100, 'series'))
    await apply(placementPolicies, 'rest', { spec: { catalogRef: { name: 'series' } } })
    const [assignment] = await assigned(100, 1)
    expect(assignment!.spec.content!.entries.map((e) => [e.catalog.name, e.files])).toEqual([
      ['films', 80],
      ['series', 20],
    ])
  })

  test('a policy that comes to place another catalog counts all of it as to be moved', async () => {
    await fleet({ count: 1, files: 80 })
    await assigned(80, 1)
    await apply(catalogs, 'series', { spec: { source: { url: `file://${plane.dir}/${ns}-b.ndjson` } } })
    writeFileSync(join(plane.dir, `${ns}-b.ndjson`), lines(60, 100, 'series'))
    await apply(placementPolicies, 'all', { spec: { catalogRef: { name: 'series' } } })
    await assigned(60, 1)
    const { currentPlan } = (await get(placementPolicies, 'all')).status!
    // Its files have the indices that those of the other catalog had.
    expect((await get(placementPlans, currentPlan!)).spec.totals).toMatchObject({ bytes: 6000, fillBytes: 6000 })
  })

  test('a policy that goes takes back what it placed, and its plans with it', async () => {
    await fleet()
    await assigned(10)
    await client.delete(placementPolicies, { namespace: ns, name: 'all' })
    await assigned(0)
    await eventually(
      async () => (await client.list(placementPlans, { namespace: ns })).items.length === 0,
      'its plans are collected',
      // The garbage collector of a cluster learns of kinds that are new to it only twice a minute.
      75_000,
    )
  }, 120_000)
})

describe('catalogs', () => {
  test('a refused source: says the line, keeps the version in force, tells it once', async () => {
    await fleet()
    await assigned(10)
    const before = await get(catalogs, 'films')
    const url = sourceFile(`${lines(3)}\n{"path":"../x","size":1,"sha256":"${sha256('x')}"}`)
    await apply(catalogs, 'films', { spec: { source: { url }, refreshInterval: '3h' } })
    const after = await eventually(async () => {
      const catalog = await get(catalogs, 'films')
      return condition(catalog, 'SourceReady')?.status === 'False' && catalog
    }, 'the source is refused')
    expect(condition(after, 'SourceReady')).toMatchObject({
      reason: 'SourceRefused',
      message: expect.stringMatching(/^line 4: path "\.\.\/x"/),
    })
    expect(condition(after, 'Ready')?.status).toBe('False')
    expect(after.status!.digest).toBe(before.status!.digest)
    controllers.resync()
    await idle()
    const told = (await events()).filter((event) => event.includes('SourceRefused'))
    expect(told).toHaveLength(1)
  })

  test('a source that is away: is tried again by itself', async () => {
    let broken = true
    const origin = createServer((_, response) => response.writeHead(broken ? 500 : 200).end(broken ? '' : lines(2)))
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
    try {
      const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}/c.ndjson`
      await apply(catalogs, 'films', { spec: { source: { url } } })
      expect(condition(await catalogRead(), 'SourceReady')).toMatchObject({
        reason: 'SourceUnreadable',
        message: expect.stringContaining('answered 500'),
      })
      broken = false
      await eventually(async () => (await get(catalogs, 'films')).status?.files === 2, 'the catalog is published')
    } finally {
      origin.close()
    }
  })

  test('one that hangs or is broken holds no other up', async () => {
    const hang = createServer(() => {})
    await new Promise<void>((resolve) => hang.listen(0, '127.0.0.1', resolve))
    try {
      const url = `http://127.0.0.1:${(hang.address() as AddressInfo).port}/c.ndjson`
      await apply(catalogs, 'hangs', { spec: { source: { url } } })
      await apply(catalogs, 'films', { spec: { source: { url: sourceFile(lines(2)) } } })
      await eventually(async () => (await get(catalogs, 'films')).status?.files === 2, 'the other is published')
    } finally {
      await controllers.close()
      hang.closeAllConnections()
      hang.close()
      await start()
    }
  })

  test('is asked again only when due, and then only for what has changed', async () => {
    let asked: (string | undefined)[] = []
    const origin = createServer((request, response) => {
      asked.push(request.headers['if-none-match'])
      if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end()
      else response.setHeader('ETag', '"1"').end(lines(2))
    })
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
    try {
      const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}/c.ndjson`
      await apply(catalogs, 'films', { spec: { source: { url }, refreshInterval: '10s' } })
      await eventually(async () => (await get(catalogs, 'films')).status?.files === 2, 'the catalog is published')
      controllers.resync()
      await idle()
      expect(asked).toEqual([undefined])
      asked = []
      await client.patch(
        catalogs,
        { namespace: ns, name: 'films' },
        { type: 'merge', merge: { spec: { suspend: true } } },
      )
      await client.patch(
        catalogs,
        { namespace: ns, name: 'films' },
        { type: 'merge', merge: { spec: { suspend: false } } },
      )
      await eventually(async () => asked.length === 1, 'a changed spec is looked at')
      expect(asked).toEqual([undefined])
    } finally {
      origin.closeAllConnections()
      origin.close()
    }
  })

  /** Whether the API server can be told what to refuse. */
  const hasAdmissionPolicies = async () => {
    const { groups } = (await client.raw('/apis')) as { groups: readonly { name: string }[] }
    return groups.some(({ name }) => name === 'admissionregistration.k8s.io')
  }
  const key = () => ({ namespace: ns, name: 'films' })

  test('one in use cannot be deleted: the API server names its users, where it can be told to', async () => {
    await fleet()
    await eventually(async () => (await get(catalogs, 'films')).status?.usedBy?.length, 'its use is known')
    if (!(await hasAdmissionPolicies())) {
      expect(said).toEqual(['this API server has no admission policies: only finalizers keep Catalogs in use'])
      return
    }
    // A binding takes effect when the API server has seen it.
    const error = await eventually(async () => {
      const refused: unknown = await client.delete(catalogs, key(), { dryRun: true }).catch((e: unknown) => e)
      return isForbidden(refused) && (refused as Error)
    }, 'the deletion is refused')
    expect(error.message).toContain(`used by PlacementPolicies ${ns}/all`)
    await client.delete(placementPolicies, { namespace: ns, name: 'all' })
    await eventually(async () => {
      await client.delete(catalogs, key())
      return true
    }, 'the catalog may go')
    await eventually(async () => (await client.find(catalogs, key())) === undefined, 'the catalog is gone')
  })

  test('one whose deletion slipped through is held by its finalizer until nothing uses it', async () => {
    await fleet()
    await eventually(async () => (await get(catalogs, 'films')).status?.usedBy?.length, 'its use is known')
    const binding = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings'
    if (await hasAdmissionPolicies()) {
      await client.raw(`${binding}/catalogs-in-use.content.weir.dev`, { method: 'DELETE' })
    }
    await eventually(async () => {
      await client.delete(catalogs, key())
      return true
    }, 'the API server lets it pass')
    await idle()
    const held = await get(catalogs, 'films')
    expect(held.metadata).toMatchObject({
      finalizers: ['content.weir.dev/in-use'],
      deletionTimestamp: expect.any(String),
    })
    await assigned(10)
    await client.delete(placementPolicies, { namespace: ns, name: 'all' })
    await eventually(async () => (await client.find(catalogs, key())) === undefined, 'the catalog is gone')
  })

  test('a blob that was lost is made again', async () => {
    await fleet()
    await assigned(10)
    await idle()
    const { digest } = (await get(catalogs, 'films')).status!
    await plane.blobs.delete(digest!)
    await controllers.close()
    await start()
    await eventually(async () => await plane.blobs.has(digest!), 'the catalog blob is back')
  })
})

describe('appliances and sites', () => {
  const online = async (box: string) => condition(await get(appliances, box), 'Online')?.status

  test('heard, silent, heard again; without a gateway nobody knows', async () => {
    await fleet()
    const [first, second] = await assigned(10)
    await report(first!)
    await report(second!)
    await eventually(async () => (await online('box-0')) === 'Unknown', 'nobody knows')
    await hear('box-0', 'box-1')
    await eventually(async () => (await get(appliances, 'box-0')).status?.phase === 'Ready', 'box-0 is Ready')
    await eventually(async () => (await get(sites, 'fra')).status?.appliances?.ready === 2, 'the site counts both')
    await hear('box-1')
    await eventually(async () => (await online('box-0')) === 'False', 'box-0 has fallen silent')
    expect(await online('box-1')).toBe('True')
    expect((await get(appliances, 'box-0')).status).toMatchObject({
      phase: 'Offline',
      waitingFor: [expect.any(String)],
    })
    await hear('box-0', 'box-1')
    await eventually(async () => (await online('box-0')) === 'True', 'box-0 is back')
    await eventually(
      async () => (await events()).some((e) => e.startsWith('Appliance/box-0 Heartbeat:')),
      'its return is told',
    )
  })

  test('a renewal without news is no reason to look at any appliance', async () => {
    await fleet()
    await hear('box-0', 'box-1')
    await eventually(async () => (await online('box-1')) === 'True', 'box-1 is online')
    await idle()
    await controllers.close()
    const reconciled: string[] = []
    await start({ observer: { reconciled: (name) => reconciled.push(name) } })
    await idle()
    reconciled.length = 0
    for (let i = 0; i < 3; i++) await hear('box-0', 'box-1')
    await idle()
    expect(reconciled).toEqual([])
  })

  test('a reference that leads nowhere stalls that one, and mends itself when it leads somewhere', async () => {
    await fleet()
    await apply(appliances, 'box-2', { spec: { siteRef: { name: 'nowhere' }, hardwareClassRef: { name: 'small' } } })
    await eventually(
      async () => condition(await get(appliances, 'box-2'), 'Stalled')?.reason === 'SiteNotFound',
      'it stalls',
    )
    await apply(sites, 'nowhere', { spec: { country: 'NL', metro: 'ams', timeZone: 'UTC', network: { prefixes: [] } } })
    await eventually(async () => condition(await get(appliances, 'box-2'), 'Stalled') === undefined, 'it goes on')
    await assigned(20, 3)
  })

  test('every appliance has a token of its own, made again when it is lost, gone with it', async () => {
    await fleet()
    const token = async (box: string) =>
      (await client.find(secrets, { namespace: ns, name: `weir-agent-${box}` }))?.data?.token
    const first = await eventually(() => token('box-0'), 'box-0 has a token')
    const second = await eventually(() => token('box-1'), 'box-1 has a token')
    expect(first).not.toBe(second)
    expect(Buffer.from(first, 'base64').toString()).toMatch(/^[\w-]{43}$/)
    await client.delete(secrets, { namespace: ns, name: 'weir-agent-box-0' })
    const again = await eventually(() => token('box-0'), 'box-0 has a token again')
    expect(again).not.toBe(first)
    const secret = await client.get(secrets, { namespace: ns, name: 'weir-agent-box-1' })
    expect(secret.metadata.labels).toEqual({ [APPLIANCE_LABEL]: 'box-1' })
    expect(secret.metadata.ownerReferences).toMatchObject([{ kind: 'Appliance', name: 'box-1', controller: true }])
  })

  test('a deleted appliance goes once it holds nothing; the others take over its share', async () => {
    await fleet()
    for (const assignment of await assigned(10)) await report(assignment)
    await hear('box-0', 'box-1')
    await eventually(async () => (await get(appliances, 'box-1')).status?.phase === 'Ready', 'box-1 is Ready')
    await client.delete(appliances, { namespace: ns, name: 'box-1' })
    const emptied = await eventually(async () => {
      const assignment = await get(assignments, 'box-1')
      return assignment.spec.content?.entries.length === 0 && assignment
    }, 'box-1 is asked to give everything up')
    expect((await get(appliances, 'box-1')).metadata.deletionTimestamp).toBeDefined()
    await report(emptied, { storageUsedBytes: 0, inventories: [] })
    await eventually(
      async () => (await client.find(appliances, { namespace: ns, name: 'box-1' })) === undefined,
      'box-1 is gone',
    )
    await assigned(10, 1)
  })
})

test('while too much of the fleet is dark nothing is moved, and that is said; it goes on by itself', async () => {
  for (const { metadata, spec } of (await client.list(appliances)).items) {
    await client.apply(
      appliances,
      {
        apiVersion: 'fleet.weir.dev/v1alpha1',
        kind: 'Appliance',
        metadata: { name: metadata.name!, namespace: metadata.namespace! },
        spec: { ...spec, mode: 'OutOfService' },
      } as Appliance,
      { fieldManager: 'test', force: true },
    )
  }
  await controllers.close()
  await start({ brake: { maxDarkShare: 0.3, minDark: 2 } })
  await fleet({ count: 4 })
  for (const assignment of await assigned(10, 4)) await report(assignment)
  await hear('box-0', 'box-1', 'box-2', 'box-3')
  const policy = async () => (await client.list(placementPolicies, { namespace: ns })).items[0]!
  await eventually(async () => condition(await policy(), 'Ready')?.status === 'True', 'all have converged')
  const before = (await policy()).status?.currentPlan

  await hear('box-0', 'box-1')
  const paused = await eventually(async () => condition(await policy(), 'Paused'), 'the policy says that it is paused')
  expect(paused).toMatchObject({
    status: 'True',
    reason: 'FleetDark',
    message: expect.stringMatching(/^2 of 4 appliances/),
  })
  await client.delete(appliances, { namespace: ns, name: 'box-0' })
  await idle()
  expect((await policy()).status?.currentPlan).toBe(before)
  expect((await get(assignments, 'box-0')).spec.content?.entries).toHaveLength(1)
  await eventually(async () => (await events()).some((e) => e.includes('FleetDark')), 'an event says so')

  await hear('box-0', 'box-1', 'box-2', 'box-3')
  await eventually(async () => (await policy()).status?.currentPlan !== before, 'it plans without box-0')
  expect(condition(await policy(), 'Paused')).toBeUndefined()
  await eventually(async () => (await get(assignments, 'box-0')).spec.content?.entries.length === 0, 'box-0 gives up')
})
