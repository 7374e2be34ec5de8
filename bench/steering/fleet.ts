import type { Appliance, HardwareClass, Site } from '../../crds/types.gen.ts'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { hashString, mix } from '../../reconcilers/placement/hash.ts'
import { maskWord, newPrefix, type Prefix } from '../../reconcilers/steering/address.ts'
import { buildWorld } from '../../reconcilers/steering/build-world.ts'
import { RouteTable } from '../../reconcilers/steering/client/route-table.ts'
import { noteHolder } from '../../reconcilers/steering/holders.ts'
import { type PackedShelf, packShelf } from '../../reconcilers/steering/pack-shelf.ts'
import { ordinalAt, placeCount } from '../../reconcilers/steering/places.ts'
import { BUILT_IN_POLICY, type PolicyInput } from '../../reconcilers/steering/policy.ts'
import { SHELF } from '../../reconcilers/steering/shelf.ts'
import { replaceShelf } from '../../reconcilers/steering/shelves.ts'
import { putCatalog, tick } from '../../reconcilers/steering/update.ts'
import type { World } from '../../reconcilers/steering/world.ts'

export const START_MS = 1_900_000_000_000
const CATALOG = 'cdn/films'
const NAMESPACE = 'cdn'

/** How large a made-up fleet is. */
export interface FleetSize {
  readonly sites: number
  readonly appliances: number
  readonly files: number
  readonly prefixes: number
  /** Files that an appliance holds, on average. */
  readonly held: number
}

