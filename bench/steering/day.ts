import { mix } from '../../reconcilers/placement/hash.ts'
import { decide, newScratch } from '../../reconcilers/steering/decide.ts'
import { holdsAll } from '../../reconcilers/steering/eligible.ts'
import type { SteerRequest } from '../../reconcilers/steering/types.ts'
import { noteSent, reportLoad, setUp, tick } from '../../reconcilers/steering/update.ts'
import type { World } from '../../reconcilers/steering/world.ts'
import type { Report } from '../benchmark.ts'
import { makeFleet, random, START_MS, zipf } from './fleet.ts'

/** A few sites of some appliances each, of three classes; a tenth of the titles are everywhere, the rest on an eighth of the appliances or nowhere. */
const SIZE = { sites: 12, appliances: 96, files: 20_000, prefixes: 100, held: 6_000 }

const STREAM_GBPS = 0.006
const STREAM_SECONDS = 1800
const STEP_SECONDS = 10
const WINDOW_SECONDS = 300
const DAY_SECONDS = 86_400
/** Utilisation of a site at the busiest time of its day. */
const BUSIEST = 0.6

/** Share of the busiest demand at a time of day: quiet at five, busiest at nine in the evening. */
const demandAt = (second: number) => 0.55 + 0.45 * Math.cos(((second / 3600 - 21) / 24) * 2 * Math.PI)

/** Streams under way, by when they end, and what each appliance sends. */
class Streams {
  readonly #ends: number[][] = Array.from({ length: (2 * STREAM_SECONDS) / STEP_SECONDS + 1 }, () => [])
  readonly gbps: Float64Array
  readonly count: Uint32Array
  #step = 0

  constructor(appliances: number) {
    this.gbps = new Float64Array(appliances)
    this.count = new Uint32Array(appliances)
  }

  begin(appliance: number, steps: number): void {
    this.gbps[appliance]! += STREAM_GBPS
    this.count[appliance]!++
    this.#ends[(this.#step + Math.max(1, steps)) % this.#ends.length]!.push(appliance)
  }

  next(): void {
    this.#step++
    const ended = this.#ends[this.#step % this.#ends.length]!
    for (const appliance of ended) {
      this.gbps[appliance]! -= STREAM_GBPS
      this.count[appliance]!--
    }
    ended.length = 0
  }
}

function newRequest(catalog: number) {
  return {
    client: { site: 0, region: 0, networkClass: 0, source: 'given' as const },
    catalog,
    files: new Uint32Array(1),
    purpose: 'vod' as const,
    excluded: [] as number[],
    affinityKey: 0,
    canaryKey: 0,
    seed: 0,
    maxUrls: 0,
    explain: false,
  } satisfies SteerRequest
}

const membersOf = ({ siteAppliances: { start, items } }: World, site: number) => [
  ...items.subarray(start[site], start[site + 1]),
]

