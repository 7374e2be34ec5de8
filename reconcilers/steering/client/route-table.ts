import { type Address, newPrefix, type Prefix } from '../address.ts'
import { newMemo, type Place } from '../locate.ts'
import type { ClientLocation, LocationSource } from '../types.ts'
import type { World } from '../world.ts'
import { PrefixMap } from './prefix-map.ts'
import { PrefixTable } from './prefix-table.ts'
import { Rows } from './rows.ts'

const END = -1

// Words of a route.
const FEED = 0
/** The round of its feed that it was in. */
const ROUND = 1
const PATH_LENGTH = 2
const MED = 3
/** The route + 1 that comes next, of the prefix or among those that are not used; 0: none. */
const NEXT = 4
const ROUTE_WORDS = 5

/** From here on a number in the map is of a route that others are as good as; below, it is of the feed whose route is the best. */
const TIED = 0x40000000

/** What one appliance, or one site, says that it can reach. */
export interface Route {
  readonly prefix: Readonly<Prefix>
  /** Autonomous systems on the way. */
  readonly pathLength: number
  /** Multi-exit discriminator: lower is preferred. 0 when there is none. */
  readonly med: number
}

/** Where a client is, if that is known: degrees. */
export interface Coordinates {
  readonly latitude: number
  readonly longitude: number
}

/** One for each name, for good: rounds that go on side by side all see which is the last. */
interface Feed {
  readonly id: number
  place: Place
  coordinates: Coordinates | undefined
  /** Routes of an earlier round are gone when the round has ended. */
  round: number
}

/** Routes taken in per slice of `replaceFeed`: well under a millisecond. */
const PER_SLICE = 512

/**
 * Which site serves an address, by the routes that sites or their appliances announce: the longest prefix that holds it; of several feeds that
 * announce it, the shortest AS path, then the lowest MED; of equals, the nearest to the client where that is known, and otherwise the feed that was first there.
 * Routes come and go one by one, or a feed at a time in slices, with look-ups in between.
 */
export class RouteTable {
  readonly #source: LocationSource
  /** Prefix → the feed of its best route, or, from `TIED` on, the best route: what look-ups go by. */
  readonly #map: PrefixMap
  /** Prefix → its best route; the others follow in `#next`, best first. */
  readonly #heads: readonly [PrefixTable, PrefixTable]
  readonly #feeds = new Map<string, Feed>()
  readonly #byId: Feed[] = []
  /** By feed: where its routes lead. */
  readonly #places: Place[] = []
  /** By feed: the ordinal of that site in `#world`; -1: not looked up yet, or not there. */
  #sites = new Int32Array(0)
  #world: World | undefined
  /** By route: the words below. */
  readonly #rows = new Rows(ROUTE_WORDS)
  #used = 0
  #free = END
  #routes = 0

  constructor(source: LocationSource, room = 1024) {
    this.#source = source
    this.#map = new PrefixMap(room)
    this.#heads = [new PrefixTable(false), new PrefixTable(true)]
  }

