import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { type RunningAgent, startAgent } from '../../../../agent/main.ts'
import { resolveManifests } from '../../../../cli/changes/resolve.ts'
import { parseManifests } from '../../../../cli/manifests/manifest.ts'
import { SourceText } from '../../../../cli/manifests/source-text.ts'
import { blobDoor } from '../../../../cli/plan/blob-door.ts'
import { PlanBlobs } from '../../../../cli/plan/blobs.ts'
import { converge } from '../../../../cli/plan/converge.ts'
import type { FleetEffects } from '../../../../cli/plan/document.ts'
import { examine, type PlannedWork } from '../../../../cli/plan/examine.ts'
import { FleetModel, type FleetSnapshot } from '../../../../cli/plan/fleet-model.ts'
import { simulate } from '../../../../cli/plan/simulate.ts'
import { readFleet } from '../../../../cli/plan/snapshot.ts'
import { BlobReader } from '../../../../controllers/placement/blob-reader.ts'
import { appliances as applianceResource } from '../../../../controllers/resources.ts'
import type { JsonObject, KubeObject } from '../../../../crds/metadata.ts'
import { registry } from '../../../../crds/registry.gen.ts'
import type { ContentAssignment } from '../../../../crds/types.gen.ts'
import { tokenSecretName } from '../../../../reconcilers/credentials/plan-credentials.ts'
import { estimate, exact, type Figure, sum } from '../../../../reconcilers/effects/figure.ts'
import { defaultSolver } from '../../../../reconcilers/placement/default-solver.ts'
import { type ObjectKey, type Resource, secrets } from '../../../../runtime/client/resource.ts'
import { contentOf, fast } from '../../../agent/harness.ts'
import { eventually, freshNamespace } from '../../../controllers/control-plane.ts'
import { changeFleet, type FleetSpec, makeFleet, makePool, manifestsOf, type PoolFile, sourceText } from './fleets.ts'
import { type LiveFleet, quietIo } from './live-fleet.ts'
import { Random } from './random.ts'

type Body = KubeObject & JsonObject

/** One appliance's share of a change: bytes. */
interface Share {
  readonly fill: number
  readonly evict: number
}

export interface Outcome {
  readonly seed: number
  /** What does not agree; empty where all is well. */
  readonly wrongs: readonly string[]
  /** Bytes that were filled and evicted. */
  readonly moved: number
  /** Whether the plan called its figures exact; if not, by how many bytes they were off, of each appliance. */
  readonly isExact: boolean
  readonly off: number
  /** Bytes that were fetched beyond that: on the way through states that the plan does not show. */
  readonly churned: number
}

/** How long a fleet may take to come to rest, on a machine that has other things to do. */
const PATIENCE_MS = 120_000

/**
 * Makes a fleet, plans a change of it, makes the change, and compares: per appliance what was planned to be filled and evicted with what was;
 * and a plan of what is there then must be empty.
 */
export async function tryPlan(live: LiveFleet, seed: number): Promise<Outcome> {
  const trial = new Trial(live, seed, await freshNamespace(live.client, `seed${seed}`))
  try {
    return await trial.run()
  } finally {
    await trial.close()
  }
}

class Trial {
  readonly #live: LiveFleet
  readonly #seed: number
  readonly #namespace: string
  readonly #random: Random
  readonly #pool: readonly PoolFile[]
  readonly #agents = new Map<string, RunningAgent>()
  readonly #wrongs: string[] = []

