import type { JsonObject } from '../../crds/metadata.ts'
import type { Log } from '../../runtime/log.ts'
import type { Api, Target } from '../api.ts'
import type { ApiError } from '../api-error.ts'
import { controllerUser } from '../auth/user.ts'
import { namespaceFinalizer, namespaceFinalizers } from '../builtin/namespace.ts'
import { type ApiObject, asObject, at, deepEqual, isArray, isObject, rfc3339, withFields } from '../json.ts'
import type { Served } from '../served.ts'
import { objectKey, parseKey } from '../storage/keys.ts'
import type { Stored, StoreEvent } from '../storage/store.ts'
import { deleteAll } from '../verbs/delete-collection.ts'
import { modifyIn } from '../verbs/modify.ts'
import { transact } from '../verbs/write.ts'
import { withCondition } from './crd-names.ts'
import { KeyLoop } from './key-loop.ts'

const user = controllerUser('namespace-controller')
/** A refusal rests on a state that somebody will change, not on chance: no hurry. */
const refusedRetryMs = 2000
const namespaceKey = (name: string) => objectKey('', 'namespaces', undefined, name)

/** What is still there of a resource in a namespace. */
interface Remaining {
  readonly resource: string
  readonly count: number
  readonly finalizers: ReadonlyMap<string, number>
}

/** Empties namespaces that are being deleted, says in their conditions what is left, and lets them go. */
export class NamespaceController {
  readonly #api: Api
  readonly #loop: KeyLoop
  /** Namespaces that are being deleted: what goes in them brings us back. */
  readonly #terminating = new Set<string>()

  constructor(api: Api, log: Log) {
    this.#api = api
    this.#loop = new KeyLoop({
      name: 'namespace-controller',
      clock: api.clock,
      log,
      batch: 50,
      work: async (names) => {
        await Promise.all(names.map((name) => this.#empty(name)))
      },
    })
  }

  start(objects: readonly Stored[]): void {
    for (const stored of objects) this.#look(stored)
  }

  close(): Promise<void> {
    return this.#loop.close()
  }

  readonly event = ({ type, key, current }: StoreEvent): void => {
    const { plural, group, namespace, name } = parseKey(key)
    if (group === '' && plural === 'namespaces') {
      if (type === 'DELETED') this.#terminating.delete(name)
      else this.#look(current)
    } else if (type === 'DELETED' && this.#terminating.has(namespace)) this.#loop.add(namespace)
  }

  #look({ key, value }: Stored): void {
    const { group, plural, name } = parseKey(key)
    if (group !== '' || plural !== 'namespaces' || !value.metadata.deletionTimestamp) return
    this.#terminating.add(name)
    if (namespaceFinalizers(asObject(value)).includes(namespaceFinalizer)) this.#loop.add(name)
  }

  async #empty(name: string): Promise<void> {
    const stored = this.#api.store.get(namespaceKey(name))
    if (!stored?.value.metadata.deletionTimestamp) return
    if (!namespaceFinalizers(asObject(stored.value)).includes(namespaceFinalizer)) return
    const resources = [...this.#api.registry.stored.values()].filter((s) => s.info.namespaced)
    const refusals: ApiError[] = []
    for (const served of resources) refusals.push(...(await this.#deleteContent(served, name)))
    if (refusals.length > 0) this.#loop.addAfter(name, refusedRetryMs)
    const remaining = resources.map((s) => this.#remaining(s, name)).filter((r) => r.count > 0)
    await transact(this.#api, false, (tx) => {
      const now = tx.get(namespaceKey(name))
      if (!now || now.value.metadata.uid !== stored.value.metadata.uid) return
      modifyIn(this.#api, tx, this.#target(name, 'status'), now, (live) =>
        this.#withConditions(live, remaining, refusals),
      )
      const described = tx.get(namespaceKey(name))
      if (remaining.length > 0 || !described) return
      modifyIn(this.#api, tx, this.#target(name, 'finalize'), described, (live) => {
        const finalizers = namespaceFinalizers(live).filter((f) => f !== namespaceFinalizer)
        return withFields(live, { spec: finalizers.length > 0 ? { finalizers } : {} })
      })
    })
  }

  async #deleteContent(served: Served, namespace: string): Promise<readonly ApiError[]> {
    const { items } = this.#api.store.range(served.collection(namespace))
    const objects = items.filter((i) => !i.value.metadata.deletionTimestamp).map((i) => served.read(i))
    if (objects.length === 0) return []
    const target: Target = { served, namespace, name: '', subresource: '', user, warn: () => {} }
    const options = {
      dryRun: false,
      propagationPolicy: 'Background',
      orphanDependents: undefined,
      preconditions: {},
    } as const
    return deleteAll(this.#api, target, objects, options)
  }

  #remaining(served: Served, namespace: string): Remaining {
    const { items } = this.#api.store.range(served.collection(namespace))
    const finalizers = new Map<string, number>()
    for (const { value } of items) {
      for (const f of value.metadata.finalizers ?? []) finalizers.set(f, (finalizers.get(f) ?? 0) + 1)
    }
    const { group, plural } = served.info
    return { resource: group === '' ? `${plural}.` : `${plural}.${group}`, count: items.length, finalizers }
  }

