import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { unpacked } from '../../reconcilers/steering/client/packed-prefixes.ts'
import { type Coordinates, type Route, RouteTable } from '../../reconcilers/steering/client/route-table.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import { isSettled } from './followed-file.ts'
import { inSlices } from './in-slices.ts'
import { versionOf } from './location-messages.ts'
import type { LocationReader } from './location-reader.ts'

/** How often files are looked at: whoever writes them replaces them, such as by `birdc show route all > x && mv x …`. */
const LOOK_MS = 5000

/** Where an appliance's routes lead. */
export interface FeedPlace {
  /** `namespace/name`. */
  readonly site: string
  readonly coordinates: Coordinates | undefined
}

export interface BgpFeedsOptions {
  /** A folder for each namespace, with a file named as an appliance each: what its BIRD has heard from the network that it is in. */
  readonly folder: string
  readonly reader: LocationReader
  readonly clock: Clock
  readonly log: Log
  /** Where an appliance (`namespace/name`) is; undefined: it is not known. */
  readonly placeOf: (appliance: string) => FeedPlace | undefined
}

/** About what the Internet's tables hold: many, so that look-ups are quick. What is not used takes no memory. */
const ROUTES = 1_000_000

/**
 * Routes that appliances hear by BGP, from files that are read again as they change: on the thread of `reader`, and taken in slice by slice. What cannot be
 * read, or is not whole, leaves in force what was read before, and hinders no other; what is not there any more is no longer heard.
 */
export class BgpFeeds {
  readonly routes = new RouteTable('bgp', ROUTES)
  readonly #options: BgpFeedsOptions
  /** By appliance: the version of its file that is in force. */
  readonly #read = new Map<string, string>()
  /** By appliance: a version of its file that is no use, and why. It is not read again. */
  readonly #useless = new Map<string, { readonly mark: string; readonly error: Error }>()
  /** By path: what is wrong with it, told once. */
  readonly #faults = new Map<string, string>()
  #cancel = () => {}
  #closed = false

  constructor(options: BgpFeedsOptions) {
    this.#options = options
  }

  /** Reads what is there, and goes on looking. */
  async start(): Promise<void> {
    const { folder, clock } = this.#options
    await this.#guarded(folder, () => this.#look())
    if (!this.#closed) this.#cancel = clock.after(LOOK_MS, () => void this.start())
  }

  close(): void {
    this.#closed = true
    this.#cancel()
  }

  async #look(): Promise<void> {
    const { folder } = this.#options
    const there = new Set<string>()
    const unreadable = new Set<string>()
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const { name: namespace } = entry
      if (namespace.startsWith('.') || !(entry.isDirectory() || entry.isSymbolicLink())) continue
      const path = join(folder, namespace)
      const names = await this.#guarded(path, () => readdir(path).catch(ifGone<string[]>([])))
      if (!names) unreadable.add(namespace)
      for (const name of names ?? []) {
        // Files that are still being written.
        if (name.startsWith('.') || this.#closed) continue
        const appliance = `${namespace}/${name}`
        const file = join(path, name)
        const isThere = await this.#guarded(file, () => this.#take(appliance, file))
        if (isThere !== false) there.add(appliance)
      }
    }
    for (const appliance of this.#useless.keys()) if (!there.has(appliance)) this.#useless.delete(appliance)
    for (const appliance of this.#read.keys()) {
      if (there.has(appliance) || unreadable.has(appliance.slice(0, appliance.indexOf('/'))) || this.#closed) continue
      this.#read.delete(appliance)
      await inSlices(this.routes.removeFeed(appliance))
    }
  }

  /** False where there is no such file, or no such appliance. Throws where it cannot be read or is not whole. */
  async #take(appliance: string, path: string): Promise<boolean> {
    const { placeOf, log, clock, reader } = this.#options
    const place = placeOf(appliance)
    const found = place && (await stat(path).catch(ifGone(undefined)))
    if (!found) return false
    if (!found.isFile()) throw new Error('is no file')
    // An appliance that moves takes its routes along.
    const mark = `${versionOf(found)} ${place.site}`
    const before = this.#read.get(appliance)
    if (before === mark || (before !== undefined && !isSettled(found, clock))) return true
    const useless = this.#useless.get(appliance)
    if (useless?.mark === mark) throw useless.error
    const { version, tables } = await reader.bgp(path).catch((error: NodeJS.ErrnoException) => {
      // A fault of the disk may be over the next time.
      if (error.code === undefined) this.#useless.set(appliance, { mark, error })
      throw error
    })
    this.#useless.delete(appliance)
    // It was replaced just now: it is looked at again.
    if (version !== versionOf(found)) return true
    const { routes, bad } = tables
    function* announced(): Generator<Route> {
      for (const { prefix, a: pathLength, b: med } of unpacked(routes)) yield { prefix, pathLength, med }
    }
    await inSlices(this.routes.replaceFeed(appliance, place.site, announced(), place.coordinates))
    this.#read.set(appliance, mark)
    const fields = { appliance, site: place.site, routes: routes.count, bad: bad.count }
    if (!bad.first) log.info(fields, 'a BGP feed has been read')
    else log.warn({ ...fields, line: bad.first.line, problem: bad.first.problem }, 'lines of a BGP feed cannot be used')
    return true
  }

  /** What it gives; undefined where it throws, which is told unless it was told already. */
  async #guarded<T>(path: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await work()
      this.#faults.delete(path)
      return result
    } catch (err) {
      if (this.#closed) return undefined
      const error = (err as Error).message
      if (this.#faults.get(path) !== error) this.#options.log.warn({ path, error }, 'BGP feeds cannot be read')
      this.#faults.set(path, error)
      return undefined
    }
  }
}

/** What has vanished since it was seen is not there, and gives `value`; everything else is a fault. */
function ifGone<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return value
    throw error
  }
}
