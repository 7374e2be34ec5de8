import type { Log } from '../../runtime/log.ts'
import type { Api, Target } from '../api.ts'
import { ApiError } from '../api-error.ts'
import { controllerUser } from '../auth/user.ts'
import { cleanupFinalizer } from '../builtin/custom-resource-definition.ts'
import { hasCondition, servedByCrd } from '../custom/from-crd.ts'
import { type ApiObject, asObject, at, deepEqual, isArray, isObject, rfc3339, withFields } from '../json.ts'
import type { Served } from '../served.ts'
import { keyPrefix, objectKey } from '../storage/keys.ts'
import type { EventBatch, Watch } from '../storage/store.ts'
import { deleteAll } from '../verbs/delete-collection.ts'
import { updateObject } from '../verbs/update.ts'
import { takenBy, withAcceptedNames, withCondition } from './crd-names.ts'

const group = 'apiextensions.k8s.io'
const prefix = keyPrefix(group, 'customresourcedefinitions')
const user = controllerUser('crd-controller')

/**
 * Serves what CRDs declare: accepts their names, establishes them, keeps the registry in step, and empties them before they go. Level-triggered:
 * every pass over a CRD starts from what is stored.
 */
export class CrdController {
  readonly #api: Api
  readonly #log: Log
  #watch: Watch | undefined
  #stopped = false
  /** Names of CRDs to look at. */
  readonly #queue = new Set<string>()
  #working: Promise<void> | undefined
  /** The spec and conditions that a CRD was last served by. */
  readonly #served = new Map<string, ApiObject>()

  constructor(api: Api, log: Log) {
    this.#api = api
    this.#log = log
  }

