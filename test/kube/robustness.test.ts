import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { type Controllers, startControllers } from '../../controllers/main.ts'
import {
  appliances,
  assignments,
  catalogs,
  hardwareClasses,
  placementPlans,
  placementPolicies,
  sites,
} from '../../controllers/resources.ts'
import { customResourceDefinitions as weirDefinitions } from '../../crds/load.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import type { Site } from '../../crds/types.gen.ts'
import { HEARTBEAT_NAMESPACE } from '../../reconcilers/heartbeats/leases.ts'
import { openBlobStore } from '../../runtime/blob-store.ts'
import { Cache } from '../../runtime/cache/cache.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import {
  type CustomResourceDefinition,
  customResourceDefinitions,
  namespaces,
  type Resource,
} from '../../runtime/client/resource.ts'
import { isAlreadyExists } from '../../runtime/errors.ts'
import { eventually, freshNamespace, install } from '../controllers/control-plane.ts'
import { ApiProxy, type Fault } from './api-proxy.ts'
import { type RestartableServer, startRestartableServer } from './restartable-server.ts'

// Controllers behind a door that sticks. Each test asks for something, makes it hard, and wants it done all the same.

let server: RestartableServer
/** Past the door: what the test itself asks is never hindered. */
let admin: Client
let proxy: ApiProxy
let proxied: Client
let controllers: Controllers
let ns: string

beforeAll(async () => {
  server = await startRestartableServer()
  admin = new Client({ access: await loadKubeconfig({ path: server.kubeconfigPath }), maxConnections: 50 })
  await install(admin)
  await admin
    .create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: HEARTBEAT_NAMESPACE } })
    .catch((error) => {
      if (!isAlreadyExists(error)) throw error
    })
  proxy = await ApiProxy.start({ kubeconfigPath: server.kubeconfigPath })
  const path = proxy.writeKubeconfig(join(server.dir, `kubeconfig-${randomUUID()}`))
  proxied = new Client({ access: await loadKubeconfig({ path }), userAgent: 'weir-controllers' })
}, 180_000)
afterAll(async () => {
  proxied?.close()
  admin?.close()
  await proxy?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
}, 120_000)
beforeEach(async () => {
  ns = await freshNamespace(admin, 'hard')
  controllers = startControllers({
    client: proxied,
    blobs: await openBlobStore(join(server.dir, 'blobs')),
    catalog: { fileRoots: [server.dir] },
    placement: { fleetDelayMs: 20, progressDelayMs: 20 },
    site: { progressDelayMs: 20 },
    assignment: { drainSeconds: 0 },
    brake: { maxDarkShare: 1, minDark: 1 },
  })
  await controllers.started
})
afterEach(async () => {
  proxy.fault = undefined
  await controllers?.close()
})

/** A site with one appliance and one catalog of three files, placed there. */
async function ask(): Promise<void> {
  await apply(hardwareClasses, 'small', { storageBytes: 10_000, storageMedium: 'flash', throughputGbps: 10 })
  await apply(sites, 'fra', { country: 'DE', metro: 'fra' })
  await apply(appliances, 'box', { siteRef: { name: 'fra' }, hardwareClassRef: { name: 'small' } })
  await apply(catalogs, 'films', { source: { url: source(3) } })
  await apply(placementPolicies, 'all', { catalogRef: { name: 'films' } })
}

async function apply<T extends KubeObject>(resource: Resource<T>, name: string, spec: object): Promise<T> {
  const object = {
    apiVersion: `${resource.group}/${resource.version}`,
    kind: resource.kind,
    metadata: { name, ...(resource.namespaced ? { namespace: ns } : {}) },
    spec,
  }
  return await admin.apply(resource, object as unknown as T, { fieldManager: 'test', force: true })
}

function source(files: number): string {
  const path = join(server.dir, `${ns}-${files}.ndjson`)
  const line = (i: number) => JSON.stringify({ path: `f/${i}`, size: 100, sha256: `${i}`.repeat(64).slice(0, 64) })
  writeFileSync(path, Array.from({ length: files }, (_, i) => line(i)).join('\n'))
  return `file://${path}`
}

const get = <T extends KubeObject>(resource: Resource<T>, name: string) => admin.get(resource, { namespace: ns, name })

