import type { Address } from '../../reconcilers/steering/address.ts'
import { MAX_UTILISATION, reportedLoad, STALE_LOAD_MS, sentLoad } from '../../reconcilers/steering/load.ts'
import { loadOf, weightOf } from '../../reconcilers/steering/places.ts'
import { LOCATION_SOURCES, MISSES, PURPOSES } from '../../reconcilers/steering/types.ts'
import type { World } from '../../reconcilers/steering/world.ts'
import { PLAY_GBPS, type Steered } from '../steerer.ts'
import { networkText } from './client-network.ts'

/** Of the format. */
export const LOG_VERSION = 2

/** Loads are told in steps of a thirty-thousandth; above are two that are none. */
export const LOAD_STEPS = 60_000
export const LOAD_UNKNOWN = 0xfffe
export const LOAD_DOWN = 0xffff

/** How busy those who were named were is told in hundred-thousandths: a play more can be told. */
export const NAMED_LOAD_STEPS = 100_000

/** Files of a decision that are told, the one whose URL was given first. */
const MAX_FILES_TOLD = 64

/**
 * Writes what a log of decisions consists of, a line of JSON each. Names of sites, appliances, catalogs and policies are told once, and are numbers from then on:
 *
 *     {"weirDecisions":2,"every":1}                     one decision of so many is logged; names begin anew
 *     {"appliances":["play/ams1-a", …],"from":0}        numbered from 0 on; so are sites, catalogs, policies
 *     {"loads":"…","atMs":…}                            by appliance 16 bits in base64, little end first: see `LOAD_STEPS`
 *     {"down":[3],"up":[],"atMs":…}                     whom steering no longer names, and names again
 *     [ms, network, purpose, catalog, files, seed, canary key, site, source, named, loads, tier, miss, policy, …]
 *
 * `files` is a title where one was asked for; `loads` is how busy those were who were named, as the decision knew it, in `NAMED_LOAD_STEPS`. Of a decision without a site, and of one with exclusions or a wish for few URLs, these follow: `region`,
 * `latitude`, `longitude`, `excluded`, `maxUrls`.
 */
export class DecisionLines {
  readonly #world: World
  readonly #policies = new Map<string, number>()
  #sites = 0
  #appliances = 0
  #catalogs = 0

  constructor(world: World) {
    this.#world = world
  }

