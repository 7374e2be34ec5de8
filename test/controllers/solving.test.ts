import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { type Controllers, startControllers } from '../../controllers/main.ts'
import type { PlacementOptions } from '../../controllers/placement/placement.ts'
import {
  appliances,
  catalogs,
  hardwareClasses,
  placementPlans,
  placementPolicies,
  sites,
} from '../../controllers/resources.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import type { Appliance, PlacementPlan, PlacementPolicy } from '../../crds/types.gen.ts'
import type { BlobSource, BlobStore } from '../../runtime/blob-store.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import type { Resource } from '../../runtime/client/resource.ts'
import { Retryable } from '../../runtime/errors.ts'
import { type ControlPlane, eventually, freshNamespace, startControlPlane } from './control-plane.ts'

const SITES = 8
const FILES = 300
const EPOCH = '2026-01-01T00:00:00Z'

let plane: ControlPlane
let controllersClient: Client
let ns: string
let controllers: Controllers | undefined
/** Manifests that were put, and whether those that come stay on their way for ever. */
let manifestsPut = 0
let storeHangs = false
let letGo: (() => void)[] = []
/** Share of dark appliances that engages the brake. */
let maxDarkShare = 1

beforeAll(async () => {
  plane = await startControlPlane()
  controllersClient = new Client({ access: await loadKubeconfig({ path: plane.kubeconfigPath }) })
})
afterAll(async () => {
  controllersClient?.close()
  await plane?.[Symbol.asyncDispose]()
})
beforeEach(async () => {
  ns = await freshNamespace(plane.client, 'solving')
  manifestsPut = 0
  storeHangs = false
  letGo = []
  maxDarkShare = 1
})
afterEach(async () => {
  await controllers?.close()
})

const isManifest = (source: BlobSource) =>
  source instanceof Uint8Array && Buffer.from(source.subarray(0, 12)).toString() === '{"weirSet":1'

/** The real store, but for manifests that hang. */
function blobs(): BlobStore {
  return new Proxy(plane.blobs, {
    get(store, name) {
      if (name !== 'put') {
        const value = Reflect.get(store, name, store)
        return typeof value === 'function' ? value.bind(store) : value
      }
      return (source: BlobSource, expected?: string) => {
        if (isManifest(source)) {
          manifestsPut++
          if (storeHangs) {
            const { promise, resolve } = Promise.withResolvers<void>()
            letGo.push(resolve)
            return promise.then(() => store.put(source, expected))
          }
        }
        return store.put(source, expected)
      }
    },
  })
}

async function start(placement: PlacementOptions): Promise<void> {
  controllers = startControllers({
    client: controllersClient,
    blobs: blobs(),
    catalog: { fileRoots: [plane.dir] },
    // Small as it is, it is solved on threads.
    placement: { fleetDelayMs: 20, progressDelayMs: 20, inlineUpTo: 0, tellAfterMs: 0, tellEveryMs: 0, ...placement },
    brake: {
      get maxDarkShare() {
        return maxDarkShare
      },
      minDark: 1,
    },
  })
  await controllers.started
}

const apply = <T extends KubeObject>(resource: Resource<T>, name: string, spec: object) =>
  plane.client.apply(
    resource,
    {
      apiVersion: `${resource.group}/${resource.version}`,
      kind: resource.kind,
      metadata: { name, ...(resource.namespaced ? { namespace: ns } : {}) },
      spec,
    } as unknown as T,
    { fieldManager: 'test', force: true },
  )

const applyPolicy = (spec: object = {}) =>
  apply(placementPolicies, 'films', { catalogRef: { name: 'films' }, ...spec } as PlacementPolicy['spec'])

/** A fleet that waits for a policy. */
async function makeFleet(): Promise<void> {
  const file = join(plane.dir, `${ns}.ndjson`)
  const lines = Array.from({ length: FILES }, (_, i) => {
    const sha256 = createHash('sha256').update(`${ns} ${i}`).digest('hex')
    return JSON.stringify({ path: `f/${i}`, size: 1000 + i, sha256, popularity: FILES - i })
  })
  writeFileSync(file, `${lines.join('\n')}\n`)
  await apply(hardwareClasses, 'solved', { storageBytes: 100_000, storageMedium: 'flash', throughputGbps: 1 })
  for (let i = 0; i < SITES; i++) {
    await apply(sites, `s${i}`, { country: 'DE', metro: 'fra' })
    await apply(appliances, `a${i}`, { siteRef: { name: `s${i}` }, hardwareClassRef: { name: 'solved' } })
  }
  await apply(catalogs, 'films', { source: { url: `file://${file}` } })
  await eventually(
    async () => (await plane.client.get(catalogs, { namespace: ns, name: 'films' })).status?.digest,
    'the catalog is published',
  )
}

