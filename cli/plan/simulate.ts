import { fleetOf, type PolicySurroundings } from '../../controllers/gather/policy.ts'
import type { BlobReader } from '../../controllers/placement/blob-reader.ts'
import type { Catalog, PlacementPolicy } from '../../crds/types.gen.ts'
import { BRAKE_DEFAULTS, darkness, fleetBrake } from '../../reconcilers/brake/brake.ts'
import { unknown } from '../../reconcilers/effects/figure.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import type { PlacementSolver } from '../../reconcilers/placement/problem.ts'
import { selectTargets } from '../../reconcilers/placement/select.ts'
import type { PlanBlobs } from './blobs.ts'
import { Contents } from './contents.ts'
import { type Converged, converge, stallsOf } from './converge.ts'
import type { FleetEffects } from './document.ts'
import { siteEffects, totalsOf } from './effects.ts'
import type { PlannedWork } from './examine.ts'
import { FleetModel, type FleetSnapshot } from './fleet-model.ts'
import { dependOnHistory } from './history.ts'
import { policyEffects } from './policies.ts'
import { readSources } from './sources.ts'
import { indexesFromAssignments } from './substitutes.ts'

export interface SimulateInput {
  readonly snapshot: FleetSnapshot
  /** Why the fleet could not be read. */
  readonly unreadable: string | undefined
  readonly work: PlannedWork
  readonly blobs: PlanBlobs
  readonly reader: BlobReader
  readonly solver: PlacementSolver
  /** Asks the solver elsewhere: on other threads. */
  readonly place?: PolicySurroundings['place']
  /** Whether to read the sources of catalogs that are new or point elsewhere. */
  readonly readSources: boolean
  readonly now: Date
  readonly signal: AbortSignal
}

/** Runs the controllers' decisions over the fleet as it is and with the change laid on top, and tells the difference. */
export async function simulate(input: SimulateInput): Promise<FleetEffects> {
  const { snapshot, blobs, reader, now, work, unreadable } = input
  if (unreadable !== undefined) return nothingKnown(`the fleet cannot be read: ${unreadable}`)
  if (!touchesFleet(work)) return nothingHappens(input)
  const live = new FleetModel(snapshot, now)
  blobs.substitute(indexesFromAssignments(snapshot))
  const before = new FleetModel(snapshot, now)
  const { solver, place, signal } = input
  const common = { reader, store: blobs.put.bind(blobs), solver, ...(place && { place }), now, signal }
  const wasBefore = await converge(before, common)
  const after = new FleetModel(snapshot, now)
  const unmergeable = layOn(after, work)
  const sources = await readSources(changedSources(live, after), input)
  const isAfter = await converge(after, { ...common, ...sources })
  const undecided = newlyUndecided(before, after, wasBefore, isAfter)
  const contents = new Contents(reader)
  const guessed = dependOnHistory(work, before, after)
  const { sites, appliances } = await siteEffects({
    live,
    before,
    after,
    unknown: unknownAppliances(before, after, undecided, isAfter, wasBefore),
    guessed,
    contents,
    now,
  })
  const policies = policyEffects({ before, after, undecided })
  const stalls = [...isAfter.stalled, ...stallsOf(after, now)]
  // To ask of what was is needed only where something is.
  const known = stalls.length === 0 ? [] : [...wasBefore.stalled, ...stallsOf(before, now)]
  const knownTexts = new Set(known.map((stall) => JSON.stringify(stall)))
  return {
    totals: { appliances: appliances.length, ...totalsOf(sites, guessed.size > 0) },
    sites,
    appliances,
    policies,
    stalls: stalls.filter((stall) => !knownTexts.has(JSON.stringify(stall))),
    notes: [...unmergeable, ...sources.notes, ...brakeNote(snapshot), ...blobNote(blobs)],
  }
}

const touchesFleet = ({ changes, deletions, imagined = [] }: PlannedWork) =>
  imagined.length > 0 ||
  changes.some(({ action, resolved }) => action !== 'unchanged' && FleetModel.holds(resolved.object)) ||
  deletions.some(({ object }) => FleetModel.holds(object))

