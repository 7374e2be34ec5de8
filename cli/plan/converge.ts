import { decideAssignment } from '../../controllers/gather/assignment.ts'
import { decidePolicy, fleetOf, type PolicySurroundings } from '../../controllers/gather/policy.ts'
import { gatherAppliance, gatherSite, usersOf } from '../../controllers/gather/status.ts'
import type { BlobReader } from '../../controllers/placement/blob-reader.ts'
import type { Appliance, PlacementPolicy } from '../../crds/types.gen.ts'
import { planAppliance } from '../../reconcilers/appliance/plan-appliance.ts'
import { DRAIN_SECONDS } from '../../reconcilers/assignment/plan-assignment.ts'
import { planCatalog, type SourceReading } from '../../reconcilers/catalog/plan-catalog.ts'
import { HEARTBEAT_SHARDS, type Heard } from '../../reconcilers/heartbeats/leases.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import type { PlacementSolver } from '../../reconcilers/placement/problem.ts'
import { comparePolicies, selectTargets } from '../../reconcilers/placement/select.ts'
import type { Plan, PlannedBlob, Write } from '../../reconcilers/plan.ts'
import { planSite } from '../../reconcilers/site/plan-site.ts'
import { digestOf } from '../../runtime/blob-store.ts'
import { ReconcileError } from '../../runtime/errors.ts'
import type { Stall } from './document.ts'
import type { FleetModel } from './fleet-model.ts'

export interface ConvergeOptions {
  readonly reader: BlobReader
  /** Takes what controllers would store. */
  readonly store: (blob: PlannedBlob) => void
  readonly solver: PlacementSolver
  /** Asks the solver elsewhere: on other threads. */
  readonly place?: PolicySurroundings['place']
  readonly now: Date
  /** What was found at the sources of catalogs whose source had to be read, by key. */
  readonly readings?: ReadonlyMap<string, SourceReading>
  /** Catalogs whose list of files cannot be known, by key, and why. */
  readonly unread?: ReadonlyMap<string, string>
  readonly signal: AbortSignal
}

/** What could not be decided, and what only a person can mend. */
export interface Converged {
  /** Policies whose plan cannot be known, by key, and why. */
  readonly undecided: ReadonlyMap<string, string>
  /** Appliances whose content cannot be known, by key, and why. */
  readonly unknown: ReadonlyMap<string, string>
  /** Catalogs and policies; of the others `stallsOf` tells. */
  readonly stalled: readonly Stall[]
}

/** Rounds after which something goes round in circles. A change of a fleet takes two or three. */
const MAX_ROUNDS = 50
/** The brake is for a fleet that has gone dark; a preview says what happens once it is released. */
const RELEASED = { engaged: false } as const

/**
 * Lets the controllers' own decisions, and agents that do as they are told, run over a fleet until nothing changes any more. Throws what
 * reading blobs throws, unless that is a ReconcileError: then what depends on them stays undecided.
 */
export async function converge(model: FleetModel, options: ConvergeOptions): Promise<Converged> {
  const simulation = new Simulation(model, options)
  for (let round = 0; ; round++) {
    options.signal.throwIfAborted()
    if (round === MAX_ROUNDS) throw new Error(`the fleet does not come to rest within ${MAX_ROUNDS} rounds`)
    if (!(await simulation.round())) return simulation.result()
  }
}

class Simulation {
  readonly #model: FleetModel
  readonly #options: ConvergeOptions
  readonly #undecided = new Map<string, string>()
  readonly #unknown = new Map<string, string>()
  readonly #stalledPolicies: Stall[] = []
  readonly #stalledCatalogs: Stall[] = []
  readonly #read = new Set<string>()

  constructor(model: FleetModel, options: ConvergeOptions) {
    this.#model = model
    this.#options = options
  }

