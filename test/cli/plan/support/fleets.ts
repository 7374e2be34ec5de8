import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { JsonObject, KubeObject } from '../../../../crds/metadata.ts'
import type { Random } from './random.ts'

/** A file that may be in catalogs: its bytes are the origin's. */
export interface PoolFile {
  readonly path: string
  readonly bytes: Buffer
  readonly sha256: string
}

/** A fleet as a person would write it down; names are keys. */
export interface FleetSpec {
  readonly classes: Readonly<Record<string, { readonly storageBytes: number }>>
  readonly sites: Readonly<Record<string, { readonly parents: readonly string[]; readonly region: string }>>
  readonly appliances: Readonly<Record<string, ApplianceSpec>>
  /** `files`: paths of the pool, with a popularity each. `version`: another source. */
  readonly catalogs: Readonly<Record<string, CatalogSpec>>
  readonly policies: Readonly<Record<string, PolicySpec>>
}

interface ApplianceSpec {
  readonly site: string
  readonly class: string
  readonly mode: 'InService' | 'Draining' | 'OutOfService' | 'Decommissioned'
  readonly tier: string
}
interface CatalogSpec {
  readonly version: number
  readonly files: readonly { readonly path: string; readonly popularity: number }[]
}
interface PolicySpec {
  readonly catalog: string
  readonly priority: number
  readonly perSite: number
  readonly perRegion: number | undefined
  readonly storageShare: number
  readonly pins: readonly { readonly paths: readonly string[]; readonly copies: number | 'all' }[]
  readonly exclude: readonly string[]
  readonly tier: string | undefined
}

/** Files to choose from; some have the same bytes as another. */
export function makePool(random: Random): PoolFile[] {
  const pool: PoolFile[] = []
  for (let i = 0; i < 40; i++) {
    const copy = i > 5 && random.chance(0.1)
    const bytes = copy ? random.pick(pool).bytes : random.bytes(random.int(1, 1500))
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    pool.push({ path: `d${i % 4}/f${i}`, bytes, sha256 })
  }
  return pool
}

export function makeFleet(random: Random, pool: readonly PoolFile[]): FleetSpec {
  const classes = Object.fromEntries(
    ['big', 'small'].map((name) => [name, { storageBytes: random.int(4_000, 30_000) }]),
  )
  let fleet: FleetSpec = { classes, sites: {}, appliances: {}, catalogs: {}, policies: {} }
  for (let i = random.int(1, 3); i > 0; i--) fleet = addSite(fleet, random)
  for (let i = random.int(1, 2); i > 0; i--) fleet = addCatalog(fleet, random, pool)
  for (let i = random.int(2, 5); i > 0; i--) fleet = addAppliance(fleet, random)
  for (let i = random.int(1, 3); i > 0; i--) fleet = addPolicy(fleet, random)
  return fleet
}

type Mutation = (fleet: FleetSpec, random: Random, pool: readonly PoolFile[]) => FleetSpec

/** Makes a change of any kind that makes sense, or two or three at once. */
export function changeFleet(before: FleetSpec, random: Random, pool: readonly PoolFile[]): FleetSpec {
  const changes = random.chance(0.6) ? 1 : random.int(2, 3)
  let fleet = before
  for (let made = 0; made < changes; ) {
    const next = random.pick(MUTATIONS)(fleet, random, pool)
    // A policy that stays as it is, a site that cannot go: no change.
    if (isDeepStrictEqual(next, fleet)) continue
    fleet = next
    made++
  }
  return fleet
}