  constructor(live: LiveFleet, seed: number, namespace: string) {
    this.#live = live
    this.#seed = seed
    this.#namespace = namespace
    this.#random = new Random(seed)
    this.#pool = makePool(this.#random)
    for (const { path, bytes } of this.#pool) live.serve(`${namespace}/${path}`, bytes)
    mkdirSync(join(live.dir, namespace), { recursive: true })
  }

  async run(): Promise<Outcome> {
    const first = makeFleet(this.#random, this.#pool)
    await this.#apply(await this.#work(first, undefined))
    await this.#runAgents()
    await this.#rest('the first fleet')

    const second = changeFleet(first, this.#random, this.#pool)
    const work = await this.#work(second, first)
    const planned = await this.#plan(work)
    const before = await this.#contents()
    const fetchedBefore = await this.#fetched()
    await this.#apply(work)
    await this.#runAgents()
    await this.#rest('the changed fleet')
    const after = await this.#contents()
    const shares = sharesOf(before, after, this.#pool)
    const off = this.#compare(planned, shares)
    const fetched = (await this.#fetched()) - fetchedBefore
    await this.#planIsEmpty()
    const filled = [...shares.values()].reduce((sum, { fill }) => sum + fill, 0)
    const moved = [...shares.values()].reduce((sum, { fill, evict }) => sum + fill + evict, 0)
    return {
      seed: this.#seed,
      wrongs: this.#wrongs,
      moved,
      off,
      isExact: planned.totals.fillBytes.certainty === 'exact',
      churned: Math.max(0, fetched - filled),
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.close()))
  }

  /** What turning one fleet into another takes, as `weir plan` sees it. */
  async #work(fleet: FleetSpec, before: FleetSpec | undefined): Promise<PlannedWork> {
    for (const [name, catalog] of Object.entries(fleet.catalogs))
      writeFileSync(this.#sourcePath(name, catalog.version), sourceText(catalog, this.#pool))
    const around = {
      namespace: this.#namespace,
      originUrl: `${this.#live.originUrl}${this.#namespace}/`,
      sourceUrl: (name: string, version: number) => pathToFileURL(this.#sourcePath(name, version)).href,
    }
    const objects = manifestsOf(fleet, around)
    const io = quietIo()
    const { connection } = this.#live
    const loaded = parseManifests(
      new SourceText('fleet.json', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })),
    )
    const set = await resolveManifests(loaded, connection, io.interrupted)
    const work = await examine(io, connection, set, { fieldManager: 'weir', take: [], prune: false, delete: false })
    const names = new Set(objects.map(nameOf))
    const gone = before === undefined ? [] : manifestsOf(before, around).filter((object) => !names.has(nameOf(object)))
    return { ...work, deletions: gone.reverse().map((object) => ({ object })) }
  }

  #sourcePath(catalog: string, version: number): string {
    return join(this.#live.dir, this.#namespace, `${catalog}-${version}.ndjson`)
  }

  async #plan(work: PlannedWork): Promise<FleetEffects> {
    const { snapshot, unreadable } = await this.#snapshot()
    const blobs = new PlanBlobs(blobDoor(this.#live.client, undefined, quietIo().interrupted), undefined)
    return await simulate({
      snapshot,
      unreadable,
      work,
      blobs,
      reader: new BlobReader(blobs),
      solver: defaultSolver,
      readSources: true,
      now: new Date(),
      signal: quietIo().interrupted,
    })
  }

  /** This trial's part of the fleet: others change theirs meanwhile. */
  async #snapshot(): Promise<{ snapshot: FleetSnapshot; unreadable: string | undefined }> {
    const { snapshot, unreadable } = await readFleet(this.#live.client, quietIo().interrupted)
    const own = Object.fromEntries(
      Object.entries(snapshot).map(([kind, objects]) => [
        kind,
        (objects as readonly KubeObject[]).filter(
          ({ metadata }) => metadata.namespace === undefined || metadata.namespace === this.#namespace,
        ),
      ]),
    )
    return { snapshot: own as unknown as FleetSnapshot, unreadable }
  }

  /** As `weir apply` does it: what others refer to first, deletions last. */
  async #apply({ changes, deletions }: PlannedWork): Promise<void> {
    const { client } = this.#live
    for (const { resolved, action } of changes)
      if (action !== 'unchanged') await client.apply(resolved.resource, resolved.object, { fieldManager: 'weir' })
    for (const { object } of deletions) {
      const { name = '', namespace } = object.metadata
      await client.delete(resourceOf(object), { name, ...(namespace === undefined ? {} : { namespace }) })
    }
  }

  /** An agent for every appliance that there is; those whose appliance is gone end. */
  async #runAgents(): Promise<void> {
    const { client, gatewayUrl, ca, dir } = this.#live
    const { items } = await client.list(applianceResource, { namespace: this.#namespace })
    for (const { metadata } of items) {
      const name = metadata.name ?? ''
      if (this.#agents.has(name)) continue
      const key: ObjectKey = { namespace: this.#namespace, name: tokenSecretName(name) }
      const secret = await eventually(() => client.find(secrets, key), `the token of ${name}`)
      const agent = await startAgent({
        gatewayUrl,
        ca,
        appliance: { namespace: this.#namespace, name },
        token: Buffer.from(secret.data?.token ?? '', 'base64').toString('utf8'),
        root: join(dir, this.#namespace, name),
        capacityBytes: 1e9,
        tuning: fast,
      })
      this.#agents.set(name, agent)
    }
  }

  /** Waits until controllers, asked again, have nothing to do, and every agent holds what it is asked for, and nothing else. */
  async #rest(what: string): Promise<void> {
    const end = Date.now() + PATIENCE_MS
    for (let seen: unknown; ; ) {
      const { snapshot } = await this.#snapshot()
      const missing = await this.#unrest(snapshot)
      const now = missing ?? [...(await this.#contents())].map(([name, files]) => [name, [...files].sort()])
      if (missing === undefined && isDeepStrictEqual(now, seen)) return
      seen = now
      if (Date.now() > end) throw new Error(`seed ${this.#seed}: ${what} does not come to rest: ${missing}`)
      await delay(150)
    }
  }

  /** Why the fleet is not at rest; undefined where it is. */
  async #unrest(snapshot: FleetSnapshot): Promise<string | undefined> {
    for (const kind of ['sites', 'appliances', 'catalogs', 'policies'] as const) {
      const going = snapshot[kind].find(({ metadata }) => metadata.deletionTimestamp)
      if (going) return `${going.kind} ${going.metadata.name} is going`
    }
    const unread = snapshot.catalogs.find(
      ({ metadata, status }) => status?.observedGeneration !== metadata.generation || !status?.digest,
    )
    if (unread) return `Catalog ${unread.metadata.name} has not been read`
    const model = new FleetModel(snapshot, new Date())
    const blobs = new PlanBlobs(blobDoor(this.#live.client, undefined, quietIo().interrupted), undefined)
    const reader = new BlobReader(blobs)
    const options = {
      reader,
      store: blobs.put.bind(blobs),
      solver: defaultSolver,
      now: new Date(),
    }
    await converge(model, { ...options, signal: quietIo().interrupted })
    for (const assignment of snapshot.assignments) {
      const key = `${assignment.metadata.namespace}/${assignment.metadata.name}`
      if (!isDeepStrictEqual(plain(model.objects.assignments.get(key)?.spec), plain(assignment.spec)))
        return `the Assignment of ${key} is to change`
    }
    const disks = await this.#contents()
    for (const appliance of snapshot.appliances) {
      const asked = model.objects.assignments.get(`${this.#namespace}/${appliance.metadata.name}`)?.spec.content
      const has = appliance.status?.content
      if (!asked || !has || has.generation !== asked.generation)
        return `${appliance.metadata.name} has not taken its Assignment up`
      const disk = disks.get(appliance.metadata.name ?? '') ?? new Set()
      // Out of service, it neither fills nor evicts.
      if (!asked.fill.paused) {
        if (has.bytesToFill > 0 || has.filesHeld < has.filesDesired)
          return `${appliance.metadata.name} is filling: ${has.waitingFor}`
        const wanted = await wantedBy(asked, reader)
        if (!isDeepStrictEqual(new Set(wanted), disk))
          return `${appliance.metadata.name} has ${disk.size} files and is to have ${wanted.size}`
      }
      if (has.storageUsedBytes !== this.#weigh(disk)) return `${appliance.metadata.name} has not said what it has`
    }
    return undefined
  }

  #weigh(files: ReadonlySet<string>): number {
    const sizes = new Map(this.#pool.map(({ sha256, bytes }) => [sha256, bytes.length]))
    return [...files].reduce((bytes, sha256) => bytes + sizes.get(sha256)!, 0)
  }

  /** What is on every appliance's disk, by sha256. */
  async #contents(): Promise<Map<string, Set<string>>> {
    return new Map(
      [...this.#agents.keys()].map((name) => [
        name,
        new Set(contentOf(join(this.#live.dir, this.#namespace, name)).keys()),
      ]),
    )
  }

  /** Bytes that all agents have fetched so far, by their own account. */
  async #fetched(): Promise<number> {
    let total = 0
    for (const { url } of this.#agents.values()) {
      const page = await (await fetch(`${url}/metrics`)).text()
      for (const [, bytes] of page.matchAll(/^weir_agent_filled_bytes_total(?:\{[^}]*\})? (\d+)/gm))
        total += Number(bytes)
    }
    return total
  }

  /** What was exact must have come true; gives by how many bytes estimates were off. */
  #compare({ appliances, sites, policies, totals }: FleetEffects, shares: ReadonlyMap<string, Share>): number {
    let off = 0
    const check = (what: string, planned: Figure, executed: number) => {
      if (planned.certainty === 'unknown') this.#wrongs.push(`${what}: unknown (${planned.why}), executed ${executed}`)
      else if (planned.certainty === 'estimate') off += Math.abs(planned.value - executed)
      else if (planned.value !== executed) this.#wrongs.push(`${what}: planned ${planned.value}, executed ${executed}`)
    }
    const isGuess = totals.fillBytes.certainty === 'estimate'
    const byName = new Map(appliances.map((appliance) => [appliance.name, appliance]))
    for (const [name, share] of shares) {
      const untouched: Figure = isGuess ? estimate(0) : exact(0)
      const { fillBytes, evictBytes } = byName.get(name) ?? { fillBytes: untouched, evictBytes: untouched }
      check(`${name} to fill`, fillBytes, share.fill)
      check(`${name} to evict`, evictBytes, share.evict)
    }
    const wronged = this.#wrongs.length
    const offSoFar = off
    const all = (field: keyof Share) => [...shares.values()].reduce((total, share) => total + share[field], 0)
    check('all to fill', totals.fillBytes, all('fill'))
    check('all to evict', totals.evictBytes, all('evict'))
    if (wronged === 0 && sum(sites.map(({ fillBytes }) => fillBytes)).value !== totals.fillBytes.value)
      this.#wrongs.push('the sites do not add up')
    for (const policy of policies)
      if (policy.plan === 'unknown') this.#wrongs.push(`policy ${policy.name} is unknown: ${policy.why}`)
    return offSoFar
  }

  /** A change that changes nothing for the fleet does nothing, and nothing is under way. */
  async #planIsEmpty(): Promise<void> {
    const { snapshot } = await this.#snapshot()
    const [site] = snapshot.sites
    if (!site) return
    const { apiVersion, kind, metadata } = site
    const note = {
      apiVersion,
      kind,
      metadata: { name: metadata.name, namespace: metadata.namespace, annotations: { note: 'x' } },
      spec: site.spec,
    }
    const loaded = parseManifests(new SourceText('note.json', JSON.stringify(note)))
    const io = quietIo()
    const set = await resolveManifests(loaded, this.#live.connection, io.interrupted)
    const asking = { fieldManager: 'somebody', take: ['.spec'], prune: false, delete: false }
    const { totals, sites, policies } = await this.#plan(await examine(io, this.#live.connection, set, asking))
    const moving = [totals.fillBytes, totals.evictBytes, totals.pendingBytes, totals.cancelledBytes, totals.drained]
    if (moving.some(({ value }) => value !== 0) || sites.length > 0)
      this.#wrongs.push(`the plan of what was executed is not empty: ${JSON.stringify(totals)}`)
    const anew = policies.find(({ plan }) => plan !== 'unchanged' && plan !== 'removed')
    if (anew) this.#wrongs.push(`policy ${anew.name} would be planned again: ${anew.plan} ${anew.why ?? ''}`)
  }
}

/** What an Assignment asks for, by sha256. */
async function wantedBy({ entries }: ContentAssignment, reader: BlobReader): Promise<Set<string>> {
  const wanted = new Set<string>()
  for (const { catalogDigest, manifestDigest } of entries) {
    const [{ files }, { set }] = await Promise.all([reader.catalog(catalogDigest), reader.fileSet(manifestDigest)])
    for (const index of set) wanted.add(files[index]!.sha256)
  }
  return wanted
}

/** What came to each disk and what went from it. */
function sharesOf(
  before: ReadonlyMap<string, Set<string>>,
  after: ReadonlyMap<string, Set<string>>,
  pool: readonly PoolFile[],
): Map<string, Share> {
  const sizes = new Map(pool.map(({ sha256, bytes }) => [sha256, bytes.length]))
  const weigh = (files: Iterable<string>) => [...files].reduce((bytes, sha256) => bytes + sizes.get(sha256)!, 0)
  return new Map(
    [...new Set([...before.keys(), ...after.keys()])].map((name) => {
      const [had, has] = [before.get(name) ?? new Set<string>(), after.get(name) ?? new Set<string>()]
      return [
        name,
        {
          fill: weigh([...has].filter((file) => !had.has(file))),
          evict: weigh([...had].filter((file) => !has.has(file))),
        },
      ]
    }),
  )
}

const nameOf = ({ kind, metadata }: Body) => `${kind} ${metadata.name}`

function resourceOf({ kind }: KubeObject): Resource {
  return Object.values(registry).find((each) => each.kind === kind) as Resource
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null))
