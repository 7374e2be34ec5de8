import { readFileSync, writeFileSync } from 'node:fs'
import type { InstanceSize } from '../../cli/bench/placement/instance.ts'
import { FleetModel, type FleetSnapshot, fleetKinds } from '../../cli/plan/fleet-model.ts'
import { decideAssignment } from '../../controllers/gather/assignment.ts'
import { decidePolicy } from '../../controllers/gather/policy.ts'
import { BlobReader } from '../../controllers/placement/blob-reader.ts'
import { solveOnThreads } from '../../controllers/placement/solver-threads.ts'
import type { Appliance, PlacementPlan, PlacementPolicy } from '../../crds/types.gen.ts'
import { DRAIN_SECONDS } from '../../reconcilers/assignment/plan-assignment.ts'
import { defaultSolver } from '../../reconcilers/placement/default-solver.ts'
import { openBlobStore } from '../../runtime/blob-store.ts'
import { answerAsks } from '../controllers/child.ts'
import { POLICY_KEY, publish, snapshotOf } from './fleet.ts'

/** A folder of blobs, and the fleet's objects in a file. */
export interface Place {
  readonly blobs: string
  readonly objects: string
}

/** What deciding a day took. Seconds; bytes of resident memory at most, all threads together. */
export interface Decided {
  readonly posed: number
  readonly solved: number
  readonly written: number
  readonly assigned: number
  readonly cpu: number
  readonly peakBytes: number
  readonly assignments: number
  readonly manifestBytes: number
  readonly fillBytes: number
  readonly bytes: number
  readonly offload: { readonly expectedPercent: number; readonly boundPercent: number }
}

answerAsks({ make, decide })

/** Publishes a day's catalog and demand, with the fleet as yesterday's decisions have left it. */
async function make({ place, size, day }: { place: Place; size: InstanceSize; day: number }): Promise<void> {
  const published = await publish(await openBlobStore(place.blobs), size, day)
  const before = day > 0 ? (JSON.parse(readFileSync(place.objects, 'utf8')) as FleetSnapshot) : undefined
  const made = snapshotOf(size, published)
  writeFileSync(place.objects, JSON.stringify(before ? { ...before, catalogs: made.catalogs } : made))
}

/** Does what the controllers would: plans the policy, stores its manifests, and decides every Assignment. */
async function decide(place: Place): Promise<Decided> {
  const blobs = await openBlobStore(place.blobs)
  const reader = new BlobReader(blobs)
  const now = new Date('2026-01-01T00:00:00Z')
  const model = new FleetModel(JSON.parse(readFileSync(place.objects, 'utf8')) as FleetSnapshot, now)
  const policy = model.objects.policies.get(POLICY_KEY) as PlacementPolicy
  const brake = { engaged: false } as const
  const cpu = process.cpuUsage()
  const times = [performance.now()]
  const lap = () => times.push(performance.now())
  let manifestBytes = 0
  const plan = await decidePolicy(policy, model.objects, reader, {
    solver: defaultSolver,
    brake,
    now,
    async place(problem, catalogDigest) {
      lap()
      const placed = await solveOnThreads(problem, catalogDigest, new AbortController().signal, {
        async store({ digest, bytes }) {
          manifestBytes += (bytes as Uint8Array).length
          await blobs.put(bytes, digest)
        },
      })
      lap()
      return placed
    },
  })
  for (const { digest, bytes } of plan.blobs) await blobs.put(bytes, digest)
  for (const write of plan.writes) model.write(write)
  lap()
  let assignments = 0
  for (const appliance of model.objects.appliances.list() as unknown as readonly Appliance[]) {
    const decided = await decideAssignment(appliance, model.objects, reader, { drainSeconds: DRAIN_SECONDS, brake })
    for (const { digest, bytes } of decided.plan.blobs) await blobs.put(bytes, digest)
    for (const write of decided.plan.writes) model.write(write)
    assignments++
  }
  lap()
  const used = process.cpuUsage(cpu)
  const peakBytes = process.resourceUsage().maxRSS * 1024
  const snapshot = Object.fromEntries(fleetKinds.map((kind) => [kind, model.objects[kind].list()]))
  // Versions count from one in each process; what has the version of something older would be passed over.
  writeFileSync(
    place.objects,
    JSON.stringify(snapshot, (key, value) => (key === 'resourceVersion' ? undefined : value)),
  )
  const { currentPlan } = (model.objects.policies.get(POLICY_KEY) as PlacementPolicy).status!
  const made = (model.objects.plans.list() as unknown as readonly PlacementPlan[]).find(
    ({ metadata }) => metadata.name === currentPlan,
  )!
  const [posed, solved, written, assigned] = times.slice(1).map((at, i) => (at - times[i]!) / 1000) as [
    number,
    number,
    number,
    number,
  ]
  return {
    ...{
      posed,
      solved,
      written,
      assigned,
      cpu: (used.user + used.system) / 1e6,
      peakBytes,
      assignments,
      manifestBytes,
    },
    fillBytes: made.spec.totals.fillBytes,
    bytes: (made.spec.sites ?? []).reduce((sum, each) => sum + each.bytes, made.spec.others?.bytes ?? 0),
    offload: made.spec.offload!,
  }
}