const MUTATIONS: readonly Mutation[] = [
  addAppliance,
  (fleet, random) => without(fleet, 'appliances', random),
  (fleet, random) =>
    changed(fleet, 'appliances', random, (appliance) => ({
      ...appliance,
      mode: random.pick(['InService', 'Draining', 'OutOfService', 'Decommissioned']),
    })),
  (fleet, random) =>
    changed(fleet, 'appliances', random, (appliance) => ({
      ...appliance,
      class: random.pick(Object.keys(fleet.classes)),
    })),
  (fleet, random) =>
    changed(fleet, 'appliances', random, (appliance) => ({
      ...appliance,
      site: random.pick(Object.keys(fleet.sites)),
    })),
  (fleet, random) => changed(fleet, 'classes', random, () => ({ storageBytes: random.int(2_000, 40_000) })),
  addSite,
  (fleet, random) =>
    changed(fleet, 'sites', random, (site, name) => ({
      ...site,
      region: random.pick(['north', 'south']),
      parents: random.shuffled(Object.keys(fleet.sites).filter((other) => other !== name)).slice(0, random.int(0, 2)),
    })),
  removeSite,
  addPolicy,
  (fleet, random) => without(fleet, 'policies', random),
  (fleet, random) =>
    changed(fleet, 'policies', random, (policy) => ({ ...randomPolicy(fleet, random), catalog: policy.catalog })),
  (fleet, random, pool) =>
    changed(fleet, 'catalogs', random, ({ version, files }) => ({
      version: version + 1,
      files: [...files.filter(() => random.chance(0.8)), ...randomFiles(random, pool, random.int(0, 8))].filter(
        isFirst,
      ),
    })),
  addCatalog,
]

const isFirst = ({ path }: { path: string }, i: number, all: readonly { path: string }[]) =>
  all.findIndex((other) => other.path === path) === i

function free(names: Readonly<Record<string, unknown>>, prefix: string): string {
  for (let i = 1; ; i++) if (!(`${prefix}${i}` in names)) return `${prefix}${i}`
}

function addSite(fleet: FleetSpec, random: Random): FleetSpec {
  const parents = random.shuffled(Object.keys(fleet.sites)).slice(0, random.int(0, 1))
  const site = { parents, region: random.pick(['north', 'south']) }
  return { ...fleet, sites: { ...fleet.sites, [free(fleet.sites, 's')]: site } }
}

/** With whatever stands there: or else its appliances would stay behind. */
function removeSite(fleet: FleetSpec, random: Random): FleetSpec {
  const names = Object.keys(fleet.sites)
  if (names.length < 2) return fleet
  const gone = random.pick(names)
  const { [gone]: _, ...sites } = fleet.sites
  const stays = random.chance(0.3)
  return {
    ...fleet,
    sites: Object.fromEntries(
      Object.entries(sites).map(([name, site]) => [name, { ...site, parents: site.parents.filter((p) => p !== gone) }]),
    ),
    appliances: Object.fromEntries(Object.entries(fleet.appliances).filter(([, { site }]) => stays || site !== gone)),
  }
}

function addAppliance(fleet: FleetSpec, random: Random): FleetSpec {
  const appliance: ApplianceSpec = {
    site: random.pick(Object.keys(fleet.sites)),
    class: random.pick(Object.keys(fleet.classes)),
    mode: random.chance(0.85) ? 'InService' : random.pick(['Draining', 'OutOfService']),
    tier: random.pick(['gold', 'plain']),
  }
  return { ...fleet, appliances: { ...fleet.appliances, [free(fleet.appliances, 'a')]: appliance } }
}

function randomFiles(random: Random, pool: readonly PoolFile[], count: number) {
  return random
    .shuffled(pool)
    .slice(0, count)
    .map(({ path }) => ({ path, popularity: random.chance(0.2) ? 0 : random.int(1, 100) }))
}

function addCatalog(fleet: FleetSpec, random: Random, pool: readonly PoolFile[]): FleetSpec {
  const catalog = { version: 1, files: randomFiles(random, pool, random.int(5, 30)) }
  return { ...fleet, catalogs: { ...fleet.catalogs, [free(fleet.catalogs, 'c')]: catalog } }
}

function randomPolicy(fleet: FleetSpec, random: Random): PolicySpec {
  return {
    catalog: random.pick(Object.keys(fleet.catalogs)),
    priority: random.int(0, 2),
    perSite: random.int(1, 3),
    perRegion: random.chance(0.3) ? random.int(1, 4) : undefined,
    storageShare: random.chance(0.7) ? 100 : random.int(20, 80),
    pins: random.chance(0.3) ? [{ paths: [`d${random.int(0, 3)}/*`], copies: random.chance(0.5) ? 'all' : 2 }] : [],
    exclude: random.chance(0.3) ? [`d${random.int(0, 3)}/**`] : [],
    tier: random.chance(0.25) ? random.pick(['gold', 'plain']) : undefined,
  }
}

