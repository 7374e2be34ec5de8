import type { OwnerReference } from '../../crds/metadata.ts'
import type { Log } from '../../runtime/log.ts'
import type { Api, Target } from '../api.ts'
import { ApiError } from '../api-error.ts'
import { controllerUser } from '../auth/user.ts'
import { type ApiObject, asObject, withMetadata } from '../json.ts'
import type { Served } from '../served.ts'
import { parseKey } from '../storage/keys.ts'
import type { Stored, StoreEvent, Transaction } from '../storage/store.ts'
import { deleteIn, foregroundFinalizer, orphanFinalizer } from '../verbs/delete.ts'
import { modifyIn } from '../verbs/modify.ts'
import type { Propagation } from '../verbs/options.ts'
import { transact } from '../verbs/write.ts'
import { Dependents } from './dependents.ts'
import { KeyLoop } from './key-loop.ts'

const user = controllerUser('generic-garbage-collector')

/** A refusal rests on a state that somebody will change, not on chance: no hurry. */
const refusedRetryMs = 2000

type OwnerState = 'solid' | 'dangling' | 'waiting'

/**
 * Deletes objects whose owners are all gone, and carries out what deletions ask of dependents (foreground, orphan). Everything about one
 * object is decided and done in one transaction, so that nothing can change in between.
 */
export class GarbageCollector {
  readonly #api: Api
  readonly #dependents = new Dependents()
  readonly #loop: KeyLoop
  readonly #log: Log

