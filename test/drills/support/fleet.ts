import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import {
  appliances,
  assignments,
  catalogs,
  hardwareClasses,
  placementPlans,
  placementPolicies,
  sites,
} from '../../../controllers/resources.ts'
import type { KubeObject } from '../../../crds/metadata.ts'
import type { Assignment } from '../../../crds/types.gen.ts'
import { Cache } from '../../../runtime/cache/cache.ts'
import { Client } from '../../../runtime/client/client.ts'
import { loadKubeconfig } from '../../../runtime/client/kubeconfig.ts'
import { type Lease, leases, type ObjectKey, type Resource } from '../../../runtime/client/resource.ts'
import { eventually, freshNamespace, install } from '../../controllers/control-plane.ts'

/** No step of a drill takes longer, but for what the drill itself makes hard. */
const PATIENCE_MS = 60_000

/**
 * A fleet, all of whose Assignments are changed once by every plan; and an account of what became of each, by what the API tells. Asks the API as
 * an administrator, past whatever the drill does to controllers.
 */
export class DrillFleet implements AsyncDisposable {
  readonly client: Client
  readonly namespace: string
  readonly count: number
  /** What is wrong; empty where all is well. */
  readonly wrongs: string[] = []
  /** How often each Assignment's spec has changed since `firstAssignments`. */
  readonly #changes = new Map<string, number>()
  readonly #lastWords: () => unknown
  readonly #closers: (() => unknown)[] = []
  #onChange: () => void = () => {}
  #plans = 0

  private constructor(client: Client, namespace: string, count: number, lastWords: () => unknown) {
    this.client = client
    this.namespace = namespace
    this.count = count
    this.#lastWords = lastWords
    this.#closers.push(() => client.close())
  }