function nothingHappens({ snapshot }: SimulateInput): FleetEffects {
  return {
    totals: { appliances: 0, ...totalsOf([]) },
    sites: [],
    appliances: [],
    policies: [],
    stalls: [],
    notes: brakeNote(snapshot),
  }
}

function nothingKnown(why: string): FleetEffects {
  const figure = unknown(why)
  const totals = Object.fromEntries(Object.keys(totalsOf([])).map((field) => [field, figure]))
  return {
    totals: { appliances: 0, ...(totals as unknown as ReturnType<typeof totalsOf>) },
    sites: [],
    appliances: [],
    policies: [],
    stalls: [],
    notes: [why],
  }
}

/** Lays the manifests on top; gives a note for every object of which nobody can tell what becomes. */
function layOn(model: FleetModel, { changes, deletions, imagined = [] }: PlannedWork): string[] {
  const notes: string[] = []
  for (const { action, resolved, after } of changes) {
    const { apiVersion, kind, metadata } = resolved.object
    if (action === 'unchanged' || !FleetModel.holds(resolved.object)) continue
    if (after) model.put({ ...after, apiVersion, kind })
    else notes.push(`what becomes of ${kind} ${metadata.name} cannot be told: what the fleet does with it is left out`)
  }
  for (const { object } of deletions) if (FleetModel.holds(object)) model.remove(object)
  for (const { action, object } of imagined)
    if (action === 'delete') model.remove(object)
    else model.put(object)
  return notes
}

/** Catalogs whose files cannot be known from what is published: of another source, or let go on with what was held back. */
function changedSources(live: FleetModel, after: FleetModel): { catalog: Catalog; before: Catalog | undefined }[] {
  const asked = ({ source, suspend, approvedDigest, maxShrinkPercent }: Catalog['spec']) =>
    JSON.stringify([source.url, suspend, approvedDigest, maxShrinkPercent])
  return (after.objects.catalogs.list() as unknown as readonly Catalog[]).flatMap((catalog) => {
    const before = live.objects.catalogs.get(keyOf(catalog)) as Catalog | undefined
    const isSame = before && asked(before.spec) === asked(catalog.spec)
    return isSame || catalog.spec.suspend || catalog.metadata.deletionTimestamp ? [] : [{ catalog, before }]
  })
}

/** What was in the dark before, for the same reason and the same spec, is no news: the change does nothing to it. */
function newlyUndecided(before: FleetModel, after: FleetModel, was: Converged, is: Converged): Map<string, string> {
  const generation = (model: FleetModel, key: string) => model.objects.policies.get(key)?.metadata.generation
  return new Map(
    [...is.undecided].filter(
      ([key, why]) => was.undecided.get(key) !== why || generation(before, key) !== generation(after, key),
    ),
  )
}

/** Appliances of undecided policies, and those whose own Assignment could not be decided. */
function unknownAppliances(
  before: FleetModel,
  after: FleetModel,
  undecided: ReadonlyMap<string, string>,
  is: Converged,
  was: Converged,
): Map<string, string> {
  const unknowns = new Map([...is.unknown].filter(([key, why]) => was.unknown.get(key) !== why))
  for (const [key, why] of undecided) {
    for (const model of [before, after]) {
      const policy = model.objects.policies.get(key) as PlacementPolicy | undefined
      if (!policy) continue
      for (const { appliance } of selectTargets(policy, fleetOf(model.objects))) {
        const target = keyOf(appliance)
        // What must give everything up does so whatever is planned.
        const leaves = after.objects.appliances.get(target) === undefined
        if (!leaves && !unknowns.has(target)) unknowns.set(target, why)
      }
    }
  }
  return unknowns
}

function brakeNote({ appliances }: FleetSnapshot): string[] {
  const kinds = appliances.map(darkness)
  const dark = kinds.filter((kind) => kind === 'dark').length
  const light = kinds.filter((kind) => kind === 'light').length
  const brake = fleetBrake({ known: dark + light, dark }, BRAKE_DEFAULTS)
  return brake.engaged ? [`nothing of this happens yet: ${brake.message}`] : []
}

const blobNote = ({ unreadable }: PlanBlobs) =>
  unreadable === undefined ? [] : [`figures that need the fleet's blobs are unknown: ${unreadable}`]
