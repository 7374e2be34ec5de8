import type { World } from './world.ts'

/** A report older than this says nothing any more: the mean of the site's fresh reports takes its place. */
export const STALE_LOAD_MS = 15_000

/** Slow start never gives an appliance less than this share of its weight. */
const LEAST_SHARE = 0.05

/** Brings `load` and `weight` up to date with the clock. */
export function deriveLoad(world: World): void {
  const { nowMs, siteAppliances } = world
  const slowStartMs = slowestStart(world)
  for (let site = 0; site < world.sites.length; site++) {
    const from = siteAppliances.start[site]!
    const to = siteAppliances.start[site + 1]!
    const mean = freshMean(world, from, to)
    for (let i = from; i < to; i++) {
      const a = siteAppliances.items[i]!
      const fresh = isFresh(world, a)
      world.load[a] = (fresh ? world.reported[a]! : mean) + world.sent[a]!
      const upMs = nowMs - world.upSinceMs[a]!
      const share = slowStartMs > 0 ? Math.min(1, Math.max(LEAST_SHARE, upMs / slowStartMs)) : 1
      world.weight[a] = world.throughputGbps[a]! * share
    }
  }
}

/** Slow start is of the appliance, not of who asks: the longest that any policy wants. */
function slowestStart(world: World): number {
  let most = 0
  for (const { slowStartMs } of world.policies) most = Math.max(most, slowStartMs)
  return most
}

const isFresh = (world: World, a: number) =>
  world.nowMs - world.reportedAtMs[a]! <= STALE_LOAD_MS && !Number.isNaN(world.reported[a]!)

/** Mean utilisation of the appliances with a fresh report, by throughput; 0 when there is none. */
function freshMean(world: World, from: number, to: number): number {
  let busy = 0
  let all = 0
  for (let i = from; i < to; i++) {
    const a = world.siteAppliances.items[i]!
    if (!isFresh(world, a)) continue
    busy += world.reported[a]! * world.throughputGbps[a]!
    all += world.throughputGbps[a]!
  }
  return all === 0 ? 0 : busy / all
}
