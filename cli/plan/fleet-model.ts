import { isDeepStrictEqual } from 'node:util'
import { type FleetObjects, fleetIndexes } from '../../controllers/gather/objects.ts'
import type { JsonObject, JsonValue, KubeObject } from '../../crds/metadata.ts'
import { registry } from '../../crds/registry.gen.ts'
import type {
  Appliance,
  Assignment,
  Catalog,
  HardwareClass,
  PlacementPlan,
  PlacementPolicy,
  Site,
} from '../../crds/types.gen.ts'
import type { Write } from '../../reconcilers/plan.ts'
import { Store } from '../../runtime/cache/store.ts'
import { apiVersionOf, keyOf, type Namespace, namespaces } from '../../runtime/client/resource.ts'

/** Everything that decisions about the fleet are made on, as one LIST per kind gave it. */
export interface FleetSnapshot {
  readonly appliances: readonly Appliance[]
  readonly assignments: readonly Assignment[]
  readonly catalogs: readonly Catalog[]
  readonly hardwareClasses: readonly HardwareClass[]
  readonly plans: readonly PlacementPlan[]
  readonly policies: readonly PlacementPolicy[]
  readonly sites: readonly Site[]
  readonly namespaces: readonly Namespace[]
}

export type FleetKind = keyof FleetSnapshot

/** How each kind is read from a server. */
export const fleetResources = {
  appliances: registry.Appliance,
  assignments: registry.Assignment,
  catalogs: registry.Catalog,
  hardwareClasses: registry.HardwareClass,
  plans: registry.PlacementPlan,
  policies: registry.PlacementPolicy,
  sites: registry.Site,
  namespaces,
} as const satisfies Record<FleetKind, unknown>

export const fleetKinds = Object.keys(fleetResources) as readonly FleetKind[]

const kindOf = new Map<string, FleetKind>(
  fleetKinds.map((kind) => [`${apiVersionOf(fleetResources[kind])} ${fleetResources[kind].kind}`, kind]),
)

type Body = KubeObject & JsonObject

/**
 * A fleet in memory that takes writes as an API server would, as far as what controllers decide depends on it: finalizers hold what is
 * deleted, what belongs to an owner goes with it, and a changed spec is another generation.
 */
export class FleetModel {
  readonly objects: FleetObjects & { readonly [K in FleetKind]: Store<KubeObject> }
  readonly #now: string
  /** By uid: what goes with it. */
  readonly #owned = new Map<string, Map<string, KubeObject>>()
  #versions = 0
  #made = 0

  constructor(snapshot: FleetSnapshot, now: Date) {
    const indexes: Partial<Record<FleetKind, unknown>> = fleetIndexes
    this.#now = `${now.toISOString().slice(0, 19)}Z`
    const stores = fleetKinds.map((kind) => [kind, new Store(indexes[kind] as never)] as const)
    this.objects = Object.fromEntries(stores) as unknown as FleetModel['objects']
    for (const kind of fleetKinds) for (const object of snapshot[kind]) this.#set(kind, object)
  }