  /** `lastWords`: shown where the drill waits in vain. */
  static async make(kubeconfigPath: string, count: number, lastWords: () => unknown): Promise<DrillFleet> {
    const client = new Client({ access: await loadKubeconfig({ path: kubeconfigPath }), userAgent: 'weir-drill' })
    await install(client)
    const fleet = new DrillFleet(client, await freshNamespace(client, 'drill'), count, lastWords)
    await fleet.#makeObjects()
    await fleet.#follow()
    return fleet
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers.reverse()) await close()
  }

  /** How many plans have been asked for. */
  get plans(): number {
    return this.#plans
  }

  /** How many Assignments have been changed by the newest plan. */
  get done(): number {
    return [...this.#changes.values()].filter((changes) => changes >= this.#plans).length
  }

  /** Every appliance has an Assignment before there is any plan; what plans change is counted from there. */
  async firstAssignments(): Promise<void> {
    await this.until(() => this.#changes.size >= this.count, 'every appliance has an Assignment')
    for (const name of this.#changes.keys()) this.#changes.set(name, 0)
  }

  /**
   * Has another plan made, and waits until every Assignment has been changed for it. `onChange` is told how many have been, at every change.
   */
  async plan(onChange: (done: number) => void = () => {}, withinMs = PATIENCE_MS): Promise<void> {
    const finished = await this.ask(onChange)
    await finished(withinMs)
  }

  /** Asks for another plan; what it gives waits until every Assignment has been changed for it. */
  async ask(onChange: (done: number) => void = () => {}): Promise<(withinMs?: number) => Promise<void>> {
    const goal = ++this.#plans
    const finished = Promise.withResolvers<void>()
    this.#onChange = () => {
      onChange(this.done)
      if (this.done >= this.count) finished.resolve()
    }
    const exclude = goal === 1 ? [] : [{ paths: [`film/${goal}`] }]
    await this.#apply(placementPolicies, 'all', { spec: { catalogRef: { name: 'films' }, exclude } })
    return async (withinMs = PATIENCE_MS) => {
      const late = new AbortController()
      const timer = delay(withinMs, undefined, { signal: late.signal }).then(() => {
        throw this.#inVain(`plan ${goal}: ${this.done} of ${this.count} Assignments`)
      })
      try {
        await Promise.race([finished.promise, timer])
      } finally {
        late.abort()
        timer.catch(() => {})
      }
    }
  }

  /** Changes every appliance, in a way that nobody need do anything about. */
  async touchAll(): Promise<void> {
    const { items } = await this.client.list(appliances, { namespace: this.namespace })
    const merge = { metadata: { annotations: { 'example.com/touched': new Date().toISOString() } } }
    await Promise.all(
      items.map(({ metadata }) => this.client.patch(appliances, metadata as ObjectKey, { type: 'merge', merge })),
    )
  }

  /** The Lease that controllers stand for. */
  lease(): Promise<Lease | undefined> {
    return this.client.find(leases, { namespace: this.namespace, name: 'weir-controller' })
  }

  /** Waits until a controller whose POD_NAME is `name` leads. */
  async leads(name: string): Promise<void> {
    await this.until(
      async () => (await this.lease())?.spec?.holderIdentity?.startsWith(`${name}_`) ?? false,
      `${name} leads`,
    )
  }

  async until(look: () => boolean | Promise<boolean>, what: string, withinMs = PATIENCE_MS): Promise<void> {
    const end = performance.now() + withinMs
    while (!(await look())) {
      if (performance.now() > end) throw this.#inVain(what)
      await delay(20)
    }
  }

  /** Notes as wrong what has not been done once for every plan. */
  async check(): Promise<void> {
    for (const [name, changes] of this.#changes) {
      if (changes !== this.#plans)
        this.wrongs.push(`Assignment ${name} was changed ${changes} times for ${this.#plans} plans`)
    }
    const { items } = await this.client.list(assignments, { namespace: this.namespace })
    if (items.length !== this.count) this.wrongs.push(`there are ${items.length} Assignments, not ${this.count}`)
    const manifests = new Set(items.map(({ spec }) => spec.content?.entries[0]?.manifestDigest))
    if (manifests.size !== 1) this.wrongs.push(`Assignments ask for ${manifests.size} different sets of files`)
    const generations = new Set(items.map(({ spec }) => spec.content?.generation))
    if (generations.size !== 1 || !generations.has(this.#plans + 1))
      this.wrongs.push(`Assignments are at generations ${[...generations].join(', ')} after ${this.#plans} plans`)
  }

  /** How many PlacementPlans there are. */
  async placementPlans(): Promise<number> {
    return (await this.client.list(placementPlans, { namespace: this.namespace })).items.length
  }

  #inVain(what: string): Error {
    return new Error(`did not come true: ${what}; ${JSON.stringify(this.#lastWords())}`)
  }

  /** Counts what becomes of the Assignments. */
  async #follow(): Promise<void> {
    const cache = new Cache<Assignment>({ client: this.client, resource: assignments, namespace: this.namespace })
    cache.onChange((change) => {
      if (change.type === 'delete') this.wrongs.push(`Assignment ${change.key} was deleted`)
      const { object } = change
      const before = change.type === 'update' ? change.old.metadata.generation : undefined
      if (before === object.metadata.generation) return
      // A generation is one change of the spec: several at once are seen where the watch was away in between.
      const changes = before === undefined ? 1 : (object.metadata.generation ?? 0) - before
      this.#changes.set(change.key, (this.#changes.get(change.key) ?? 0) + changes)
      this.#onChange()
    })
    this.#closers.push(() => cache.close())
    cache.start()
    await cache.waitForSync()
  }

  async #makeObjects(): Promise<void> {
    const source = createServer((_, res) => res.end(catalogLines(20)))
    await new Promise<void>((resolve) => source.listen(0, '127.0.0.1', resolve))
    this.#closers.push(() => source.close())
    const url = `http://127.0.0.1:${(source.address() as AddressInfo).port}/films.ndjson`
    const hardware = { storageBytes: 10_000, storageMedium: 'flash', throughputGbps: 10 }
    await this.#apply(hardwareClasses, 'small', { spec: hardware })
    await Promise.all(
      Array.from({ length: this.count }, async (_, i) => {
        const site = { country: 'DE', metro: 'fra', timeZone: 'UTC', network: { prefixes: [] } }
        await this.#apply(sites, `site-${i}`, { spec: site })
        const box = { siteRef: { name: `site-${i}` }, hardwareClassRef: { name: 'small' } }
        await this.#apply(appliances, `box-${i}`, { spec: box })
      }),
    )
    await this.#apply(catalogs, 'films', { spec: { source: { url } } })
  }

  /** Again and again, for a while: a server that is just back may not answer yet. */
  #apply<T extends KubeObject>(resource: Resource<T>, name: string, fields: object): Promise<T> {
    const { group, version, kind, namespaced } = resource
    const metadata = { name, ...(namespaced ? { namespace: this.namespace } : {}) }
    const object = { apiVersion: `${group}/${version}`, kind, metadata, ...fields } as unknown as T
    return eventually(
      () => this.client.apply(resource, object, { fieldManager: 'drill', force: true }),
      `${name} is made`,
    )
  }
}

function catalogLines(count: number): string {
  const digest = (text: string) => createHash('sha256').update(text).digest('hex')
  return Array.from({ length: count }, (_, i) =>
    JSON.stringify({ path: `film/${i}`, size: 100, sha256: digest(`film/${i}`), popularity: count - i }),
  ).join('\n')
}