const policyNow = () => plane.client.get(placementPolicies, { namespace: ns, name: 'films' })
const conditionOf = ({ status }: PlacementPolicy, type: string) => status?.conditions?.find((c) => c.type === type)
const planned = (generation: number) =>
  eventually(async () => {
    const policy = await policyNow()
    return policy.status?.observedGeneration === generation && policy.status.currentPlan ? policy : undefined
  }, `generation ${generation} is planned`)

test('a policy says that it is being solved; one that changes under way is solved anew, and only then planned', async () => {
  await start({})
  await makeFleet()
  storeHangs = true
  await applyPolicy()
  const solving = await eventually(async () => {
    const policy = await policyNow()
    return conditionOf(policy, 'Reconciling')?.reason === 'Solving' ? policy : undefined
  }, 'it is being solved')
  expect(conditionOf(solving, 'Reconciling')!.message).toMatch(
    /^A new plan is \d+ % done(; \d+ of 8 sites placed, at [01]\.\d{4} of their bound)?$/,
  )
  expect(conditionOf(solving, 'Ready')).toMatchObject({ status: 'False', reason: 'Solving' })
  // Nothing has been planned yet, and nobody behind it in line may think so.
  expect(solving.status?.observedGeneration).toBeUndefined()
  expect(controllers!.fleet.solving.list()).toEqual([{ policy: `${ns}/films`, done: expect.any(Number) }])

  // What the first solution waits for never comes: that it is left is the only way on.
  storeHangs = false
  await applyPolicy({ exclude: [{ paths: ['f/0'] }] })
  const policy = await planned(2)
  const { items } = await plane.client.list(placementPlans, { namespace: ns })
  expect(items.map(({ metadata }) => metadata.name)).toContain(policy.status?.currentPlan)
  expect(conditionOf(policy, 'Reconciling')?.reason).toBe('Converging')
  expect(conditionOf(policy, 'EndedEarly')).toBeUndefined()
  expect(policy.status?.filesPlaced).toBeLessThan(FILES)
})

test('a fleet that goes dark while its plan is sought keeps the one in force', async () => {
  await start({})
  await makeFleet()
  storeHangs = true
  await applyPolicy()
  await eventually(async () => letGo.length > 0, 'it is being solved')
  maxDarkShare = 0.5
  const lost = { type: 'Online', status: 'False', reason: 'HeartbeatLost', message: '', lastTransitionTime: EPOCH }
  await plane.client.applyStatus(
    appliances,
    {
      apiVersion: 'fleet.weir.dev/v1alpha1',
      kind: 'Appliance',
      metadata: { name: 'a0', namespace: ns },
      status: { agent: { bootId: 'one', version: 'test', startedAt: EPOCH }, conditions: [lost] },
    } as unknown as Appliance,
    { fieldManager: 'test', force: true },
  )
  await eventually(async () => controllers!.fleet.brake.now.engaged, 'the fleet is dark')
  storeHangs = false
  for (const go of letGo) go()
  const policy = await eventually(async () => {
    const now = await policyNow()
    return conditionOf(now, 'Paused') && now
  }, 'it is paused')
  expect(policy.status?.currentPlan).toBeUndefined()
  expect((await plane.client.list(placementPlans, { namespace: ns })).items).toEqual([])
})

test('a plan whose time was up says so, itself and in the status of its policy', async () => {
  await start({ deadlineMs: 0 })
  await makeFleet()
  await applyPolicy()
  const policy = await planned(1)
  expect(conditionOf(policy, 'EndedEarly')).toMatchObject({
    status: 'True',
    reason: 'OutOfTime',
    message: expect.stringMatching(
      /^Time for solving was up: the best plan found by then is in force, at [01]\.\d{4} of the bound$/,
    ),
  })
  const plan = await plane.client.get(placementPlans, { namespace: ns, name: policy.status!.currentPlan! })
  expect(plan.spec.endedEarly).toBe(true)
  // Nothing has failed: it is as Ready as any.
  expect(conditionOf(policy, 'Stalled')).toBeUndefined()
})

test('an answer that could not be written down is written down later, and not sought again', async () => {
  const create = controllersClient.create.bind(controllersClient)
  let refused = false
  controllersClient.create = async (resource, object, options) => {
    const plan = object as unknown as PlacementPlan
    // One for fewer appliances may come before: controllers see them one after the other.
    if (object.kind === 'PlacementPlan' && plan.spec.totals.appliances === SITES && !refused) {
      refused = true
      manifestsPut = 0
      throw new Retryable('Busy', 'the API server is busy')
    }
    return await create(resource, object, options)
  }
  try {
    await start({})
    await makeFleet()
    await applyPolicy()
    await eventually(async () => {
      const { status } = await policyNow()
      return refused && status?.currentPlan && status.appliances?.selected === SITES
    }, 'it is planned')
    expect(manifestsPut).toBe(0)
  } finally {
    controllersClient.create = create
  }
})