  #withConditions(live: ApiObject, remaining: readonly Remaining[], refusals: readonly ApiError[]): ApiObject {
    const now = rfc3339(this.#api.clock.now())
    const old = at(live, 'status', 'conditions')
    let conditions: readonly JsonObject[] = isArray(old) ? old.filter(isObject) : []
    for (const condition of deletionConditions(remaining, refusals))
      conditions = withCondition(conditions, condition, now)
    const status = { ...(isObject(live.status) ? live.status : {}), phase: 'Terminating', conditions }
    return deepEqual(status, live.status) ? live : withFields(live, { status })
  }

  #target(name: string, subresource: 'status' | 'finalize'): Target {
    const served = this.#api.registry.find('', 'v1', 'namespaces')
    if (!served) throw new Error('namespaces are not served')
    return { served, namespace: '', name, subresource, user, warn: () => {} }
  }
}

function deletionConditions(remaining: readonly Remaining[], refusals: readonly ApiError[]) {
  const content = remaining.map((r) => `${r.resource} has ${r.count} resource instances`)
  const finalizers = new Map<string, number>()
  for (const r of remaining) for (const [f, n] of r.finalizers) finalizers.set(f, (finalizers.get(f) ?? 0) + n)
  const held = [...finalizers].sort().map(([f, n]) => `${f} in ${n} resource instances`)
  const fine = (type: string, reason: string, message: string) => ({ type, status: 'False', reason, message })
  return [
    fine('NamespaceDeletionDiscoveryFailure', 'ResourcesDiscovered', 'All resources successfully discovered'),
    fine(
      'NamespaceDeletionGroupVersionParsingFailure',
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ),
    refusals.length === 0
      ? fine(
          'NamespaceDeletionContentFailure',
          'ContentDeleted',
          'All content successfully deleted, may be waiting on finalization',
        )
      : {
          type: 'NamespaceDeletionContentFailure',
          status: 'True',
          reason: 'ContentDeletionFailed',
          message: `Failed to delete all resource types, ${refusals.length} remaining: ${[...new Set(refusals.map((r) => r.message))].sort().join(', ')}`,
        },
    content.length === 0
      ? fine('NamespaceContentRemaining', 'ContentRemoved', 'All content successfully removed')
      : {
          type: 'NamespaceContentRemaining',
          status: 'True',
          reason: 'SomeResourcesRemain',
          message: `Some resources are remaining: ${content.join(', ')}`,
        },
    held.length === 0
      ? fine('NamespaceFinalizersRemaining', 'ContentHasNoFinalizers', 'All content-preserving finalizers finished')
      : {
          type: 'NamespaceFinalizersRemaining',
          status: 'True',
          reason: 'SomeFinalizersRemain',
          message: `Some content in the namespace has finalizers remaining: ${held.join(', ')}`,
        },
  ]
}