  constructor(api: Api, log: Log) {
    this.#api = api
    this.#log = log
    this.#loop = new KeyLoop({
      name: 'garbage-collector',
      clock: api.clock,
      log,
      batch: 100,
      work: (keys) => this.#work(keys),
    })
  }

  /** Takes the state there is; call before any event. */
  start(objects: readonly Stored[]): void {
    for (const stored of objects) {
      // Looking into the bytes spares parsing the many that have neither owners nor an end.
      if (!stored.json.includes('"ownerReferences"') && !stored.json.includes('"deletionTimestamp"')) continue
      this.#dependents.set(stored)
      if (concernsUs(asObject(stored.value))) this.#loop.add(stored.key)
    }
  }

  close(): Promise<void> {
    return this.#loop.close()
  }

  readonly event = (event: StoreEvent): void => {
    const { type, key, current } = event
    const ownersBefore = this.#dependents.owners(key)
    this.#dependents.apply(event)
    if (type === 'DELETED') {
      const { uid } = current.value.metadata
      if (uid) for (const dependent of this.#dependents.of(uid)) this.#loop.add(dependent)
    } else if (concernsUs(asObject(current.value))) this.#loop.add(key)
    // Owners under foreground deletion wait for this object, or no longer do.
    const owners = this.#dependents.owners(key)
    if (ownersBefore.length > 0 || owners.length > 0) {
      for (const owner of [...ownersBefore, ...owners]) this.#wakeOwner(key, owner)
    }
  }

  #wakeOwner(key: string, reference: OwnerReference): void {
    const owner = this.#find(this.#api.store, key, reference)
    if (owner && isDeletingForeground(asObject(owner.value))) this.#loop.add(owner.key)
  }

  async #work(keys: readonly string[]): Promise<void> {
    const refused = await transact(this.#api, false, (tx) => keys.filter((key) => !this.#tryToCollect(tx, key)))
    for (const key of refused) this.#loop.addAfter(key, refusedRetryMs)
  }

  /** False where a policy does not let it: the others go on. */
  #tryToCollect(tx: Transaction, key: string): boolean {
    try {
      this.#collect(tx, key)
      return true
    } catch (err) {
      if (!(err instanceof ApiError)) throw err
      this.#log.warn({ key, refusal: err.message }, 'cannot collect an object, trying again')
      return false
    }
  }

  #collect(tx: Transaction, key: string): void {
    const stored = tx.get(key)
    const served = stored && this.#servedAs(key)
    if (!stored || !served) return
    const object = asObject(stored.value)
    const { deletionTimestamp, finalizers = [], ownerReferences = [] } = object.metadata
    if (deletionTimestamp) {
      if (finalizers.includes(orphanFinalizer)) this.#orphan(tx, served, stored)
      else if (finalizers.includes(foregroundFinalizer)) this.#deleteDependents(tx, served, stored)
      return
    }
    if (ownerReferences.length > 0) this.#judge(tx, served, stored, ownerReferences)
  }

  /** Lets the dependents of an owner stay: takes the owner off them, then lets it go. */
  #orphan(tx: Transaction, served: Served, owner: Stored): void {
    const { uid = '' } = owner.value.metadata
    for (const key of this.#dependents.of(uid)) {
      const dependent = tx.get(key)
      const kind = dependent && this.#servedAs(key)
      if (kind) this.#dropOwners(tx, kind, dependent, [uid])
    }
    this.#removeFinalizer(tx, served, owner, orphanFinalizer)
  }

  /** Goes on with the dependents of an owner that waits for them; lets it go when none blocks it. */
  #deleteDependents(tx: Transaction, served: Served, owner: Stored): void {
    const { uid = '' } = owner.value.metadata
    let blocked = false
    for (const key of this.#dependents.of(uid)) {
      const dependent = tx.get(key)
      const reference = dependent?.value.metadata.ownerReferences?.find((r) => r.uid === uid)
      if (!dependent || !reference) continue
      if (reference.blockOwnerDeletion) blocked = true
      if (!dependent.value.metadata.deletionTimestamp) this.#loop.add(key)
    }
    if (!blocked) this.#removeFinalizer(tx, served, owner, foregroundFinalizer)
  }

  #judge(tx: Transaction, served: Served, stored: Stored, references: readonly OwnerReference[]): void {
    const states = references.map((r) => ({ uid: r.uid, state: this.#stateOf(tx, stored.key, served, r) }))
    if (states.some((s) => s.state === undefined)) return
    const lost = states.filter((s) => s.state !== 'solid').map((s) => s.uid)
    if (lost.length === 0) return
    if (lost.length < states.length) {
      this.#dropOwners(tx, served, stored, lost)
      return
    }
    const waiting = states.some((s) => s.state === 'waiting')
    const { uid = '', finalizers = [] } = stored.value.metadata
    const dependents = this.#dependents.of(uid)
    if (waiting && dependents.length > 0) {
      // Its owner waits for it and it has dependents of its own: they go first. In a circle somebody must stop blocking.
      const circle = dependents.some((key) => isDeletingForeground(tx.get(key)?.value))
      const current = circle ? this.#unblockOwners(tx, served, stored) : stored
      this.#delete(tx, served, current, 'Foreground')
      return
    }
    const asked = finalizers.find((f) => f === orphanFinalizer || f === foregroundFinalizer)
    const policy = asked === undefined ? 'Background' : asked === orphanFinalizer ? 'Orphan' : 'Foreground'
    this.#delete(tx, served, stored, policy)
  }

  /** undefined: cannot be told, its kind is not served; better keep the object. */
  #stateOf(tx: Transaction, key: string, served: Served, reference: OwnerReference): OwnerState | undefined {
    if (this.#dependents.isGone(reference.uid)) return 'dangling'
    const kind = this.#ownerKind(reference)
    if (!kind) return undefined
    // A cluster-scoped object cannot have an owner in a namespace.
    if (kind.info.namespaced && !served.info.namespaced) return undefined
    const owner = this.#find(tx, key, reference)
    if (!owner) return 'dangling'
    return isDeletingForeground(asObject(owner.value)) ? 'waiting' : 'solid'
  }

  #find(from: { get(key: string): Stored | undefined }, key: string, reference: OwnerReference): Stored | undefined {
    const kind = this.#ownerKind(reference)
    const owner = kind && from.get(kind.key(parseKey(key).namespace, reference.name))
    return owner?.value.metadata.uid === reference.uid ? owner : undefined
  }

  #ownerKind({ apiVersion, kind }: OwnerReference): Served | undefined {
    const slash = apiVersion.indexOf('/')
    const group = slash < 0 ? '' : apiVersion.slice(0, slash)
    return this.#api.registry.findKind(group, kind, apiVersion.slice(slash + 1))
  }

  #dropOwners(tx: Transaction, served: Served, stored: Stored, uids: readonly string[]): void {
    modifyIn(this.#api, tx, this.#target(served, stored), stored, (live) => {
      const left = (live.metadata.ownerReferences ?? []).filter((r) => !uids.includes(r.uid))
      return withMetadata(live, { ownerReferences: left.length > 0 ? left : undefined })
    })
  }

  #unblockOwners(tx: Transaction, served: Served, stored: Stored): Stored {
    modifyIn(this.#api, tx, this.#target(served, stored), stored, (live) =>
      withMetadata(live, {
        ownerReferences: (live.metadata.ownerReferences ?? []).map((r) => ({ ...r, blockOwnerDeletion: false })),
      }),
    )
    return tx.get(stored.key) ?? stored
  }

  #removeFinalizer(tx: Transaction, served: Served, stored: Stored, finalizer: string): void {
    modifyIn(this.#api, tx, this.#target(served, stored), stored, (live) => {
      const left = (live.metadata.finalizers ?? []).filter((f) => f !== finalizer)
      return withMetadata(live, { finalizers: left.length > 0 ? left : undefined })
    })
  }

  #delete(tx: Transaction, served: Served, stored: Stored, propagationPolicy: Propagation): void {
    const { uid } = stored.value.metadata
    const options = { dryRun: false, propagationPolicy, orphanDependents: undefined, preconditions: { uid } }
    deleteIn(this.#api, tx, this.#target(served, stored), options)
  }

  #servedAs(key: string): Served | undefined {
    const { group, plural } = parseKey(key)
    return this.#api.registry.stored.get(`/${group === '' ? 'core' : group}/${plural}/`)
  }

  #target(served: Served, { value }: Stored): Target {
    const { name = '', namespace = '' } = value.metadata
    return { served, namespace, name, subresource: '', user, warn: () => {} }
  }
}

function isDeletingForeground(object: ApiObject | Stored['value'] | undefined): boolean {
  if (!object?.metadata.deletionTimestamp) return false
  return object.metadata.finalizers?.includes(foregroundFinalizer) ?? false
}

function concernsUs({ metadata }: ApiObject): boolean {
  if (metadata.ownerReferences?.length) return true
  if (!metadata.deletionTimestamp) return false
  return metadata.finalizers?.some((f) => f === orphanFinalizer || f === foregroundFinalizer) ?? false
}
