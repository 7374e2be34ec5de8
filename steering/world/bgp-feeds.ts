import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readBgpFeed } from '../../reconcilers/steering/client/bgp-dump.ts'
import { type Coordinates, type Route, RouteTable } from '../../reconcilers/steering/client/route-table.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'

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
  readonly clock: Clock
  readonly log: Log
  /** Where an appliance (`namespace/name`) is; undefined: it is not known. */
  readonly placeOf: (appliance: string) => FeedPlace | undefined
}

/** Routes that appliances hear by BGP, from files that are read again as they change. Taken in slice by slice: answers go on in between. */
export class BgpFeeds {
  readonly routes = new RouteTable('bgp')
  readonly #options: BgpFeedsOptions
  readonly #read = new Map<string, string>()
  #cancel = () => {}
  #closed = false

  constructor(options: BgpFeedsOptions) {
    this.#options = options
  }

  /** Reads what is there, and goes on looking. */
  async start(): Promise<void> {
    const { folder, log, clock } = this.#options
    try {
      await this.#look()
    } catch (error) {
      log.warn({ folder, error: (error as Error).message }, 'BGP feeds cannot be read')
    }
    if (!this.#closed) this.#cancel = clock.after(LOOK_MS, () => void this.start())
  }

  close(): void {
    this.#closed = true
    this.#cancel()
  }

  async #look(): Promise<void> {
    const { folder } = this.#options
    const there = new Set<string>()
    for (const namespace of await readdir(folder, { withFileTypes: true })) {
      if (!namespace.isDirectory() || namespace.name.startsWith('.')) continue
      for (const name of await readdir(join(folder, namespace.name))) {
        // Files that are still being written.
        if (name.startsWith('.') || this.#closed) continue
        const appliance = `${namespace.name}/${name}`
        there.add(appliance)
        await this.#take(appliance, join(folder, namespace.name, name))
      }
    }
    for (const appliance of this.#read.keys()) {
      if (there.has(appliance)) continue
      this.#read.delete(appliance)
      await inSlices(this.routes.removeFeed(appliance))
    }
  }

  async #take(appliance: string, path: string): Promise<void> {
    const { placeOf, log } = this.#options
    const place = placeOf(appliance)
    const { mtimeMs, size, ino } = await stat(path)
    // An appliance that moves takes its routes along.
    const mark = `${mtimeMs} ${size} ${ino} ${place?.site}`
    if (!place || this.#read.get(appliance) === mark) return
    this.#read.set(appliance, mark)
    const bad: { line: number; problem: string }[] = []
    let routes = 0
    function* announced(text: string): Generator<Route> {
      for (const row of readBgpFeed(text)) {
        if (row.type === 'bad') bad.push(row)
        if (row.type !== 'announce') continue
        routes++
        yield row
      }
    }
    const text = await readFile(path, 'utf8')
    await inSlices(this.routes.replaceFeed(appliance, place.site, announced(text), place.coordinates))
    const fields = { appliance, site: place.site, routes, bad: bad.length }
    if (bad.length === 0) log.info(fields, 'a BGP feed has been read')
    else log.warn({ ...fields, line: bad[0]!.line, problem: bad[0]!.problem }, 'lines of a BGP feed cannot be used')
  }
}

/** Drives work that gives way between its slices. */
async function inSlices(work: Generator<void, void>): Promise<void> {
  while (!work.next().done) await new Promise((resolve) => setImmediate(resolve))
}
