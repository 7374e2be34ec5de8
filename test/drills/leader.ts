import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  appliances,
  assignments,
  catalogs,
  hardwareClasses,
  placementPlans,
  placementPolicies,
  sites,
} from '../../controllers/resources.ts'
import type { KubeObject } from '../../crds/metadata.ts'
import type { Assignment } from '../../crds/types.gen.ts'
import { Cache } from '../../runtime/cache/cache.ts'
import { leases, type Resource } from '../../runtime/client/resource.ts'
import { type ControlPlane, freshNamespace, startControlPlane } from '../controllers/control-plane.ts'
import { Program } from './controller-process.ts'

// Two controllers, one leads. The leader is killed with SIGKILL, frozen with SIGSTOP and woken, and cut off from the network, each time in the
// middle of a plan's rollout. Every Assignment must be changed once by every plan: not twice, and not never.
//   node test/drills/leader.ts [APPLIANCES]

export interface LeaderTimes {
  /** As for `--lease-duration`, `--renew-deadline` and `--retry-period`. */
  readonly lease: string
  readonly deadline: string
  readonly retry: string
}

export interface LeaderDrillResult {
  /** From the blow to the first Assignment that the successor wrote, in ms. */
  readonly takeoverMs: Readonly<Record<'kill' | 'freeze' | 'cut', number>>
  /** Assignments that the leader had changed when it was struck, of all. */
  readonly struckAt: readonly number[]
  readonly plans: number
  /** What is wrong; empty where all is well. */
  readonly wrongs: readonly string[]
}

export async function drillLeader(count: number, times: LeaderTimes): Promise<LeaderDrillResult> {
  await using plane = await startControlPlane()
  await using drill = new Drill(plane, await freshNamespace(plane.client, 'leader'), count, times)
  return await drill.run()
}

/** No step of a drill takes longer. */
const PATIENCE_MS = 60_000

class Drill implements AsyncDisposable {
  readonly #plane: ControlPlane
  readonly #ns: string
  readonly #count: number
  readonly #times: LeaderTimes
  readonly #closers: (() => unknown)[] = []
  readonly #wrongs: string[] = []
  readonly #struckAt: number[] = []
  /** How often each Assignment's spec has changed, as the API tells. */
  readonly #changes = new Map<string, number>()
  #onChange: () => void = () => {}
  #plans = 0
  readonly #programs: Program[] = []

  constructor(plane: ControlPlane, ns: string, count: number, times: LeaderTimes) {
    this.#plane = plane
    this.#ns = ns
    this.#count = count
    this.#times = times
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#closers.reverse()) await close()
  }