  /** Prefixes and routes there are. */
  get size(): { readonly prefixes: number; readonly routes: number } {
    return { prefixes: this.#map.size, routes: this.#routes }
  }

  /** Where the address is. `locate` is asked where the client is when feeds of several sites are equally good: undefined when not known. */
  find(address: Readonly<Address>, locate?: () => Coordinates | undefined): Place | undefined {
    const best = this.#map.find(address)
    if (best < 0) return undefined
    return this.#places[best < TIED ? best : this.#nearest(best - TIED, locate?.())]
  }

  /** As `ClientMap.locate`: where one feed's route is the best. */
  locate(world: World, address: Readonly<Address>, into: ClientLocation): boolean {
    const feed = this.#map.find(address)
    if (feed < 0 || feed >= TIED) return false
    if (this.#world !== world || this.#sites.length <= feed) this.#forgetSites(world)
    let site = this.#sites[feed]!
    if (site < 0) {
      site = world.siteOrdinals.get(this.#places[feed]!.site!) ?? -1
      this.#sites[feed] = site
    }
    const region = site < 0 ? -1 : (world.siteRegion[site] ?? -1)
    if (region < 0) return false
    into.site = site
    into.region = region
    into.latitude = undefined
    into.longitude = undefined
    into.source = this.#source
    return true
  }

  #forgetSites(world: World): void {
    this.#world = world
    this.#sites = new Int32Array(this.#places.length).fill(-1)
  }

  /** Takes in a route of a feed (the name of the site or appliance) that leads to a site (`namespace/name`); a new route for a prefix replaces the old. */
  announce(feed: string, site: string, route: Route, coordinates?: Coordinates): void {
    this.#announce(this.#feedOf(feed, site, coordinates), route)
  }

  /** Takes a route back; returns whether it was there. */
  withdraw(feed: string, prefix: Readonly<Prefix>): boolean {
    const known = this.#feeds.get(feed)
    return known !== undefined && this.#unlink(prefix, known.id) !== undefined
  }

  /**
   * Replaces all routes of a feed, slice by slice: whoever drives it may do something else between two slices, and look-ups are right all along,
   * as each route is replaced by its new version at once, and what has gone is taken out at the end. Of several rounds at once the last to begin wins.
   */
  *replaceFeed(feed: string, site: string, routes: Iterable<Route>, coordinates?: Coordinates): Generator<void, void> {
    const known = this.#feedOf(feed, site, coordinates)
    known.round++
    const { round } = known
    let taken = 0
    for (const route of routes) {
      if (known.round !== round) return
      this.#announce(known, route)
      if (++taken % PER_SLICE === 0) yield
    }
    yield* this.#sweep(known, round)
  }

  /** Takes all routes of a feed out, slice by slice; those that are announced meanwhile stay. */
  *removeFeed(feed: string): Generator<void, void> {
    const known = this.#feeds.get(feed)
    if (known) yield* this.#sweep(known, ++known.round)
  }

  *#sweep(feed: Feed, round: number): Generator<void, void> {
    let looked = 0
    const prefix = newPrefix()
    for (const _ of this.#prefixes(prefix)) {
      if (feed.round !== round) return
      for (let route = this.#head(prefix); route !== END; route = this.#next(route)) {
        if (this.#rows.get(route, FEED) !== feed.id || this.#rows.get(route, ROUND) === round) continue
        this.#unlink(prefix, feed.id)
        looked += 7
        break
      }
      if (++looked < 8 * PER_SLICE) continue
      looked = 0
      yield
    }
  }

  *#prefixes(into: Prefix): Generator<void> {
    for (const heads of this.#heads) yield* heads.prefixes(into)
  }

  #head(prefix: Readonly<Prefix>): number {
    return this.#heads[prefix.v6 ? 1 : 0]!.get(prefix, prefix.length)
  }

  /** Brings the map in line with the routes of a prefix, of which `head` is the best: END when there is none. */
  #setHead(prefix: Readonly<Prefix>, head: number): void {
    const heads = this.#heads[prefix.v6 ? 1 : 0]!
    if (head === END) {
      heads.delete(prefix)
      this.#map.delete(prefix)
      return
    }
    heads.set(prefix, head)
    const next = this.#next(head)
    const tied = next !== END && this.#compare(head, next) === 0
    const value = tied ? TIED + head : this.#rows.get(head, FEED)
    if (this.#map.get(prefix) !== value) this.#map.set(prefix, value)
  }

  #feedOf(name: string, site: string, coordinates: Coordinates | undefined): Feed {
    const known = this.#feeds.get(name)
    const same =
      known?.place.site === site &&
      known.coordinates?.latitude === coordinates?.latitude &&
      known.coordinates?.longitude === coordinates?.longitude
    if (known && same) return known
    const place: Place = { site, region: undefined, source: this.#source, memo: newMemo() }
    const feed: Feed = known ?? { id: this.#byId.length, place, coordinates, round: 0 }
    feed.place = place
    feed.coordinates = coordinates
    this.#feeds.set(name, feed)
    this.#byId[feed.id] = feed
    this.#places[feed.id] = place
    if (feed.id < this.#sites.length) this.#sites[feed.id] = -1
    return feed
  }

  #announce(feed: Feed, { prefix, pathLength, med }: Route): void {
    const route = this.#unlink(prefix, feed.id, true) ?? this.#newRoute()
    this.#routes++
    this.#rows.set(route, FEED, feed.id)
    this.#rows.set(route, ROUND, feed.round)
    this.#rows.set(route, PATH_LENGTH, Math.min(pathLength, 0xffffffff))
    this.#rows.set(route, MED, Math.min(med, 0xffffffff))
    const head = this.#head(prefix)
    if (head === END || this.#compare(route, head) < 0) {
      this.#link(route, head)
      this.#setHead(prefix, route)
      return
    }
    let before = head
    while (this.#next(before) !== END && this.#compare(this.#next(before), route) <= 0) before = this.#next(before)
    this.#link(route, this.#next(before))
    this.#link(before, route)
    this.#setHead(prefix, head)
  }

  /** Takes a feed's route for a prefix out; returns it. Unless `keep`, it may be used again for another. */
  #unlink(prefix: Readonly<Prefix>, feed: number, keep = false): number | undefined {
    let before = END
    const head = this.#head(prefix)
    for (let route = head; route !== END; route = this.#next(route)) {
      if (this.#rows.get(route, FEED) !== feed) {
        before = route
        continue
      }
      const next = this.#next(route)
      if (before !== END) this.#link(before, next)
      // A route that is about to be announced anew leaves its prefix in the map: look-ups never miss it.
      if (before !== END || next !== END || !keep) this.#setHead(prefix, before === END ? next : head)
      else this.#heads[prefix.v6 ? 1 : 0]!.delete(prefix)
      this.#routes--
      if (!keep) {
        this.#link(route, this.#free)
        this.#free = route
      }
      return route
    }
    return undefined
  }

  #newRoute(): number {
    if (this.#free !== END) {
      const route = this.#free
      this.#free = this.#next(route)
      return route
    }
    this.#rows.reserve(this.#used + 1)
    return this.#used++
  }

  /** The route that comes after this one; END: none. */
  #next(route: number): number {
    return this.#rows.get(route, NEXT) - 1
  }