function addPolicy(fleet: FleetSpec, random: Random): FleetSpec {
  return { ...fleet, policies: { ...fleet.policies, [free(fleet.policies, 'p')]: randomPolicy(fleet, random) } }
}

function without(fleet: FleetSpec, kind: 'appliances' | 'policies', random: Random): FleetSpec {
  const names = Object.keys(fleet[kind])
  if (names.length === 0) return fleet
  const { [random.pick(names)]: _, ...rest } = fleet[kind] as Record<string, unknown>
  return { ...fleet, [kind]: rest }
}

function changed<K extends keyof FleetSpec>(
  fleet: FleetSpec,
  kind: K,
  random: Random,
  change: (item: FleetSpec[K][string], name: string) => FleetSpec[K][string],
): FleetSpec {
  const names = Object.keys(fleet[kind])
  if (names.length === 0) return fleet
  const name = random.pick(names)
  return { ...fleet, [kind]: { ...fleet[kind], [name]: change(fleet[kind][name] as FleetSpec[K][string], name) } }
}

/** Where things are that manifests name. */
export interface Surroundings {
  readonly namespace: string
  readonly originUrl: string
  /** The URL of a catalog's source. */
  readonly sourceUrl: (catalog: string, version: number) => string
}

/** The fleet's objects, in the order of applying. HardwareClasses are everybody's: their names begin with the namespace. */
export function manifestsOf(fleet: FleetSpec, around: Surroundings): (KubeObject & JsonObject)[] {
  const { namespace } = around
  const object = (apiVersion: string, kind: string, name: string, spec: JsonObject, labels?: JsonObject) =>
    ({
      apiVersion: `${apiVersion}.weir.dev/v1alpha1`,
      kind,
      metadata: { name, ...(kind === 'HardwareClass' ? {} : { namespace }), ...(labels ? { labels } : {}) },
      spec,
    }) as unknown as KubeObject & JsonObject
  return [
    ...each(fleet.classes, (name, { storageBytes }) =>
      object('fleet', 'HardwareClass', `${namespace}-${name}`, {
        storageBytes,
        storageMedium: 'flash',
        throughputGbps: 10,
      }),
    ),
    ...each(fleet.sites, (name, { parents, region }) =>
      object(
        'fleet',
        'Site',
        name,
        { country: 'DE', metro: 'fra', parents: parents.map((parent) => ({ name: parent })) },
        { 'topology.kubernetes.io/region': region },
      ),
    ),
    ...each(fleet.appliances, (name, { site, class: hardware, mode, tier }) =>
      object(
        'fleet',
        'Appliance',
        name,
        { siteRef: { name: site }, hardwareClassRef: { name: `${namespace}-${hardware}` }, mode },
        { tier },
      ),
    ),
    ...each(fleet.catalogs, (name, { version }) =>
      object('content', 'Catalog', name, {
        source: { url: around.sourceUrl(name, version) },
        originUrl: around.originUrl,
        refreshInterval: '1h',
      }),
    ),
    ...each(fleet.policies, (name, policy) =>
      object('content', 'PlacementPolicy', name, {
        catalogRef: { name: policy.catalog },
        priority: policy.priority,
        storageShare: policy.storageShare,
        copies: { perSite: policy.perSite, ...(policy.perRegion === undefined ? {} : { perRegion: policy.perRegion }) },
        pins: policy.pins as unknown as JsonObject[],
        exclude: policy.exclude.map((path) => ({ paths: [path] })),
        appliances: policy.tier === undefined ? {} : { selector: { matchLabels: { tier: policy.tier } } },
      }),
    ),
  ]
}

function each<T, R>(items: Readonly<Record<string, T>>, make: (name: string, item: T) => R): R[] {
  return Object.entries(items).map(([name, item]) => make(name, item))
}

/** A catalog's source, as NDJSON. */
export function sourceText({ files }: CatalogSpec, pool: readonly PoolFile[]): string {
  return files
    .map(({ path, popularity }) => {
      const { bytes, sha256 } = pool.find((file) => file.path === path)!
      return `${JSON.stringify({ path, size: bytes.length, sha256, popularity })}\n`
    })
    .join('')
}
