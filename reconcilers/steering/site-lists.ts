import type { Site } from '../../crds/types.gen.ts'
import { REGION_LABEL } from '../placement/select.ts'
import { firstShelf } from './places.ts'
import { reserveShelves } from './shelves.ts'
import { clearedSiteLines, SITES_PER_TIER } from './site-lines.ts'
import { unitVector } from './tier-sites.ts'
import type { Lists, World } from './world.ts'

/** The region of a site: its label, or its country. */
export const regionOf = (site: Site) => site.metadata.labels?.[REGION_LABEL] ?? site.spec.country

/** Makes the list of which appliance is where. */
export function indexAppliances(world: World): void {
  world.siteAppliances = listsBy(world.sites.length, world.appliances.length, (a) =>
    world.appliances[a] ? world.applianceSite[a]! : -1,
  )
}

/** Makes the lists of which site is where, and which are next to which. */
export function indexSites(world: World): void {
  const { sites } = world
  const regions = [...new Set(sites.flatMap((site) => (site ? [regionOf(site)] : [])))].sort()
  world.regions = regions
  world.regionOrdinals = new Map(regions.map((region, i) => [region, i]))
  world.siteRegion = Int32Array.from(sites, (site) => (site ? world.regionOrdinals.get(regionOf(site))! : -1))
  world.siteLines = clearedSiteLines(world.siteLines, sites.length)
  world.siteLoadAtTick = new Float64Array(sites.length)
  world.siteVectors = Float64Array.from(
    sites.flatMap((site) => {
      const at = site?.spec.coordinates
      return at ? unitVector(at.latitude, at.longitude) : [Number.NaN, Number.NaN, Number.NaN]
    }),
  )
  reserveShelves(world, firstShelf(sites.length))
  world.regionSites = listsBy(regions.length, sites.length, (s) => (serves(sites[s]) ? world.siteRegion[s]! : -1))
  const parents = sites.map((site) => (site ? ancestors(world, site) : []))
  world.parents = toLists(parents)
  const beside = siblings(world, parents)
  world.siblings = toLists(beside)
}

const serves = (site: Site | undefined) => site !== undefined && site.spec.tier !== 'origin'

function ancestors(world: World, site: Site): number[] {
  const self = world.siteOrdinals.get(`${site.metadata.namespace ?? ''}/${site.metadata.name}`)!
  const found: number[] = []
  let generation: readonly Site[] = [site]
  while (generation.length > 0 && found.length < SITES_PER_TIER) {
    const next: Site[] = []
    for (const child of generation) {
      for (const { name, namespace = child.metadata.namespace ?? '' } of child.spec.parents) {
        const ordinal = world.siteOrdinals.get(`${namespace}/${name}`)
        const parent = ordinal === undefined ? undefined : world.sites[ordinal]
        if (ordinal === undefined || !parent || ordinal === self || found.includes(ordinal)) continue
        found.push(ordinal)
        next.push(parent)
      }
    }
    generation = next
  }
  return found.filter((ordinal) => serves(world.sites[ordinal])).slice(0, SITES_PER_TIER)
}

/**
 * Sites of the same namespace in the same metro, or with the same first parent: nearest first where it is known where they stand. Of thousands of sites this
 * is most of what a change of sites costs, while nobody is answered: so no angles are calculated, and only the nearest are kept in order.
 */
function siblings(world: World, parents: readonly (readonly number[])[]): number[][] {
  const { sites, siteVectors } = world
  const groups = siblingGroups(world)
  /** By site: 1 + the site that looked at it last. */
  const seen = new Uint32Array(sites.length)
  const nearest: number[] = []
  const far = new Float64Array(SITES_PER_TIER)
  return sites.map((_, s) => {
    seen[s] = s + 1
    for (const parent of parents[s]!) seen[parent] = s + 1
    nearest.length = 0
    for (const group of groups[s]!) {
      for (const other of group) {
        if (seen[other] === s + 1) continue
        seen[other] = s + 1
        putNearest(nearest, far, other, squaredChord(siteVectors, s, other))
      }
    }
    return nearest.slice()
  })
}

/** By site: the groups of sites that it is a sibling in. */
function siblingGroups({ sites }: World): number[][][] {
  const groups = new Map<string, number[]>()
  const groupOf = (key: string, s: number) => {
    const group = groups.get(key) ?? []
    groups.set(key, group)
    group.push(s)
    return group
  }
  return sites.map((site, s) => {
    if (!site || !serves(site)) return []
    const { metadata, spec } = site
    const { namespace = '' } = metadata
    const parent = spec.parents[0]
    const metro = groupOf(`metro ${namespace} ${spec.country} ${spec.metro}`, s)
    if (!parent) return [metro]
    return [metro, groupOf(`parent ${namespace} ${parent.namespace ?? namespace}/${parent.name}`, s)]
  })
}

/** Keeps the `SITES_PER_TIER` nearest, the nearest first; of equals, the lower ordinal first. */
function putNearest(nearest: number[], far: Float64Array, site: number, distance: number): void {
  const isNearer = (i: number) => distance < far[i]! || (distance === far[i] && site < nearest[i]!)
  let at = nearest.length
  if (at === SITES_PER_TIER && !isNearer(--at)) return
  for (; at > 0 && isNearer(at - 1); at--) {
    nearest[at] = nearest[at - 1]!
    far[at] = far[at - 1]!
  }
  nearest[at] = site
  far[at] = distance
}

/** Grows with the distance between two sites; infinite when it is not known where one stands. */
function squaredChord(vectors: Float64Array, a: number, b: number): number {
  let sum = 0
  for (let i = 0; i < 3; i++) sum += (vectors[3 * a + i]! - vectors[3 * b + i]!) ** 2
  return Number.isNaN(sum) ? Number.POSITIVE_INFINITY : sum
}

/** Lists of items by owner; an owner of -1 owns nothing. */
function listsBy(owners: number, items: number, ownerOf: (item: number) => number): Lists {
  const start = new Uint32Array(owners + 1)
  for (let i = 0; i < items; i++) {
    const owner = ownerOf(i)
    if (owner >= 0) start[owner + 1]!++
  }
  for (let o = 0; o < owners; o++) start[o + 1]! += start[o]!
  const next = start.slice()
  const sorted = new Uint32Array(start[owners]!)
  for (let i = 0; i < items; i++) {
    const owner = ownerOf(i)
    if (owner >= 0) sorted[next[owner]!++] = i
  }
  return { start, items: sorted }
}

function toLists(lists: readonly (readonly number[])[]): Lists {
  const start = new Uint32Array(lists.length + 1)
  lists.forEach((list, i) => {
    start[i + 1] = start[i]! + list.length
  })
  return { start, items: Uint32Array.from(lists.flat()) }
}