  #link(route: number, next: number): void {
    this.#rows.set(route, NEXT, next + 1)
  }

  #compare(a: number, b: number): number {
    return (
      this.#rows.get(a, PATH_LENGTH) - this.#rows.get(b, PATH_LENGTH) || this.#rows.get(a, MED) - this.#rows.get(b, MED)
    )
  }

  /** The feed nearest to the client of those whose routes are as good as the best. */
  #nearest(best: number, client: Coordinates | undefined): number {
    let found = this.#rows.get(best, FEED)
    if (!client) return found
    let least = squaredDistance(client, this.#byId[found]!.coordinates)
    for (let route = this.#next(best); route !== END && this.#compare(best, route) === 0; route = this.#next(route)) {
      const far = squaredDistance(client, this.#byId[this.#rows.get(route, FEED)]!.coordinates)
      if (far >= least) continue
      found = this.#rows.get(route, FEED)
      least = far
    }
    return found
  }
}

/** In degrees of latitude, squared, as if the earth were flat between the two: good enough to say which of several is nearest. */
function squaredDistance(from: Coordinates, to: Coordinates | undefined): number {
  if (!to) return Number.POSITIVE_INFINITY
  const turn = Math.abs(from.longitude - to.longitude)
  const x = Math.min(turn, 360 - turn) * Math.cos(((from.latitude + to.latitude) * Math.PI) / 360)
  return x * x + (from.latitude - to.latitude) ** 2
}