  async run(): Promise<LeaderDrillResult> {
    await this.#makeFleet()
    await this.#follow()
    const door = await this.#openDoor()

    const a = this.#start('a')
    await this.#holder('a')
    await this.#firstAssignments()
    const b = this.#start('b')
    await b.said('the controllers have been started')
    const kill = await this.#strike('b', () => a.kill('SIGKILL'))

    const c = this.#start('c', door.kubeconfig)
    await c.said('the controllers have been started')
    const freeze = await this.#strike('c', () => b.kill('SIGSTOP'))
    // What the sleeper remembers is two plans old when it wakes.
    await this.#plan(() => {})
    b.kill('SIGCONT')
    if ((await b.exited) === 0) this.#wrongs.push('a leader that was deposed while it was frozen ended with code 0')

    const d = this.#start('d')
    await d.said('the controllers have been started')
    const cut = await this.#strike('d', () => door.cut())
    if ((await c.exited) === 0) this.#wrongs.push('a leader that was cut off ended with code 0')

    d.kill('SIGTERM')
    const code = await d.exited
    if (code !== 0) this.#wrongs.push(`the last leader ended with code ${code} on SIGTERM`)
    const lease = await this.#plane.client.get(leases, this.#lease)
    if (lease.spec?.holderIdentity)
      this.#wrongs.push(`the Lease was not released: ${lease.spec.holderIdentity} holds it`)
    await this.#check()
    const { length: plans } = (await this.#plane.client.list(placementPlans, { namespace: this.#ns })).items
    return {
      takeoverMs: { kill, freeze, cut },
      struckAt: this.#struckAt,
      plans,
      wrongs: this.#wrongs,
    }
  }

  get #lease() {
    return { namespace: this.#ns, name: 'weir-controller' }
  }

  /** Starts a plan, strikes in the middle of its rollout, and waits for `successor` to end it; how long until its first write. */
  async #strike(successor: string, blow: () => void): Promise<number> {
    let struckMs = 0
    let resumedMs = 0
    let seen = 0
    await this.#plan((done) => {
      if (struckMs === 0 && done >= this.#count / 4) {
        blow()
        struckMs = performance.now()
        this.#struckAt.push(done)
      } else if (struckMs > 0 && done > seen && performance.now() - struckMs > 1000) {
        // What was on its way when the leader was struck arrives at once; later than that it is the successor.
        if (resumedMs === 0) resumedMs = performance.now()
      }
      seen = done
    })
    await this.#holder(successor)
    if (struckMs === 0 || resumedMs === 0) {
      this.#wrongs.push(
        `${successor}: the leader was not struck in mid-rollout (${this.#struckAt.at(-1)} of ${this.#count})`,
      )
    }
    return Math.round(resumedMs - struckMs)
  }

  /** Has another plan made, and waits until every Assignment has been changed for it. */
  async #plan(onChange: (done: number) => void): Promise<void> {
    const goal = ++this.#plans
    const done = () => [...this.#changes.values()].filter((changes) => changes >= goal).length
    const finished = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`plan ${goal}: only ${done()} of ${this.#count} Assignments; ${this.#lastWords()}`)),
        PATIENCE_MS,
      )
      this.#onChange = () => {
        onChange(done())
        if (done() < this.#count) return
        clearTimeout(timer)
        resolve()
      }
    })
    const exclude = goal === 1 ? [] : [{ paths: [`film/${goal}`] }]
    await this.#apply(placementPolicies, 'all', { spec: { catalogRef: { name: 'films' }, exclude } })
    await finished
  }

  /** Every appliance has an Assignment before there is any plan; what plans change is counted from there. */
  async #firstAssignments(): Promise<void> {
    const end = performance.now() + PATIENCE_MS
    while (this.#changes.size < this.#count) {
      if (performance.now() > end) throw new Error(`only ${this.#changes.size} Assignments: ${this.#lastWords()}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    for (const name of this.#changes.keys()) this.#changes.set(name, 0)
  }

  async #check(): Promise<void> {
    for (const [name, changes] of this.#changes) {
      if (changes !== this.#plans)
        this.#wrongs.push(`Assignment ${name} was changed ${changes} times for ${this.#plans} plans`)
    }
    const { items } = await this.#plane.client.list(assignments, { namespace: this.#ns })
    const manifests = new Set(items.map(({ spec }) => spec.content?.entries[0]?.manifestDigest))
    if (manifests.size !== 1) this.#wrongs.push(`Assignments ask for ${manifests.size} different sets of files`)
    const generations = new Set(items.map(({ spec }) => spec.content?.generation))
    if (generations.size !== 1 || !generations.has(this.#plans + 1))
      this.#wrongs.push(`Assignments are at generations ${[...generations].join(', ')} after ${this.#plans} plans`)
  }

  #start(name: string, kubeconfig = this.#plane.kubeconfigPath): Program {
    const { lease, deadline, retry } = this.#times
    const program = new Program(
      [
        'controller',
        '--leader-elect',
        `--kubeconfig=${kubeconfig}`,
        `--blobs=${join(this.#plane.dir, 'shared-blobs')}`,
        '--metrics-listen=127.0.0.1:0',
        `--lease-duration=${lease}`,
        `--renew-deadline=${deadline}`,
        `--retry-period=${retry}`,
      ],
      { POD_NAMESPACE: this.#ns, POD_NAME: name },
    )
    this.#programs.push(program)
    this.#closers.push(() => program[Symbol.asyncDispose]())
    return program
  }

  /** What the controllers have said last. */
  #lastWords(): string {
    return JSON.stringify(this.#programs.map(({ log }) => log.slice(-8)))
  }

  async #holder(name: string): Promise<void> {
    const end = performance.now() + PATIENCE_MS
    for (;;) {
      const lease = await this.#plane.client.find(leases, this.#lease)
      if (lease?.spec?.holderIdentity?.startsWith(`${name}_`)) return
      if (performance.now() > end) throw new Error(`${name} does not lead: ${lease?.spec?.holderIdentity}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** Counts what becomes of the Assignments, by the API's own account. */
  async #follow(): Promise<void> {
    const cache = new Cache<Assignment>({
      client: this.#plane.client,
      resource: assignments,
      namespace: this.#ns,
    })
    cache.onChange((change) => {
      if (change.type === 'delete') this.#wrongs.push(`Assignment ${change.key} was deleted`)
      const before = change.type === 'update' ? change.old.metadata.generation : undefined
      if (before === change.object.metadata.generation) return
      this.#changes.set(change.key, (this.#changes.get(change.key) ?? 0) + 1)
      this.#onChange()
    })
    this.#closers.push(() => cache.close())
    cache.start()
    await cache.waitForSync()
  }

  async #makeFleet(): Promise<void> {
    const source = createHttpServer((_, res) => res.end(catalogLines(20)))
    await new Promise<void>((resolve) => source.listen(0, '127.0.0.1', resolve))
    this.#closers.push(() => source.close())
    const url = `http://127.0.0.1:${(source.address() as AddressInfo).port}/films.ndjson`
    const hardware = { storageBytes: 10_000, storageMedium: 'flash', throughputGbps: 10 }
    await this.#apply(hardwareClasses, 'small', { spec: hardware })
    await Promise.all(
      Array.from({ length: this.#count }, async (_, i) => {
        const site = { country: 'DE', metro: 'fra', timeZone: 'UTC', network: { prefixes: [] } }
        await this.#apply(sites, `site-${i}`, { spec: site })
        const box = { siteRef: { name: `site-${i}` }, hardwareClassRef: { name: 'small' } }
        await this.#apply(appliances, `box-${i}`, { spec: box })
      }),
    )
    await this.#apply(catalogs, 'films', { spec: { source: { url } } })
  }

  #apply<T extends KubeObject>(resource: Resource<T>, name: string, fields: object): Promise<T> {
    const { group, version, kind, namespaced } = resource
    const metadata = { name, ...(namespaced ? { namespace: this.#ns } : {}) }
    const object = { apiVersion: `${group}/${version}`, kind, metadata, ...fields } as unknown as T
    return this.#plane.client.apply(resource, object, { fieldManager: 'drill', force: true })
  }

  /** A way to the API server that can be cut. */
  async #openDoor(): Promise<{ kubeconfig: string; cut(): void }> {
    const text = readFileSync(this.#plane.kubeconfigPath, 'utf8')
    const server = /server: "?(https:\/\/[^\s"]+)/.exec(text)?.[1] ?? ''
    const { hostname, port } = new URL(server)
    const sockets = new Set<Socket>()
    const door = createServer((client) => {
      const upstream = connect(Number(port), hostname)
      for (const socket of [client, upstream]) {
        sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => sockets.delete(socket))
      }
      client.pipe(upstream).pipe(client)
    })
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
    const cut = () => {
      door.close()
      for (const socket of sockets) socket.destroy()
    }
    this.#closers.push(cut)
    const kubeconfig = join(this.#plane.dir, 'through-the-door')
    writeFileSync(kubeconfig, text.replace(server, `https://127.0.0.1:${(door.address() as AddressInfo).port}`))
    return { kubeconfig, cut }
  }
}

function catalogLines(count: number): string {
  const digest = (text: string) => createHash('sha256').update(text).digest('hex')
  return Array.from({ length: count }, (_, i) =>
    JSON.stringify({ path: `film/${i}`, size: 100, sha256: digest(`film/${i}`), popularity: count - i }),
  ).join('\n')
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const result = await drillLeader(Number(process.argv[2] ?? 500), { lease: '10s', deadline: '7s', retry: '1s' })
  const late = Object.values(result.takeoverMs).some((ms) => ms > 15_000)
  console.log(JSON.stringify({ ...result, late }))
  process.exit(result.wrongs.length > 0 || late ? 1 : 0)
}
