import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { startControllers } from '../../../controllers/main.ts'
import { catalogs, hardwareClasses, placementPlans, placementPolicies, sites } from '../../../controllers/resources.ts'
import type { PlacementPolicy } from '../../../crds/types.gen.ts'
import { openDemandStore } from '../../../gateway/demand/open.ts'
import { decodeDemand } from '../../../reconcilers/blobs/demand.ts'
import { decodeFileSet } from '../../../reconcilers/blobs/file-set-blob.ts'
import { decodePlanIndex } from '../../../reconcilers/blobs/plan-index.ts'
import type { Resource } from '../../../runtime/client/resource.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { Cleanup, Origin, runAgent } from '../../agent/harness.ts'
import {
  appliances,
  ask,
  type ControlPlane,
  eventually,
  makeAppliance,
  makeNamespace,
  openGateway,
  startControlPlane,
} from '../harness.ts'
import { storeKinds } from './stores.ts'

const cleanup = new Cleanup()
let plane: ControlPlane
beforeAll(async () => {
  plane = await startControlPlane()
})
// Controllers work on everything that the API server has: there must not be two.
afterEach(() => cleanup.run())
afterAll(async () => {
  await plane[Symbol.asyncDispose]()
})

const example = parse(
  readFileSync(join(import.meta.dirname, '../../../examples/demand/policy.yaml'), 'utf8'),
) as PlacementPolicy

const SIZE = 3000
const names = Array.from({ length: 40 }, (_, i) => `file-${String(i).padStart(2, '0')}`)
const files = new Map(names.map((name) => [name, randomBytes(SIZE)]))
/** What viewers really want: the last, of which the catalog thinks least. */
const WANTED = names.slice(30)
/** Agents whose clocks are two days slow count for a day that is over, whatever time it is. */
const agentClock = { ...systemClock, now: () => new Date(Date.now() - 2 * 86_400_000) }