  /** The beginning of a file, with all names that were told so far: what follows may have been made for the one before. */
  head(every: number): string {
    const { siteKeys, applianceKeys, catalogKeys } = this.#world
    return (
      `${JSON.stringify({ weirDecisions: LOG_VERSION, every })}\n` +
      namesFrom('sites', siteKeys.slice(0, this.#sites), 0) +
      namesFrom('appliances', applianceKeys.slice(0, this.#appliances), 0) +
      namesFrom('catalogs', catalogKeys.slice(0, this.#catalogs), 0) +
      namesFrom('policies', [...this.#policies.keys()], 0)
    )
  }

  /** Names that have come since. */
  names(): string {
    const { siteKeys, applianceKeys, catalogKeys } = this.#world
    let text = ''
    if (siteKeys.length > this.#sites) {
      text += namesFrom('sites', siteKeys.slice(this.#sites), this.#sites)
      this.#sites = siteKeys.length
    }
    if (applianceKeys.length > this.#appliances) {
      text += namesFrom('appliances', applianceKeys.slice(this.#appliances), this.#appliances)
      this.#appliances = applianceKeys.length
    }
    if (catalogKeys.length > this.#catalogs) {
      text += namesFrom('catalogs', catalogKeys.slice(this.#catalogs), this.#catalogs)
      this.#catalogs = catalogKeys.length
    }
    return text
  }

  /** One decision, after the names that are new in it. */
  decision({ request, answer, index, entry, title }: Steered, address: Readonly<Address>, nowMs: number): string {
    const names = this.names()
    const { key } = this.#world.policies[answer.policy]!
    let policy = this.#policies.get(key)
    let newPolicy = ''
    if (policy === undefined) {
      policy = this.#policies.size
      this.#policies.set(key, policy)
      newPolicy = namesFrom('policies', [key], policy)
    }
    let named = ''
    let loads = ''
    for (let i = 0; i < answer.count; i++) {
      const appliance = answer.appliances[i]!
      const comma = i > 0 ? ',' : ''
      named += comma + appliance
      loads += comma + this.#loadBefore(appliance, i === 0 ? PLAY_GBPS[request.purpose] : 0)
    }
    const files = title === undefined ? JSON.stringify(pathsOf(request.files, entry, index)) : JSON.stringify(title)
    const { site, source } = request.client
    const asked = `${PURPOSES.indexOf(request.purpose)},${request.catalog},${files},${request.seed},${request.canaryKey}`
    const where = `${site},${LOCATION_SOURCES.indexOf(source)}`
    const came = `[${named}],[${loads}],${answer.count > 0 ? answer.tiers[0] : -1},${MISSES.indexOf(answer.miss)},${policy}`
    const more = site < 0 || request.excluded.length > 0 || request.maxUrls > 0 ? this.#more(request) : ''
    return `${names}${newPolicy}[${nowMs},"${networkText(address)}",${asked},${where},${came}${more}]\n`
  }

  /** How busy appliances are, as far as is known, and which are down. */
  loads(isDown: (appliance: string) => boolean, nowMs: number): string {
    const world = this.#world
    const count = this.#appliances
    const values = Buffer.alloc(2 * count)
    for (let a = 0; a < count; a++) {
      const isKnown = nowMs - world.reportedAtMs[a]! <= STALE_LOAD_MS && !Number.isNaN(world.reported[a]!)
      // Of one that does not say how busy it is, what it has been sent is known.
      const load = Math.min((isKnown ? reportedLoad(world, a) : 0) + sentLoad(world, a), MAX_UTILISATION)
      const value = isKnown || load > 0 ? Math.round((load / MAX_UTILISATION) * LOAD_STEPS) : LOAD_UNKNOWN
      values.writeUInt16LE(isDown(world.applianceKeys[a]!) ? LOAD_DOWN : value, 2 * a)
    }
    return `${JSON.stringify({ loads: values.toString('base64'), atMs: nowMs })}\n`
  }

  /** Who does not answer any more, or answers again. */
  health(changed: ReadonlyMap<string, boolean>, nowMs: number): string {
    const names = this.names()
    const numbers = (up: boolean) =>
      Array.from(changed).flatMap(([key, isUp]) => (isUp === up ? (this.#world.applianceOrdinals.get(key) ?? []) : []))
    return `${names}${JSON.stringify({ down: numbers(false), up: numbers(true), atMs: nowMs })}\n`
  }

  /** How busy an appliance was before this play was sent to it. */
  #loadBefore(appliance: number, gbps: number): number {
    if (appliance < 0) return 0
    const load = loadOf(this.#world, appliance) - gbps / weightOf(this.#world, appliance)
    return Math.max(0, Math.round(load * NAMED_LOAD_STEPS))
  }

  #more({ client, excluded, maxUrls }: Steered['request']): string {
    const region = this.#world.regions[client.region]
    const { latitude, longitude } = client
    const parts = [region ?? null, latitude ?? null, longitude ?? null, Array.from(excluded), maxUrls]
    return `,${JSON.stringify(parts).slice(1, -1)}`
  }
}

function namesFrom(what: string, names: readonly string[], from: number): string {
  return names.length === 0 ? '' : `${JSON.stringify({ [what]: names, from })}\n`
}

function pathsOf(files: ArrayLike<number>, entry: number, index: Steered['index']): string[] {
  const others = Array.prototype.filter.call(files, (file: number) => file !== entry) as number[]
  return [entry, ...others.slice(0, MAX_FILES_TOLD - 1)].map((file) => index.path(file) ?? '')
}
