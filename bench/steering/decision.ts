import { mix } from '../../reconcilers/placement/hash.ts'
import { newAddress } from '../../reconcilers/steering/address.ts'
import { clientMap } from '../../reconcilers/steering/client/client-map.ts'
import { decide, newScratch } from '../../reconcilers/steering/decide.ts'
import { holdsAll } from '../../reconcilers/steering/eligible.ts'
import { LINE_WORDS } from '../../reconcilers/steering/line-arena.ts'
import { type ClientMap, locateClient } from '../../reconcilers/steering/locate.ts'
import { PURPOSES, type Purpose, type SteerRequest } from '../../reconcilers/steering/types.ts'
import { noteSent, reportLoad, tick } from '../../reconcilers/steering/update.ts'
import type { World } from '../../reconcilers/steering/world.ts'
import type { Report } from '../benchmark.ts'
import { type Fleet, makeFleet, random, START_MS, zipf } from './fleet.ts'

/** What the decision has to cope with. */
const SIZE = { sites: 6_000, appliances: 20_000, files: 1_000_000, prefixes: 900_000, held: 20_000 }

const REQUESTS = 500_000

interface Drawn {
  readonly addresses: Uint32Array
  readonly files: Uint32Array
  readonly purposes: Uint8Array
}

/** Who asks for what. */
interface Demand {
  /** Of Zipf's law, for files. */
  readonly exponent: number
  /** Of Zipf's law, for prefixes that clients are in; 0: all prefixes ask as often. */
  readonly clients: number
}

/** Clients of all prefixes alike: hardly any line of memory is asked for twice. */
const WORST: Demand = { exponent: 0.9, clients: 0 }

/** Files and the networks of clients as popular as files in the simulated day. */
const ZIPF: Demand = { exponent: 1, clients: 1 }

/** Requests, drawn before the clock runs. */
function draw({ clients, byRank }: Fleet, demand: Demand): Drawn {
  const next = random(11)
  const rank = zipf(byRank.length, demand.exponent, next)
  const client = demand.clients === 0 ? () => next() % clients.length : zipf(clients.length, demand.clients, next)
  const drawn: Drawn = {
    addresses: new Uint32Array(REQUESTS),
    files: new Uint32Array(REQUESTS),
    purposes: new Uint8Array(REQUESTS),
  }
  for (let i = 0; i < REQUESTS; i++) {
    drawn.addresses[i] = clients[client()]!
    drawn.files[i] = byRank[rank()]!
    drawn.purposes[i] = next() % 10 === 0 ? 2 : next() % 10 === 0 ? 0 : 1
  }
  return drawn
}