/** Everything that was asked for has its effect. */
async function done(files: number, withinMs = 60_000): Promise<void> {
  const end = performance.now() + withinMs
  for (;;) {
    const assignment = await admin.find(assignments, { namespace: ns, name: 'box' })
    if (assignment?.spec.content?.entries[0]?.files === files) return
    if (performance.now() > end) throw new Error(`not ${files} files are assigned: ${JSON.stringify(assignment?.spec)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** How long the server misbehaves; long enough for back-offs to grow where there is time for it. */
const HARD_MS = process.env.WEIR_TEST_KUBECONFIG ? 10_000 : 1500

describe('a server that', () => {
  test.each<[string, () => Fault | undefined, number]>([
    ['answers 500 for a while', () => ({ type: 'answer', status: 500, reason: 'InternalError' }), 3000],
    [
      'throttles everything for a while',
      () => ({ type: 'answer', status: 429, reason: 'TooManyRequests', retryAfterSeconds: 1 }),
      HARD_MS,
    ],
    [
      'is overloaded and says when to come back',
      () => ({ type: 'answer', status: 503, reason: 'ServiceUnavailable', retryAfterSeconds: 1 }),
      HARD_MS,
    ],
    ['breaks every connection for a while', () => ({ type: 'break' }), HARD_MS],
    [
      'refuses one request in three',
      (() => {
        let count = 0
        return () =>
          count++ % 3 === 0 ? ({ type: 'answer', status: 500, reason: 'InternalError' } as const) : undefined
      })(),
      2 * HARD_MS,
    ],
  ])(
    '%s: what was asked meanwhile is done',
    async (_, fault, ms) => {
      proxy.fault = fault
      // Watches that are open would go on in spite of it.
      proxy.cut()
      await ask()
      const timer = setTimeout(() => {
        proxy.fault = undefined
      }, ms)
      try {
        await done(3)
      } finally {
        clearTimeout(timer)
        proxy.fault = undefined
      }
    },
    120_000,
  )

  test('is slow by 2 s, in everything: it takes longer, and is done with no write twice', async () => {
    proxy.seen.length = 0
    proxy.fault = () => ({ type: 'delay', ms: 2000 })
    await ask()
    await done(3, 90_000)
    const created = proxy.seen.filter(
      ({ verb, resource, namespace, status }) =>
        namespace === ns && status === 201 && verb === 'create' && resource === 'placementplans',
    )
    expect(created).toHaveLength(1)
  }, 120_000)

  test('restarts: watches go on, nothing that was asked is lost', async () => {
    await ask()
    await done(3)
    if (server.restart === undefined) {
      console.warn('the API server is not ours to restart: skipped')
      return
    }
    await server.restart(async () => {
      await eventually(async () => controllers.status.caches.some(({ error }) => error), 'somebody notices')
    })
    await apply(catalogs, 'films', { source: { url: source(4) } })
    await done(4)
    await following()
  }, 180_000)
})

/** Every cache follows the API again. Back-offs may have grown to half a minute by then. */
async function following(): Promise<void> {
  const end = performance.now() + 60_000
  for (;;) {
    const lost = controllers.status.caches.filter(({ error }) => error !== undefined)
    if (lost.length === 0) return
    if (performance.now() > end) throw new Error(`caches do not follow: ${JSON.stringify(lost)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

describe('a cache', () => {
  test('is exactly what the server has after 1,000 objects have changed while it was being read anew', async () => {
    await makeSites(1000)
    const cache = new Cache<Site>({ client: proxied, resource: sites, namespace: ns })
    cache.start()
    try {
      await cache.waitForSync(AbortSignal.timeout(45_000))
      expect(cache.size).toBe(1000)
      let relists = 0
      proxy.fault = ({ verb, resource, namespace }) => {
        if (resource !== 'sites' || namespace !== ns) return undefined
        if (verb === 'list') return relists++ < 3 ? { type: 'delay', ms: 300 } : undefined
        return verb === 'watch' && relists === 0 ? { type: 'answer', status: 410, reason: 'Expired' } : undefined
      }
      proxy.cut()
      await each(1000, async (i) => {
        if (i % 10 === 0) await admin.delete(sites, { namespace: ns, name: `s${i}` })
        else await touch(`s${i}`, 'changed')
      })
      await eventually(async () => relists >= 2, 'it has listed again')
      await eventually(async () => {
        const { items } = await admin.list(sites, { namespace: ns })
        const versions = (all: readonly Site[]) =>
          all
            .map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`)
            .sort()
            .join()
        return items.length === cache.size && versions(items) === versions(cache.list())
      }, 'cache and server are the same')
      expect(cache.get(`${ns}/s1`)?.metadata.labels).toEqual({ look: 'changed' })
    } finally {
      await cache.close()
      await admin.raw(`/apis/fleet.weir.dev/v1alpha1/namespaces/${ns}/sites`, { method: 'DELETE' })
    }
  }, 120_000)
})

async function makeSites(count: number): Promise<void> {
  // Controllers would give each a finalizer and a status; this is about the cache alone.
  await controllers.close()
  await each(count, (i) => apply(sites, `s${i}`, { country: 'DE', metro: 'fra' }))
}

const touch = (name: string, look: string) =>
  admin.patch(sites, { namespace: ns, name }, { type: 'merge', merge: { metadata: { labels: { look } } } })

/** Fifty at a time, in order. */
async function each(count: number, fn: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      while (next < count) await fn(next++)
    }),
  )
}

describe('objects that change behind the back of their controllers', () => {
  test('deleted and made again between two watch events: the new one gets what is its own', async () => {
    await ask()
    await done(3)
    const before = await get(placementPolicies, 'all')
    // Nobody hears anything until the fault is gone.
    proxy.fault = () => ({ type: 'break' })
    proxy.cut()
    await admin.delete(placementPolicies, { namespace: ns, name: 'all' })
    await eventually(
      async () => (await admin.find(placementPolicies, { namespace: ns, name: 'all' })) === undefined,
      'the policy is gone',
    )
    const after = await apply(placementPolicies, 'all', {
      catalogRef: { name: 'films' },
      exclude: [{ paths: ['f/0'] }],
    })
    expect(after.metadata.uid).not.toBe(before.metadata.uid)
    proxy.fault = undefined
    await done(2)
    const plan = await get(placementPlans, (await get(placementPolicies, 'all')).status?.currentPlan ?? '')
    expect(plan.spec.policyRef.uid).toBe(after.metadata.uid)
  }, 120_000)

  test('a CustomResourceDefinition is upgraded under controllers that are older: fields they do not know survive', async () => {
    await ask()
    await done(3)
    const original = weirDefinitions().find(
      ({ metadata }) => (metadata as { name: string }).name === `${sites.plural}.${sites.group}`,
    ) as unknown as CustomResourceDefinition
    const newer = JSON.parse(JSON.stringify(original)) as { spec: { versions: NewerVersion[] } }
    const schema = newer.spec.versions[0]!.schema.openAPIV3Schema.properties
    schema.spec.properties.power = { type: 'object', properties: { feeds: { type: 'integer' } } }
    schema.status.properties.weather = { type: 'string' }
    try {
      await admin.apply(customResourceDefinitions, newer as unknown as CustomResourceDefinition, {
        fieldManager: 'weir',
        force: true,
      })
      await eventually(async () => {
        const { spec } = await apply(sites, 'new', { country: 'DE', metro: 'fra', power: { feeds: 2 } })
        return (spec as { power?: object }).power
      }, 'the new field is served')
      // By another controller, of the newer version.
      const weather = {
        apiVersion: 'fleet.weir.dev/v1alpha1',
        kind: 'Site',
        metadata: { name: 'new', namespace: ns },
        status: { weather: 'fine' },
      }
      await admin.applyStatus(sites, weather as unknown as Site, { fieldManager: 'newer', force: true })
      await apply(appliances, 'there', { siteRef: { name: 'new' }, hardwareClassRef: { name: 'small' } })
      const site = await eventually(async () => {
        const found = await get(sites, 'new')
        return found.status?.appliances?.total === 1 && found.metadata.finalizers?.length === 1 && found
      }, 'the older controller has written its own part')
      expect(site.spec).toMatchObject({ power: { feeds: 2 } })
      expect(site.status).toMatchObject({ weather: 'fine' })
    } finally {
      await admin.apply(customResourceDefinitions, original, { fieldManager: 'weir', force: true })
    }
  }, 120_000)
})

interface NewerVersion {
  readonly schema: {
    readonly openAPIV3Schema: {
      readonly properties: Record<'spec' | 'status', { readonly properties: Record<string, object> }>
    }
  }
}