/** Random numbers of 32 bits that are the same in every run. */
export function random(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

const metadata = (name: string, labels?: Record<string, string>) => ({
  name,
  namespace: NAMESPACE,
  uid: `uid-${name}`,
  resourceVersion: '1',
  generation: 1,
  ...(labels && { labels }),
})

const COUNTRIES = ['AT', 'BE', 'CH', 'CZ', 'DE', 'DK', 'ES', 'FI', 'FR', 'GB', 'IE', 'IT', 'NL', 'NO', 'PL', 'PT', 'SE']

function makeSites({ sites }: FleetSize): Site[] {
  const regionals = Math.max(1, Math.round(sites / 60))
  return Array.from({ length: sites }, (_, i) => {
    const regional = i < regionals
    const country = COUNTRIES[mix(i) % COUNTRIES.length]!
    return {
      apiVersion: 'fleet.weir.dev/v1alpha1' as const,
      kind: 'Site' as const,
      metadata: metadata(`s${i}`, { tier: regional ? 'regional' : 'edge' }),
      spec: {
        country,
        metro: `${country}-${mix(i * 7) % 40}`,
        coordinates: { latitude: 36 + (mix(i * 3) % 3000) / 100, longitude: -9 + (mix(i * 5) % 4000) / 100 },
        timeZone: 'UTC',
        tier: regional ? ('regional' as const) : ('edge' as const),
        network: { prefixes: [] },
        parents: regional ? [] : [{ name: `s${i % regionals}` }, { name: `s${(i + 1) % regionals}` }],
        fillWindows: [],
        maintenanceWindows: [],
      },
    }
  })
}

const CLASSES = [
  ['flash', 100],
  ['mixed', 40],
  ['hdd', 20],
] as const

const hardwareClasses: readonly HardwareClass[] = CLASSES.map(([name, throughputGbps]) => ({
  apiVersion: 'fleet.weir.dev/v1alpha1' as const,
  kind: 'HardwareClass' as const,
  metadata: { ...metadata(name), namespace: undefined },
  spec: { storageBytes: 1e14, storageMedium: name, throughputGbps },
}))

/** Every site has an appliance; the rest are spread unevenly, regional sites get ten times as many. */
function makeAppliances({ sites, appliances }: FleetSize): Appliance[] {
  const regionals = Math.max(1, Math.round(sites / 60))
  const siteOf = (i: number) => (i < sites ? i : i % 8 === 0 ? mix(i) % regionals : mix(i) % sites)
  const order = Array.from({ length: appliances }, (_, i) => siteOf(i)).sort((a, b) => a - b)
  return order.map((site, i) => ({
    apiVersion: 'fleet.weir.dev/v1alpha1' as const,
    kind: 'Appliance' as const,
    metadata: metadata(`a${i}`),
    spec: {
      siteRef: { name: `s${site}` },
      hardwareClassRef: { name: CLASSES[mix(site + 99) % CLASSES.length]![0] },
      mode: 'InService' as const,
    },
    status: {
      addresses: [{ type: 'HTTP' as const, url: `http://a${i}.cdn.example` }],
      conditions: [
        { type: 'Online', status: 'True' as const, reason: 'Heartbeat', message: '', lastTransitionTime: '' },
      ],
    },
  }))
}

export const cloudPolicy: PolicyInput = {
  metadata: { namespace: NAMESPACE, name: 'everyone' },
  spec: {
    ...BUILT_IN_POLICY.spec,
    priority: 0,
    clients: { unlocated: true },
    fallbacks: [{ url: 'https://cloud.example/{namespace}/{catalog}/{path}' }],
  },
}

/** File index by rank of popularity: catalogs are not in that order. */
export function ranking(files: number): Uint32Array {
  const next = random(77)
  const byRank = Uint32Array.from({ length: files }, (_, i) => i)
  for (let i = files - 1; i > 0; i--) {
    const j = next() % (i + 1)
    const there = byRank[i]!
    byRank[i] = byRank[j]!
    byRank[j] = there
  }
  return byRank
}

/**
 * What the appliances of sites hold: the head of the ranking on each, and of the next files as many again as there is room for, spread over
 * eight slots. Sites are of 40 tastes, so that few inventories are the same.
 */
function inventoryOf(size: FleetSize, byRank: Uint32Array, taste: number, slot: number): FileSet {
  const set = new FileSet(new Uint32Array(Math.ceil(size.files / 32)))
  const head = Math.floor(size.held / 3)
  for (let rank = 0; rank < head; rank++) set.add(byRank[rank]!)
  const end = Math.min(size.files, head + (size.held - head) * 8)
  for (let rank = head; rank < end; rank++) {
    if (((mix(rank ^ mix(taste + 1)) >>> 8) & 7) === slot) set.add(byRank[rank]!)
  }
  return set
}

export interface Fleet {
  readonly world: World
  readonly routes: RouteTable
  readonly byRank: Uint32Array
  readonly catalog: number
  /** First words of IPv4 addresses of clients, in proportion to the sites' prefixes. */
  readonly clients: Uint32Array
  readonly buildSeconds: { readonly world: number; readonly inventories: number; readonly routes: number }
  readonly heldFiles: number
}

/** A fleet with its inventories, and a table of the routes that lead to its sites. */
export function makeFleet(size: FleetSize): Fleet {
  const clock = stopwatch()
  const world = buildWorld(
    { sites: makeSites(size), appliances: makeAppliances(size), hardwareClasses, policies: [cloudPolicy] },
    START_MS,
  )
  const worldSeconds = clock()
  const byRank = ranking(size.files)
  const tastes = Math.min(40, size.sites)
  const sets = new Map<number, FileSet>()
  const slots = new Uint8Array(size.sites)
  putCatalog(world, CATALOG, { files: size.files, file: () => undefined })
  const catalog = world.catalogOrdinals.get(CATALOG)!
  const held = Array.from({ length: size.appliances }, (_, a) => {
    const site = world.applianceSite[a]!
    const key = (site % tastes) * 8 + (slots[site]!++ & 7)
    const set = sets.get(key) ?? inventoryOf(size, byRank, site % tastes, key & 7)
    sets.set(key, set)
    noteHolder(world, catalog, a, set)
    return { key, set }
  })
  // What `setInventory` comes to, without packing the same files again and again: each shelf has a copy of its own.
  const packed = new Map<string, PackedShelf>()
  for (let shelf = 0; shelf * SHELF < placeCount(world.places); shelf++) {
    const members = Array.from({ length: SHELF }, (_, m) => held[ordinalAt(world.places, shelf * SHELF + m)])
    const key = members.map((member) => member?.key).join()
    if (members.every((member) => member === undefined)) continue
    const one = packed.get(key) ?? packShelf(members.map((member) => member?.set))!
    packed.set(key, one)
    replaceShelf(world, catalog, shelf, one)
  }
  const sizes = new Map([...sets.values()].map((set) => [set, set.size]))
  const heldFiles = held.reduce((sum, { set }) => sum + sizes.get(set)!, 0)
  packed.clear()
  sets.clear()
  tick(world, START_MS)
  const inventorySeconds = clock()
  const { routes, clients } = makeRoutes(size)
  return {
    world,
    routes,
    byRank,
    catalog,
    clients,
    heldFiles,
    buildSeconds: { world: worldSeconds, inventories: inventorySeconds, routes: clock() },
  }
}

/** Lengths of announced IPv4 and IPv6 prefixes, about as often as in the Internet's tables. */
const V4_LENGTHS = [24, 24, 24, 24, 24, 24, 24, 24, 24, 23, 22, 22, 22, 21, 20, 19, 18, 17, 16]
const V6_LENGTHS = [32, 48, 48, 48, 48, 48, 44, 40, 36, 46, 29]

/** A table of routes like the Internet's, four fifths of them IPv4, each of a site; every twentieth prefix is announced by two. */
function makeRoutes({ prefixes, sites }: FleetSize): { routes: RouteTable; clients: Uint32Array } {
  const next = random(5)
  const routes = new RouteTable('bgp', prefixes + prefixes / 10)
  const prefix = newPrefix()
  const clients = new Uint32Array(1 << 20)
  let drawn = 0
  const announce = () => {
    const site = next() % sites
    const route = { prefix, pathLength: 1 + (next() % 3), med: 0 }
    routes.announce(`s${site}`, `${NAMESPACE}/s${site}`, route)
    if (next() % 20 === 0) routes.announce(`s${site + 1}`, `${NAMESPACE}/s${(site + 1) % sites}`, route)
  }
  while (routes.size.prefixes < prefixes * 0.8) {
    drawV4(prefix, next)
    announce()
    const address = (prefix.words[0]! | (next() & ~maskWord(prefix.length, 0))) >>> 0
    clients[drawn++ & (clients.length - 1)] = address
  }
  while (routes.size.prefixes < prefixes) {
    drawV6(prefix, next)
    announce()
  }
  return { routes, clients: clients.subarray(0, Math.min(drawn, clients.length)) }
}

function drawV4(prefix: Prefix, next: () => number): void {
  prefix.v6 = false
  prefix.length = V4_LENGTHS[next() % V4_LENGTHS.length]!
  prefix.words.fill(0)
  prefix.words[0] = ((((1 + (next() % 223)) << 24) | (next() >>> 8)) & maskWord(prefix.length, 0)) >>> 0
}

function drawV6(prefix: Prefix, next: () => number): void {
  prefix.v6 = true
  prefix.length = V6_LENGTHS[next() % V6_LENGTHS.length]!
  prefix.words.fill(0)
  prefix.words[0] = 0x20000000 | ((next() % 12) << 20) | ((next() % 2000) << 4)
  prefix.words[1] = next() & 0x0fff0000
  for (let w = 0; w < 2; w++) prefix.words[w] = (prefix.words[w]! & maskWord(prefix.length, w)) >>> 0
}

function stopwatch(): () => number {
  let last = performance.now()
  return () => {
    const now = performance.now()
    const seconds = (now - last) / 1000
    last = now
    return seconds
  }
}

/** Draws ranks 0…count-1 by Zipf's law with exponent `s`: rank r about 1/(r+1)^s as often as rank 0. */
export function zipf(count: number, s: number, next: () => number): () => number {
  const sums = new Float64Array(count)
  let sum = 0
  for (let r = 0; r < count; r++) {
    sum += (r + 1) ** -s
    sums[r] = sum
  }
  return () => {
    const at = (next() / 2 ** 32) * sum
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (sums[middle]! > at) high = middle
      else low = middle + 1
    }
    return low
  }
}

export const affinityOf = (file: number) => hashString(`title-${file >> 3}`)