/** A day of plays at a few sites: how evenly the appliances of each are used when it matters. Appliances report every 10 seconds, as they are then. */
export function measureDay(report: Report): void {
  const { world, byRank, catalog } = makeFleet(SIZE)
  const next = random(21)
  const rank = zipf(SIZE.files, 1, next)
  const streams = new Streams(SIZE.appliances)
  const scratch = newScratch()
  const request = newRequest(catalog)
  const sites = Array.from({ length: SIZE.sites }, (_, site) => ({
    members: membersOf(world, site),
    peaks: new Map<number, number>(),
    sums: new Map<number, number>(),
    busiest: 0,
    owed: 0,
  })).map((site) => ({ ...site, gbps: site.members.reduce((sum, a) => sum + world.throughputGbps[a]!, 0) }))
  let plays = 0
  let elsewhere = 0
  for (let second = 0; second < DAY_SECONDS; second += STEP_SECONDS) {
    const nowMs = START_MS + second * 1000
    world.applianceKeys.forEach((key, a) => {
      reportLoad(
        world,
        key,
        { inFlight: streams.count[a]!, utilisation: streams.gbps[a]! / world.throughputGbps[a]! },
        nowMs,
      )
    })
    tick(world, nowMs)
    sites.forEach((site, s) => {
      site.owed += (site.gbps * BUSIEST * demandAt(second) * STEP_SECONDS) / (STREAM_GBPS * STREAM_SECONDS)
      for (; site.owed >= 1; site.owed--) {
        request.client.site = s
        request.files[0] = byRank[rank()]!
        request.affinityKey = mix(request.files[0])
        request.seed = next()
        const answer = decide(world, request, scratch)
        const chosen = answer.count > 0 ? answer.appliances[0]! : -1
        plays++
        if (chosen < 0 || world.applianceSite[chosen] !== s) elsewhere++
        if (chosen < 0) continue
        noteSent(world, chosen, STREAM_GBPS)
        streams.begin(chosen, Math.round((STREAM_SECONDS / STEP_SECONDS) * (0.2 + (1.6 * next()) / 2 ** 32)))
      }
    })
    streams.next()
    for (const site of sites) {
      for (const a of site.members) {
        site.sums.set(a, (site.sums.get(a) ?? 0) + streams.gbps[a]! / world.throughputGbps[a]!)
      }
      if ((second / STEP_SECONDS) % (WINDOW_SECONDS / STEP_SECONDS) !== WINDOW_SECONDS / STEP_SECONDS - 1) continue
      const steps = WINDOW_SECONDS / STEP_SECONDS
      let busy = 0
      for (const a of site.members) {
        const mean = site.sums.get(a)! / steps
        site.peaks.set(a, Math.max(site.peaks.get(a) ?? 0, mean))
        busy += mean * world.throughputGbps[a]!
      }
      site.busiest = Math.max(site.busiest, busy / site.gbps)
      site.sums.clear()
    }
  }
  const worst = Math.max(
    ...sites
      .filter(({ members }) => members.length > 1)
      .map(({ peaks, busiest }) => Math.max(...peaks.values()) / busiest),
  )
  report.note(
    `${plays} plays in a day at ${SIZE.sites} sites with ${Math.min(...sites.map((s) => s.members.length))} to ${Math.max(...sites.map((s) => s.members.length))} appliances, demand by Zipf's law (exponent 1); ${((100 * elsewhere) / plays).toFixed(1)} % served elsewhere, as the site does not hold the file`,
  )
  report.figure({
    name: 'peak of an appliance ÷ peak of its site, 5-minute means, the worst site',
    value: worst,
    unit: '×',
    target: { atMost: 1.05 },
  })
}

/** Seconds until a failed appliance leaves the answers: what probes and reports have to keep to. */
const NOTICED_SECONDS = 2
/** Seconds until it leaves the answers of a DNS round robin: its records' TTL, when somebody has taken it out at once. */
const ROUND_ROBIN_SECONDS = 60

/** A box fails at the busiest time: plays whose first URL is of it, with steering and with a round robin over the boxes that hold the file. */
export function measureFailure(report: Report): void {
  const { world, byRank, catalog } = makeFleet(SIZE)
  const next = random(33)
  const rank = zipf(SIZE.files, 1, next)
  const scratch = newScratch()
  const request = newRequest(catalog)
  tick(world, START_MS)
  const site = 1
  const members = membersOf(world, site)
  const failed = members[1]!
  let turn = 0
  const counts = { plays: 0, steering: 0, second: 0, roundRobin: 0 }
  const perSecond = 400
  for (let second = 0; second < ROUND_ROBIN_SECONDS; second++) {
    if (second === NOTICED_SECONDS) setUp(world, world.applianceKeys[failed]!, false, START_MS + second * 1000)
    tick(world, START_MS + second * 1000)
    for (let i = 0; i < perSecond; i++) {
      request.client.site = site
      request.files[0] = byRank[rank()]!
      request.affinityKey = mix(request.files[0])
      request.seed = next()
      const answer = decide(world, request, scratch)
      const chosen = answer.count > 0 ? answer.appliances[0]! : -1
      counts.plays++
      if (chosen >= 0) noteSent(world, chosen, STREAM_GBPS)
      if (chosen === failed) {
        counts.steering++
        if (answer.count < 2) counts.second++
      }
      const holders = members.filter((a) => holdsAll(world, request, a))
      if (holders.length > 0 && holders[turn++ % holders.length] === failed) counts.roundRobin++
    }
  }
  report.note(
    `an appliance of ${members.length} fails; steering has noticed after ${NOTICED_SECONDS} s, a round robin over the boxes with the file after ${ROUND_ROBIN_SECONDS} s: of ${counts.plays} plays ${counts.steering} and ${counts.roundRobin} begin at the dead box; with steering ${counts.second} of them have no second URL to go on with`,
  )
  report.figure({
    name: 'plays that begin at a dead appliance, beside round robin',
    value: counts.steering / counts.roundRobin,
    unit: '×',
    target: { atMost: 0.1 },
  })
}