/** What one decision costs in a large fleet, with finding where the client is. */
export async function measureDecision(report: Report): Promise<void> {
  const fleet = makeFleet(SIZE)
  const { world, routes, buildSeconds } = fleet
  const next = random(3)
  for (const key of world.applianceKeys) {
    reportLoad(world, key, { inFlight: next() % 100, utilisation: 0.2 + (next() % 6000) / 10_000 }, START_MS)
  }
  tick(world, START_MS + 1000)
  const map = clientMap({ bgp: routes })
  const [worst, popular] = [runner(fleet, map, draw(fleet, WORST)), runner(fleet, map, draw(fleet, ZIPF))]
  worst(200_000)
  popular(200_000)
  const before = process.memoryUsage()
  let least = { worst: Number.POSITIVE_INFINITY, popular: Number.POSITIVE_INFINITY }
  let [counts, popularCounts] = [worst(0), popular(0)]
  for (let round = 0; round < 5; round++) {
    const cost = { worst: 0, popular: 0 }
    cost.worst = cpuOf(() => {
      counts = worst(REQUESTS)
    })
    cost.popular = cpuOf(() => {
      popularCounts = popular(REQUESTS)
    })
    least = { worst: Math.min(least.worst, cost.worst), popular: Math.min(least.popular, cost.popular) }
  }
  const grown = process.memoryUsage().heapUsed - before.heapUsed
  const share = (part: number) => `${((100 * part) / REQUESTS).toFixed(1)} %`
  report.note(
    `built in ${buildSeconds.world.toFixed(1)} s (sites, appliances, policies) + ${buildSeconds.inventories.toFixed(1)} s (inventories: ${(fleet.heldFiles / 1e6).toFixed(0)} million copies of files) + ${buildSeconds.routes.toFixed(1)} s (routes)`,
  )
  report.note(
    `${REQUESTS} requests of all prefixes alike, for files by Zipf's law (exponent ${WORST.exponent}): own site first ${share(counts.atSite)}, appliances named per answer ${(counts.named / REQUESTS).toFixed(2)}; as many with prefixes and files by Zipf's law (exponent ${ZIPF.exponent}): ${share(popularCounts.atSite)}, ${(popularCounts.named / REQUESTS).toFixed(2)}; heap grown by ${(grown / 1e6).toFixed(1)} MB in 5 rounds of both`,
  )
  report.figure({
    name: 'decision, with finding the client',
    value: least.worst,
    unit: 'µs of CPU',
    target: { atMost: 1 },
  })
  report.figure({
    name: 'the same, prefixes of clients as popular as files',
    value: least.popular,
    unit: 'µs of CPU',
    target: { atMost: 1 },
  })
  report.figure({
    name: 'answers that name an appliance without the file',
    value: counts.wrong + popularCounts.wrong,
    unit: '',
    target: { atMost: 0 },
  })
  const wait = cpuOf(() => readInTurn(world, REQUESTS))
  report.note(
    `one read at random of what appliances hold, which waits for the one before: ${(wait * 1000).toFixed(0)} ns here; a decision comes to ${(least.worst / wait).toFixed(1)} of them, and to ${(least.popular / wait).toFixed(1)} with popular prefixes`,
  )
  const rss = process.resourceUsage().maxRSS / 1024
  report.figure({ name: 'peak resident memory, building included', value: rss, unit: 'MiB', target: { atMost: 1024 } })
}

/** µs of CPU per request of a run of `REQUESTS`. */
function cpuOf(run: () => void): number {
  const cpu = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(cpu)
  return (user + system) / REQUESTS
}

/** Reads lines of inventories at random, each where the one before says: what waiting for memory costs. Returns what keeps it from being left out. */
function readInTurn({ lines }: World, count: number): number {
  const { words } = lines
  const all = Math.floor(words.length / LINE_WORDS)
  let at = 0
  for (let i = 0; i < count; i++) at = mix(words[at * LINE_WORDS]! ^ i) % all
  return at
}

/** Runs so many of the drawn requests; the last time round answers are checked after the clock has stopped. */
function runner({ world, catalog }: Fleet, map: ClientMap, drawn: Drawn) {
  const address = newAddress()
  const scratch = newScratch()
  const files = new Uint32Array(1)
  const request = {
    client: { site: -1, region: -1, networkClass: 0, source: 'none' as const },
    catalog,
    files,
    purpose: 'vod' as Purpose,
    excluded: [] as number[],
    affinityKey: 0,
    canaryKey: 0,
    seed: 0,
    maxUrls: 0,
    explain: false,
  } satisfies SteerRequest
  return (count: number) => {
    const counts = { named: 0, atSite: 0, wrong: 0, misses: 0 }
    for (let i = 0; i < count; i++) {
      address.words[0] = drawn.addresses[i]!
      locateClient(world, map, address, request.client)
      files[0] = drawn.files[i]!
      request.purpose = PURPOSES[drawn.purposes[i]!]!
      request.affinityKey = mix(files[0] >>> 3)
      request.canaryKey = mix(address.words[0])
      request.seed = mix(i)
      const answer = decide(world, request, scratch)
      if (answer.miss === 'none') counts.atSite++
      for (let n = 0; n < answer.count; n++) {
        const appliance = answer.appliances[n]!
        if (appliance < 0) continue
        counts.named++
      }
      const first = answer.appliances[0]!
      if (answer.count > 0 && first >= 0) {
        noteSent(world, first, 0.000001)
        if ((i & 63) === 0 && !holdsAll(world, request, first)) counts.wrong++
      }
    }
    return counts
  }
}
