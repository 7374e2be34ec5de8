import { mix } from '../../reconcilers/placement/hash.ts'
import { newAddress } from '../../reconcilers/steering/address.ts'
import { clientMap } from '../../reconcilers/steering/client/client-map.ts'
import { decide, newScratch } from '../../reconcilers/steering/decide.ts'
import { holdsAll } from '../../reconcilers/steering/eligible.ts'
import { type ClientMap, locateClient } from '../../reconcilers/steering/locate.ts'
import { PURPOSES, type Purpose, type SteerRequest } from '../../reconcilers/steering/types.ts'
import { noteSent, reportLoad, tick } from '../../reconcilers/steering/update.ts'
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

/** Requests of clients anywhere, for files by Zipf's law. Drawn before the clock runs. */
function draw({ clients, byRank }: Fleet): Drawn {
  const next = random(11)
  const rank = zipf(byRank.length, 0.9, next)
  const drawn: Drawn = {
    addresses: new Uint32Array(REQUESTS),
    files: new Uint32Array(REQUESTS),
    purposes: new Uint8Array(REQUESTS),
  }
  for (let i = 0; i < REQUESTS; i++) {
    drawn.addresses[i] = clients[next() % clients.length]!
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
  const drawn = draw(fleet)
  const map = clientMap({ bgp: routes })
  const run = runner(fleet, map, drawn)
  run(200_000)
  const before = process.memoryUsage()
  let best = Number.POSITIVE_INFINITY
  let counts = { named: 0, atSite: 0, wrong: 0, misses: 0 }
  for (let round = 0; round < 5; round++) {
    const cpu = process.cpuUsage()
    counts = run(REQUESTS)
    const { user, system } = process.cpuUsage(cpu)
    best = Math.min(best, (user + system) / REQUESTS)
  }
  const grown = process.memoryUsage().heapUsed - before.heapUsed
  const share = (part: number) => `${((100 * part) / REQUESTS).toFixed(1)} %`
  report.note(
    `built in ${buildSeconds.world.toFixed(1)} s (sites, appliances, policies) + ${buildSeconds.inventories.toFixed(1)} s (inventories: ${(fleet.heldFiles / 1e6).toFixed(0)} million copies of files) + ${buildSeconds.routes.toFixed(1)} s (routes)`,
  )
  report.note(
    `${REQUESTS} requests: own site first ${share(counts.atSite)}, appliances named per answer ${(counts.named / REQUESTS).toFixed(2)}; heap grown by ${(grown / 1e6).toFixed(1)} MB in 5 rounds`,
  )
  report.figure({ name: 'decision, with finding the client', value: best, unit: 'µs of CPU', target: { atMost: 1 } })
  report.figure({
    name: 'answers that name an appliance without the file',
    value: counts.wrong,
    unit: '',
    target: { atMost: 0 },
  })
  const rss = process.resourceUsage().maxRSS / 1024
  report.figure({ name: 'peak resident memory, building included', value: rss, unit: 'MiB', target: { atMost: 1024 } })
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