  /** One pass over everything; whether anything changed that others decide on. */
  async round(): Promise<boolean> {
    const first = this.#catalogs()
    const plans = await this.#policies()
    const sites = this.#sites()
    const assignments = await this.#assignments()
    const agents = this.#agents()
    // Nobody decides on Assignments but agents and, of what must go, the controllers once it has gone.
    return first || plans || sites || agents || (assignments && this.#mustGo().length > 0)
  }

  result(): Converged {
    return {
      undecided: this.#undecided,
      unknown: this.#unknown,
      stalled: [...this.#stalledCatalogs, ...this.#stalledPolicies],
    }
  }

  #catalogs(): boolean {
    let changed = false
    for (const catalog of this.#model.objects.catalogs.list()) {
      const key = keyOf(catalog)
      const fresh = this.#read.has(key) ? undefined : this.#options.readings?.get(key)
      this.#read.add(key)
      const reading = fresh ?? ({ type: 'notDue', dueInMs: undefined } as const)
      const input = { catalog, reading, usedBy: usersOf(catalog, this.#model.objects), digest: digestOf }
      const plan = planCatalog(input, this.#options.now)
      if (fresh) this.#stalledCatalogs.push(...stallOf(plan))
      changed = this.#carryOut(plan) || changed
    }
    return changed
  }

  async #policies(): Promise<boolean> {
    const { reader, solver, place, now, unread, signal } = this.#options
    const { objects } = this.#model
    const around = { solver, ...(place && { place }), brake: RELEASED, now }
    let changed = false
    this.#undecided.clear()
    this.#stalledPolicies.length = 0
    for (const policy of [...objects.policies.list()].sort(comparePolicies)) {
      signal.throwIfAborted()
      const key = keyOf(policy)
      const catalog = `${policy.metadata.namespace}/${policy.spec.catalogRef.name}`
      const why = unread?.get(catalog) ?? this.#heldUpBy(policy)
      if (why !== undefined) {
        this.#undecided.set(key, why)
        continue
      }
      try {
        const plan = await decidePolicy(policy, objects, reader, around)
        changed = this.#carryOut(plan) || changed
        const { outcome } = plan
        if (outcome.type === 'waiting') this.#undecided.set(key, outcome.message)
        if (outcome.type === 'stalled')
          this.#stalledPolicies.push({ kind: policy.kind, key, reason: outcome.reason, message: outcome.message })
      } catch (error) {
        if (!(error instanceof ReconcileError)) throw error
        this.#undecided.set(key, error.message)
      }
    }
    return changed
  }

  /** Why a policy cannot be decided because one before it cannot: what that one takes is not known. */
  #heldUpBy(policy: PlacementPolicy): string | undefined {
    if (this.#undecided.size === 0) return undefined
    const { objects } = this.#model
    const fleet = fleetOf(objects)
    const mine = new Set(selectTargets(policy, fleet).map(({ appliance }) => keyOf(appliance)))
    for (const [key, why] of this.#undecided) {
      const other = objects.policies.get(key)
      if (other && selectTargets(other, fleet).some(({ appliance }) => mine.has(keyOf(appliance)))) return why
    }
    return undefined
  }

  #sites(): boolean {
    const { objects } = this.#model
    let changed = false
    for (const site of objects.sites.list()) {
      const plan = planSite({ ...gatherSite(site, objects), brake: RELEASED }, this.#options.now)
      changed = this.#carryOut(plan, (write) => write.op !== 'applyStatus') || changed
    }
    return changed
  }

  async #assignments(): Promise<boolean> {
    const { reader } = this.#options
    const { objects } = this.#model
    let changed = false
    this.#unknown.clear()
    for (const appliance of objects.appliances.list()) {
      try {
        const around = { drainSeconds: this.#drainSeconds(appliance), brake: RELEASED }
        const { plan } = await decideAssignment(appliance, objects, reader, around)
        changed = this.#carryOut(plan) || changed
      } catch (error) {
        if (!(error instanceof ReconcileError)) throw error
        this.#unknown.set(keyOf(appliance), error.message)
      }
    }
    return changed
  }

  /** As the controllers were told; that is no part of the API but what they have written. */
  #drainSeconds(appliance: Appliance): number {
    return this.#model.objects.assignments.get(keyOf(appliance))?.spec.content?.drainSeconds ?? DRAIN_SECONDS
  }

  /** Appliances that are asked to hold nothing and still do. */
  #mustGo(): Appliance[] {
    const { appliances, assignments } = this.#model.objects
    return appliances.list().filter(({ metadata, status }) => {
      const asked = assignments.get(keyOf({ metadata } as Appliance))?.spec.content
      const has = status?.content
      if (!asked || asked.entries.length > 0 || !has) return false
      return has.generation < asked.generation || has.inventories.length > 0 || has.storageUsedBytes > 0
    })
  }

  /** Agents that must give everything up do so, and say it. What the others do is what their Assignments say. */
  #agents(): boolean {
    let changed = false
    for (const appliance of this.#mustGo()) {
      const asked = this.#model.objects.assignments.get(keyOf(appliance))!.spec.content!
      const content = {
        ...appliance.status!.content!,
        generation: asked.generation,
        filesDesired: 0,
        bytesDesired: 0,
        filesHeld: 0,
        bytesHeld: 0,
        bytesToFill: 0,
        storageUsedBytes: 0,
        inventories: [],
      }
      const status = { ...appliance, status: { content } } as unknown as Appliance
      changed = this.#model.write({ op: 'applyStatus', object: status }) || changed
    }
    return changed
  }

  #carryOut(plan: Plan, when: (write: Write) => boolean = () => true): boolean {
    for (const blob of plan.blobs) this.#options.store(blob)
    let changed = false
    for (const write of plan.writes) if (when(write)) changed = this.#model.write(write) || changed
    return changed
  }
}

/** Appliances and Sites that only a person can mend. */
export function stallsOf({ objects }: FleetModel, now: Date): Stall[] {
  const heard = heardNow(objects.appliances.list())
  return [
    ...objects.sites.list().map((site) => planSite({ ...gatherSite(site, objects), brake: RELEASED }, now)),
    ...objects.appliances
      .list()
      .map((appliance) => planAppliance({ ...gatherAppliance(appliance, objects), heard }, now)),
  ].flatMap(stallOf)
}

function stallOf({ writes }: Plan): Stall[] {
  return writes.flatMap((write) => {
    if (write.op !== 'applyStatus') return []
    const { status } = write.object as Appliance
    const stalled = status?.conditions?.find(({ type }) => type === 'Stalled')
    if (!stalled) return []
    return [{ kind: write.object.kind, key: keyOf(write.object), reason: stalled.reason, message: stalled.message }]
  })
}

/** Whoever was online still is. What nobody knew of stays so. */
function heardNow(appliances: readonly Appliance[]): Heard {
  const online = appliances.filter((appliance) => appliance.status?.conditions?.some(isOnline)).map(keyOf)
  const freshShards = new Set(Array.from({ length: HEARTBEAT_SHARDS }, (_, shard) => shard))
  return { online: new Set(online), freshShards }
}

const isOnline = ({ type, status }: { readonly type: string; readonly status: string }) =>
  type === 'Online' && status === 'True'
