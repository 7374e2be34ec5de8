import { putLoadAt, putWeightAt, stateAt } from './places.ts'
import { BUILT_IN_POLICY } from './policy.ts'
import { putSiteLoad } from './site-lines.ts'
import type { World } from './world.ts'

/** A report older than this says nothing any more: the mean of the site's fresh reports takes its place. */
export const STALE_LOAD_MS = 15_000

/** Highest utilisation that is believed: a box can be overcommitted, but not without limit. */
export const MAX_UTILISATION = 2

/**
 * How long a play counts where no report takes it in: as long as an answer holds, unless a policy says otherwise. A player that goes on after that asks
 * again, and counts again.
 */
export const SENT_MS = BUILT_IN_POLICY.spec.ttlSeconds * 1000

/** Requests in flight per Gbit/s at which an appliance counts as full: streams of 5 Mbit/s. A box that is slow piles them up before its line is full. */
const IN_FLIGHT_PER_GBPS = 200

/** Slow start never gives an appliance less than this share of its weight. */
export const LEAST_SHARE = 0.05

/** What a report says of how busy an appliance is: by its line, or by the requests that wait. */
export function reportedLoad(world: World, appliance: number): number {
  const waiting = world.inFlight[appliance]! / (IN_FLIGHT_PER_GBPS * world.throughputGbps[appliance]!)
  return Math.max(world.reported[appliance]!, waiting)
}

/** What has been sent there since the last report, as a share of what it can send. */
export const sentLoad = ({ sentGbps, throughputGbps }: World, appliance: number) =>
  sentGbps[appliance]! / throughputGbps[appliance]!

/**
 * Has what was sent fade: exp(-t / `SENT_MS`), so that a play counts its bandwidth times `SENT_MS` in all, and plays that begin at a steady rate come to
 * as many as go on at once (Little's law: their rate times how long each lasts). Two steps do what one of both together does. Where the clock is put back, nothing fades.
 */
export function fadeSent({ sentGbps, throughputGbps }: World, passedMs: number): void {
  if (!(passedMs > 0)) return
  const left = Math.exp(-passedMs / SENT_MS)
  for (let a = 0; a < sentGbps.length; a++) {
    sentGbps[a] = Math.min(sentGbps[a]! * left, MAX_UTILISATION * throughputGbps[a]!)
  }
}

/**
 * Brings `load`, `weight` and what is known of whole sites up to date with the clock. An appliance that starts slowly has a part of its throughput only,
 * and is so much busier by what it does: neither its weight nor an idle line draws everybody there.
 */
export function deriveLoad(world: World): void {
  const { nowMs, places, appliancePlace } = world
  const { start, items } = world.siteAppliances
  const slowStartMs = slowestStart(world)
  for (let site = 0; site < world.sites.length; site++) {
    const from = start[site]!
    const to = start[site + 1]!
    const mean = freshMean(world, from, to)
    let busy = 0
    let all = 0
    for (let i = from; i < to; i++) {
      const a = items[i]!
      const upMs = nowMs - world.upSinceMs[a]!
      // Where the clock was put back, it came up in the future: who knows when, but not just now.
      const share = upMs >= slowStartMs || upMs < 0 ? 1 : Math.max(LEAST_SHARE, upMs / slowStartMs)
      const load = ((isFresh(world, a) ? reportedLoad(world, a) : mean) + sentLoad(world, a)) / share
      const weight = world.throughputGbps[a]! * share
      const place = appliancePlace[a]!
      putLoadAt(places, place, load)
      putWeightAt(places, place, weight)
      if (stateAt(places, place) !== 0) continue
      busy += load * weight
      all += weight
    }
    const siteLoad = all === 0 ? 0 : busy / all
    putSiteLoad(world.siteLines, site, siteLoad, all)
    world.siteLoadAtTick[site] = siteLoad
  }
}

/** Slow start is of the appliance, not of who asks: the longest that any policy wants. */
export function slowestStart(world: World): number {
  let most = 0
  for (const { slowStartMs } of world.policies) most = Math.max(most, slowStartMs)
  return most
}

const isFresh = (world: World, a: number) =>
  Math.abs(world.nowMs - world.reportedAtMs[a]!) <= STALE_LOAD_MS && !Number.isNaN(world.reported[a]!)

/** Mean load of the appliances with a fresh report, by throughput; 0 when there is none. */
function freshMean(world: World, from: number, to: number): number {
  let busy = 0
  let all = 0
  for (let i = from; i < to; i++) {
    const a = world.siteAppliances.items[i]!
    if (stateAt(world.places, world.appliancePlace[a]!) !== 0 || !isFresh(world, a)) continue
    busy += reportedLoad(world, a) * world.throughputGbps[a]!
    all += world.throughputGbps[a]!
  }
  return all === 0 ? 0 : busy / all
}