test.each(storeKinds(() => cleanup.folder()))(
  'what viewers ask an appliance for is what the next plan puts on others: %s',
  async (_, start) => {
    const origin = await Origin.start(cleanup, files)
    const folder = cleanup.folder()
    const source = join(folder, 'films.ndjson')
    const lines = names.map((path, i) => {
      const sha256 = createHash('sha256').update(files.get(path)!).digest('hex')
      return JSON.stringify({ path, size: SIZE, sha256, title: path, cohort: 'films', popularity: names.length - i })
    })
    writeFileSync(source, `${lines.join('\n')}\n`)

    const { where: demandAt, stop } = await start()
    cleanup.add(async () => stop())
    const store = await openDemandStore(demandAt)
    await using gateway = await openGateway(plane, { demandStore: store, demandAt })
    const { client, blobStore } = plane
    const controllers = startControllers({
      client,
      blobs: blobStore,
      catalog: { fileRoots: [folder] },
      placement: { fleetDelayMs: 20, progressDelayMs: 20 },
      site: { progressDelayMs: 20 },
      assignment: { drainSeconds: 0 },
      installProtection: false,
    })
    cleanup.add(() => controllers.close())
    await controllers.started

    const namespace = await makeNamespace(plane, 'core')
    const apply = (resource: Resource, name: string, spec: object) =>
      client.apply(
        resource,
        { apiVersion: `${resource.group}/v1alpha1`, kind: resource.kind, metadata: { name, namespace }, spec } as never,
        { fieldManager: 'test', force: true },
      )
    const classOf = (name: string, storageBytes: number) =>
      client.apply(
        hardwareClasses,
        {
          apiVersion: 'fleet.weir.dev/v1alpha1',
          kind: 'HardwareClass',
          metadata: { name },
          spec: { storageBytes, storageMedium: 'flash', throughputGbps: 1 },
        },
        { fieldManager: 'test', force: true },
      )
    await classOf('holds-all', 2 * SIZE * names.length)
    await classOf('holds-ten', 10 * SIZE)
    await apply(sites, 'edge', { country: 'DE', metro: 'ber', parents: [{ name: 'core' }] })
    const big = await makeAppliance(plane, namespace, 'big', 'core')
    const small = await makeAppliance(plane, namespace, 'small', 'edge')
    await apply(appliances, 'big', { siteRef: { name: 'core' }, hardwareClassRef: { name: 'holds-all' } })
    await apply(appliances, 'small', { siteRef: { name: 'edge' }, hardwareClassRef: { name: 'holds-ten' } })
    const catalogSpec = { source: { url: `file://${source}` }, originUrl: `${origin.url}/` }
    await apply(catalogs, 'films', catalogSpec)
    const planBy = (demand: string) =>
      apply(placementPolicies, 'popular', { ...example.spec, demand: { source: demand } })
    // As the example has it.
    expect(example.spec.demand?.source).toBe('forecast')
    await planBy('forecast')

    const policy = () => client.get(placementPolicies, { namespace, name: 'popular' })
    const counted = async () => (await client.get(catalogs, { namespace, name: 'films' })).status?.counted
    const condition = async (reason: string) => {
      const { status } = await policy()
      return status?.conditions?.find((c) => c.type === 'DemandCounted' && c.reason === reason)
    }
    /** Names of the files that the plan in force puts on an appliance. */
    const planned = async (appliance: string) => {
      const { status } = await policy()
      if (!status?.currentPlan) return undefined
      const { spec } = await client.get(placementPlans, { namespace, name: status.currentPlan })
      const index = decodePlanIndex((await blobStore.get(spec.index.digest))!)
      const row = index.rows.find(({ name }) => name === appliance)
      return row && [...decodeFileSet((await blobStore.get(row.manifest))!).set].map((f) => names[f]!)
    }

    // Nothing has been counted: by the catalog, and saying so.
    await eventually(() => condition('NothingCounted'), 'that nothing is counted is said')
    await eventually(
      async () => ((await planned('small'))?.join() ?? '') === names.slice(0, 10).join(),
      'by the catalog',
    )
    expect((await policy()).status?.conditions?.find(({ type }) => type === 'Ready')).toBeDefined()

    const agents = await Promise.all(
      [big, small].map((appliance) =>
        runAgent(
          cleanup,
          { url: gateway.url, appliance: appliance.key },
          {
            root: cleanup.folder(),
            ca: plane.ca,
            token: appliance.token,
            clock: agentClock,
            tuning: { demandIntervalMs: 100 },
          },
        ),
      ),
    )
    await eventually(
      async () => (await client.get(appliances, { namespace, name: 'big' })).status?.content?.filesHeld === 40,
      'the parent holds everything',
      30_000,
    )
    for (const name of WANTED)
      for (let i = 0; i < 20; i++) await (await fetch(`${agents[0]!.url}/${namespace}/films/${name}`)).arrayBuffer()
    // One that lies: a million million copies of a file that nobody wants.
    const lie = await ask(`${gateway.url}${small.path}/demand`, {
      method: 'PUT',
      token: small.token,
      ca: plane.ca,
      body: {
        id: 'lie',
        hour: Math.floor(agentClock.now().getTime() / 3_600_000),
        catalogs: [
          { catalog: `${namespace}/films`, files: [[12, 1e12, SIZE * 1e11]], others: { requests: 0, bytes: 0 } },
        ],
      },
    })
    expect([lie.status, lie.text]).toEqual([
      400,
      expect.stringMatching(/cannot have served 300000000000000 bytes, as 562500000000 are the most in an hour/),
    ])
    const day = Math.floor(agentClock.now().getTime() / 86_400_000)
    await eventually(async () => {
      const rows = await store.files(`${namespace}/films`, day - 1, day + 1)
      return rows.reduce((sum, { requests }) => sum + requests, 0) === 200
    }, 'what was asked for is kept')

    // Nobody plans by demand: what was published is taken back.
    await planBy('catalog')
    await eventually(async () => (await counted()) === undefined, 'nothing is published for nobody')
    await eventually(async () => (await condition('NothingCounted')) === undefined, 'no condition where nobody asked')

    for (const by of ['observed', 'forecast'] as const) {
      await planBy(by)
      const says =
        by === 'observed' ? /^Planned by what was counted on 1 day up/ : /^Planned by the forecast from 1 day/
      await eventually(async () => says.test((await condition('Counted'))?.message ?? ''), `planned by what is ${by}`)
      await eventually(async () => (await planned('small'))?.join() === WANTED.join(), `by what is ${by}`)
      const { observedDigest, forecastDigest, files: filesCounted } = (await counted())!
      expect(filesCounted).toBe(10)
      const { classes, popularity } = decodeDemand(
        (await blobStore.get(by === 'observed' ? observedDigest! : forecastDigest!))!,
      )
      expect(classes).toEqual(['de'])
      for (const column of popularity)
        expect(Math.min(...column.subarray(30))).toBeGreaterThan(Math.max(...column.subarray(0, 30)))
    }
    // The agents follow, and nothing more is written once they have.
    await eventually(
      async () => (await policy()).status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'),
      'it converges',
      30_000,
    )
  },
)