  /** Serves every established CRD before it returns; then follows changes. */
  async start(): Promise<void> {
    const { items, revision } = this.#api.store.range(prefix)
    for (const item of items) this.#install(asObject(item.value))
    this.#watch = this.#api.store.watch(prefix, revision, {
      events: (batch) => this.#changed(batch),
      end: (reason) => {
        if (reason === 'Compacted') this.#log.error({}, 'CRD watch fell behind its history')
      },
    })
    for (const item of items) this.#enqueue(item.value.metadata.name ?? '')
    await this.settled()
  }

  stop(): void {
    this.#stopped = true
    this.#watch?.close()
  }

  /** Resolves when nothing is left to do for now. */
  async settled(): Promise<void> {
    while (this.#working) await this.#working
  }

  #changed(batch: EventBatch): boolean {
    for (const { type, current } of batch) {
      const crd = asObject(current.value)
      const name = crd.metadata.name ?? ''
      if (type === 'DELETED') {
        this.#served.delete(name)
        this.#api.registry.setCustom(name, [])
        this.#requeueGroup(at(crd, 'spec', 'group'))
      } else {
        this.#install(crd)
        this.#enqueue(name)
      }
    }
    return true
  }

  /** Puts an established CRD in the registry, if what it serves has changed. */
  #install(crd: ApiObject): void {
    const name = crd.metadata.name ?? ''
    if (!hasCondition(crd, 'Established')) return
    const before = this.#served.get(name)
    if (!before || !servesTheSame(before, crd)) {
      this.#served.set(name, crd)
      this.#api.registry.setCustom(name, servedByCrd(crd))
    }
    if (!hasCondition(crd, 'Terminating')) return
    for (const served of this.#api.registry.custom(name)) served.markTerminating()
  }

  /** Names have become free: CRDs that were refused them may have them now. */
  #requeueGroup(of: unknown): void {
    for (const item of this.#api.store.range(prefix).items) {
      if (at(asObject(item.value), 'spec', 'group') === of) this.#enqueue(item.value.metadata.name ?? '')
    }
  }

  #enqueue(name: string): void {
    this.#queue.add(name)
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
    })
  }

  async #work(): Promise<void> {
    for (;;) {
      const [name] = this.#queue
      if (name === undefined || this.#stopped) return
      this.#queue.delete(name)
      try {
        await this.#reconcile(name)
      } catch (err) {
        if (this.#stopped) return
        this.#log.error({ err, crd: name }, 'cannot bring a CRD up to date')
        this.#api.clock.after(1000, () => this.#stopped || this.#enqueue(name))
      }
    }
  }

  async #reconcile(name: string): Promise<void> {
    const stored = this.#api.store.get(objectKey(group, 'customresourcedefinitions', undefined, name))
    if (!stored) return
    const crd = asObject(stored.value)
    if (crd.metadata.deletionTimestamp && crd.metadata.finalizers?.includes(cleanupFinalizer)) {
      return this.#finalize(crd)
    }
    const others = this.#api.store
      .range(prefix)
      .items.map((i) => asObject(i.value))
      .filter((c) => c.metadata.name !== name && at(c, 'spec', 'group') === at(crd, 'spec', 'group'))
    const next = withAcceptedNames(crd, takenBy(others), rfc3339(this.#api.clock.now()))
    if (next !== crd) await this.#writeStatus(next)
  }

  async #writeStatus(crd: ApiObject): Promise<void> {
    const options = {
      dryRun: false,
      fieldManager: 'kube-apiserver',
      fieldValidation: 'Ignore',
      userAgent: undefined,
    } as const
    await conflictsAreFine(updateObject(this.#api, this.#target(crd, 'status'), crd, options))
  }

  #target(crd: ApiObject, subresource: '' | 'status'): Target {
    const served = this.#api.registry.find(group, 'v1', 'customresourcedefinitions')
    if (!served) throw new Error('CustomResourceDefinitions are not served')
    return { served, namespace: '', name: crd.metadata.name ?? '', subresource, user, warn: () => {} }
  }

  /** Deletes every instance, then lets the CRD go. */
  async #finalize(crd: ApiObject): Promise<void> {
    const now = rfc3339(this.#api.clock.now())
    if (!hasCondition(crd, 'Terminating')) {
      const message = 'CustomResource deletion is in progress'
      return this.#writeStatus(setCondition(crd, 'True', 'InstanceDeletionInProgress', message, now))
    }
    const [served] = this.#api.registry.custom(crd.metadata.name ?? '')
    if (served && (await this.#deleteInstances(served))) {
      // Their own finalizers hold some of them.
      this.#api.clock.after(500, () => this.#stopped || this.#enqueue(crd.metadata.name ?? ''))
      return
    }
    const done = setCondition(crd, 'False', 'InstanceDeletionCompleted', 'removed all instances', now)
    const finalizers = (crd.metadata.finalizers ?? []).filter((f) => f !== cleanupFinalizer)
    const { resourceVersion } = crd.metadata
    await this.#api.store.transact((tx) => {
      const key = objectKey(group, 'customresourcedefinitions', undefined, crd.metadata.name ?? '')
      const current = tx.get(key)
      if (current?.value.metadata.resourceVersion !== resourceVersion) return
      const last = { ...done, metadata: { ...crd.metadata, finalizers } }
      if (finalizers.length === 0) tx.delete(key, last)
      else tx.put(key, last)
    })
  }

  /** Resolves with whether any instance is left. */
  async #deleteInstances(served: Served): Promise<boolean> {
    const objects = this.#api.store.range(served.prefix).items.filter((i) => !i.value.metadata.deletionTimestamp)
    const target: Target = { served, namespace: '', name: '', subresource: '', user, warn: () => {} }
    const refusals = await deleteAll(
      this.#api,
      target,
      objects.map((o) => served.read(o)),
      { dryRun: false, propagationPolicy: undefined, orphanDependents: undefined, preconditions: {} },
    )
    for (const { message } of refusals.slice(0, 3)) this.#log.warn({ refusal: message }, 'cannot delete an instance')
    return this.#api.store.range(served.prefix, { limit: 1 }).items.length > 0
  }
}

function setCondition(crd: ApiObject, status: string, reason: string, message: string, now: string): ApiObject {
  const old = at(crd, 'status', 'conditions')
  const conditions = withCondition(
    isArray(old) ? old.filter(isObject) : [],
    { type: 'Terminating', status, reason, message },
    now,
  )
  return withFields(crd, { status: { ...(isObject(crd.status) ? crd.status : {}), conditions } })
}

/** Whether two states of a CRD lead to the same resources being served in the same way. */
function servesTheSame(a: ApiObject, b: ApiObject): boolean {
  return (
    a.metadata.uid === b.metadata.uid &&
    deepEqual(a.spec, b.spec) &&
    deepEqual(at(a, 'status', 'acceptedNames'), at(b, 'status', 'acceptedNames'))
  )
}

/** Somebody else wrote in between: the event of that write brings us back. */
async function conflictsAreFine(write: Promise<unknown>): Promise<void> {
  await write.catch((err: unknown) => {
    if (!(err instanceof ApiError) || (err.status.code !== 409 && err.status.code !== 404)) throw err
  })
}