  /** Whether objects of this kind decide anything. */
  static holds({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): boolean {
    return kindOf.has(`${apiVersion} ${kind}`)
  }

  /** Lays an object on top, as if somebody had applied it. Whoever decides on it is told a new generation where its spec differs. */
  put(object: KubeObject): void {
    const kind = this.#kind(object)
    const old = this.objects[kind].get(keyOf(object.metadata)) as Body | undefined
    const { spec } = object as Body
    const changed = !isDeepStrictEqual(old?.spec, spec)
    const generation = (old?.metadata.generation ?? 0) + (changed || !old ? 1 : 0)
    const metadata = old
      ? { ...object.metadata, uid: old.metadata.uid, creationTimestamp: old.metadata.creationTimestamp }
      : { ...object.metadata, uid: `planned-${++this.#made}`, creationTimestamp: this.#now }
    const { status: _, ...rest } = object as Body
    const status = old?.status === undefined ? {} : { status: old.status }
    // Finalizers are their controllers', and no manifest takes them away.
    const finalizers = old?.metadata.finalizers ? { finalizers: old.metadata.finalizers } : {}
    this.#set(kind, { ...rest, metadata: { ...metadata, ...finalizers, generation }, ...status } as KubeObject)
  }

  /** Deletes an object as an API server would; what is not there is gone already. Of a Namespace, all that is in it first. */
  remove(object: Pick<KubeObject, 'apiVersion' | 'kind'> & { readonly metadata: KubeObject['metadata'] }): boolean {
    const kind = this.#kind(object)
    const live = this.objects[kind].get(keyOf(object.metadata))
    if (!live || live.metadata.deletionTimestamp) return false
    if (kind === 'namespaces') {
      for (const other of fleetKinds) {
        for (const member of this.objects[other].list(live.metadata.name)) this.remove(member)
      }
    }
    if (live.metadata.finalizers?.length) {
      const { generation = 0 } = live.metadata
      const metadata = { ...live.metadata, deletionTimestamp: this.#now, generation: generation + 1 }
      this.#set(kind, { ...live, metadata })
    } else this.#drop(kind, live)
    return true
  }

  /** Carries out what a controller decided; whether anything that others decide on is another now. */
  write(write: Write): boolean {
    switch (write.op) {
      case 'create':
        return this.#create(write.object)
      case 'delete':
        return this.remove({ ...write.ref, metadata: write.ref })
      case 'apply':
        return this.#apply(write.object as Body)
      case 'applyStatus':
        return this.#applyStatus(write.object as Body)
    }
  }

  #create(object: KubeObject): boolean {
    const kind = this.#kind(object)
    if (this.objects[kind].get(keyOf(object.metadata))) return false
    const metadata = {
      ...object.metadata,
      uid: `planned-${++this.#made}`,
      creationTimestamp: this.#now,
      generation: 1,
    }
    this.#set(kind, { ...object, metadata })
    return true
  }

  /** Plans apply whole specs, or none and only finalizers. */
  #apply(object: Body): boolean {
    const kind = this.#kind(object)
    const live = this.objects[kind].get(keyOf(object.metadata)) as Body | undefined
    if (!live) return object.spec === undefined ? false : this.#create(object)
    const { finalizers } = object.metadata
    if (object.spec === undefined) {
      if (isDeepStrictEqual(finalizers ?? [], live.metadata.finalizers ?? [])) return false
      const kept = withFinalizers(live, finalizers ?? [])
      if (kept.metadata.deletionTimestamp && !kept.metadata.finalizers?.length) this.#drop(kind, live)
      else this.#set(kind, kept)
      return true
    }
    if (isSameAssignment(live, object) || isDeepStrictEqual(plain(live.spec), plain(object.spec))) return false
    const generation = (live.metadata.generation ?? 0) + 1
    this.#set(kind, { ...live, spec: object.spec, metadata: { ...live.metadata, generation } } as KubeObject)
    return true
  }

  #applyStatus(object: Body): boolean {
    const kind = this.#kind(object)
    const live = this.objects[kind].get(keyOf(object.metadata)) as Body | undefined
    if (!live) return false
    const status = { ...(live.status as JsonObject | undefined), ...(object.status as JsonObject) }
    this.#set(kind, { ...live, status } as KubeObject)
    return decisive(live.status) !== decisive(status)
  }

  #kind(object: Pick<KubeObject, 'apiVersion' | 'kind'>): FleetKind {
    const kind = kindOf.get(`${object.apiVersion} ${object.kind}`)
    if (!kind) throw new TypeError(`nothing is decided on ${object.apiVersion} ${object.kind}`)
    return kind
  }

  #set(kind: FleetKind, object: KubeObject): void {
    const old = this.objects[kind].get(keyOf(object.metadata))
    // Of another version than what was there, or the store would take it for the same.
    const version = old ? { resourceVersion: `planned-${++this.#versions}` } : {}
    const stored = { ...object, metadata: { ...object.metadata, ...version } }
    this.objects[kind].set(stored)
    for (const { uid } of stored.metadata.ownerReferences ?? []) {
      const owned = this.#owned.get(uid) ?? new Map<string, KubeObject>()
      owned.set(`${kind} ${keyOf(stored.metadata)}`, stored)
      this.#owned.set(uid, owned)
    }
  }

  #drop(kind: FleetKind, object: KubeObject): void {
    this.objects[kind].delete(object)
    const owned = this.#owned.get(object.metadata.uid ?? '')
    this.#owned.delete(object.metadata.uid ?? '')
    for (const each of owned?.values() ?? []) this.remove(each)
  }
}

function withFinalizers(object: Body, finalizers: readonly string[]): KubeObject {
  const { finalizers: _, ...metadata } = object.metadata
  return { ...object, metadata: finalizers.length === 0 ? metadata : { ...metadata, finalizers } } as KubeObject
}

/** What of a status others decide on. */
function decisive(status: JsonValue | undefined): string {
  const { currentPlan, observedGeneration, digest, demandDigest, counted, content } = (status ?? {}) as JsonObject
  const { inventories, generation, storageUsedBytes } = (content ?? {}) as JsonObject
  return JSON.stringify([
    currentPlan,
    observedGeneration,
    digest,
    demandDigest,
    counted,
    inventories,
    generation,
    storageUsedBytes,
  ])
}

/** What an Assignment asks for is another exactly when its generation is; there are many, and comparing them takes time. */
function isSameAssignment(live: Body, object: Body): boolean {
  if (object.kind !== 'Assignment') return false
  const generationOf = ({ spec }: Body) => (spec as Assignment['spec']).content?.generation
  return generationOf(live) !== undefined && generationOf(live) === generationOf(object)
}

/** Without fields that are undefined, which JSON would not carry. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null))
