import type { Site } from '../../crds/types.gen.ts'
import { REGION_LABEL } from '../placement/select.ts'
import { firstShelf } from './places.ts'
import { reserveShelves } from './shelves.ts'
import { clearedSiteLines, SITES_PER_TIER } from './site-lines.ts'
import { unitVector } from './tier-sites.ts'
import type { Lists, World } from './world.ts'

/** The region of a site: its label, or its country. */
export const regionOf = (site: Site) => site.metadata.labels?.[REGION_LABEL] ?? site.spec.country

/** Makes the lists of who is where, and who is next to whom. */
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
  world.siteAppliances = listsBy(sites.length, world.appliances.length, (a) =>
    world.appliances[a] ? world.applianceSite[a]! : -1,
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

/** Sites of the same namespace in the same metro, or with the same first parent: nearest first where it is known where they stand. */
function siblings(world: World, parents: readonly (readonly number[])[]): number[][] {
  const groups = new Map<string, number[]>()
  const keysOf = (s: number): string[] => {
    const site = world.sites[s]
    if (!site || !serves(site)) return []
    const namespace = site.metadata.namespace ?? ''
    const parent = site.spec.parents[0]
    return [
      `metro ${namespace} ${site.spec.country} ${site.spec.metro}`,
      ...(parent ? [`parent ${namespace} ${parent.namespace ?? namespace}/${parent.name}`] : []),
    ]
  }
  world.sites.forEach((_, s) => {
    for (const key of keysOf(s)) groups.set(key, [...(groups.get(key) ?? []), s])
  })
  return world.sites.map((site, s) => {
    if (!site) return []
    const others = [...new Set(keysOf(s).flatMap((key) => groups.get(key)!))].filter(
      (other) => other !== s && !parents[s]!.includes(other),
    )
    return others
      .map((other) => ({ other, km: distanceKm(site, world.sites[other]!) }))
      .sort((a, b) => a.km - b.km || a.other - b.other)
      .slice(0, SITES_PER_TIER)
      .map(({ other }) => other)
  })
}

/** Great-circle distance between two sites; infinite when it is not known where one stands. */
export function distanceKm(a: Site, b: Site): number {
  const [from, to] = [a.spec.coordinates, b.spec.coordinates]
  return from && to ? greatCircleKm(from.latitude, from.longitude, to.latitude, to.longitude) : Number.POSITIVE_INFINITY
}

/** Great-circle distance in km between two points in degrees, on a sphere of 6,371 km (the haversine formula). */
export function greatCircleKm(latitude1: number, longitude1: number, latitude2: number, longitude2: number): number {
  const rad = Math.PI / 180
  const sinLat = Math.sin(((latitude2 - latitude1) * rad) / 2)
  const sinLon = Math.sin(((longitude2 - longitude1) * rad) / 2)
  const h = sinLat * sinLat + Math.cos(latitude1 * rad) * Math.cos(latitude2 * rad) * sinLon * sinLon
  return 12_742 * Math.asin(Math.min(1, Math.sqrt(h)))
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
