import { hashString, mix } from '../reconcilers/placement/hash.ts'
import type { Address } from '../reconcilers/steering/address.ts'
import { decide, newScratch } from '../reconcilers/steering/decide.ts'
import { type ClientMap, locateClient } from '../reconcilers/steering/locate.ts'
import type { Answer, ClientLocation, Purpose, SteerRequest } from '../reconcilers/steering/types.ts'
import { noteSent } from '../reconcilers/steering/update.ts'
import type { World } from '../reconcilers/steering/world.ts'
import { type Ask, MAX_EXCLUDED } from './ask.ts'
import { HttpProblem, invalid } from './http/problem.ts'
import type { CatalogIndex } from './world/catalog-index.ts'

/** Gbit/s that one play is taken to bring until its appliance says how busy it is: a film in HD, a stream, a download at the speed of a good line. */
export const PLAY_GBPS: Readonly<Record<Purpose, number>> = { vod: 0.006, live: 0.006, game: 0.05 }

/** What one decision was asked and came to. Belongs to the Steerer: valid until its next. */
export interface Steered {
  readonly request: MutableRequest
  readonly answer: Answer
  readonly index: CatalogIndex
  /** `namespace/name` of the catalog. */
  catalog: string
  /** The file whose URL is given: the first that was asked for, or the one that a player of the title begins with. */
  entry: number
  /** Its path. */
  path: string
  /** The title that was asked for; undefined: files were. */
  title: string | undefined
}

interface MutableRequest extends SteerRequest {
  readonly client: ClientLocation
  catalog: number
  files: ArrayLike<number>
  purpose: Purpose
  excluded: ArrayLike<number>
  affinityKey: number
  canaryKey: number
  seed: number
  maxUrls: number
  explain: boolean
}

export interface SteererOptions {
  readonly world: World
  readonly clientMap: () => ClientMap
  /** 32 random bits. */
  readonly random: () => number
  /** A client says that an appliance has failed it. */
  readonly onFailed?: (appliance: string, address: Readonly<Address>) => void
}

const NOBODY: readonly number[] = []

/** Turns what is asked in names into a decision, and the world's bookkeeping that follows from it. One at a time. */
export class Steerer {
  readonly #options: SteererOptions
  readonly #scratch = newScratch()
  readonly #one = new Uint32Array(1)
  readonly #request: MutableRequest = {
    client: { site: -1, region: -1, networkClass: 0, source: 'none' },
    catalog: -1,
    files: NOBODY,
    purpose: 'vod',
    excluded: NOBODY,
    affinityKey: 0,
    canaryKey: 0,
    seed: 0,
    maxUrls: 0,
    explain: false,
  }
  readonly #steered: { -readonly [K in keyof Steered]: Steered[K] } = {
    request: this.#request,
    answer: this.#scratch.answer,
    index: undefined as unknown as CatalogIndex,
    catalog: '',
    entry: 0,
    path: '',
    title: undefined,
  }

  constructor(options: SteererOptions) {
    this.#options = options
  }

  /** Who should serve these files to the client at this address. Throws HttpProblem: 400 or 404, with the place. */
  steer(address: Readonly<Address>, ask: Ask): Steered {
    const { world } = this.#options
    const request = this.#request
    this.#resolve(ask)
    locateClient(world, this.#options.clientMap(), address, request.client)
    this.#steered.title = ask.title
    request.purpose = ask.purpose
    request.maxUrls = ask.maxUrls
    request.explain = ask.explain
    request.excluded = ask.exclude.length === 0 ? NOBODY : this.#excluded(ask, address)
    const { words } = address
    // Of a client, not of a connection: it is in a canary's share or not, whatever it asks for.
    request.canaryKey = mix(words[0]! ^ mix(words[1]! ^ (address.v6 ? 1 : 0)))
    request.affinityKey = this.#steered.index.affinity(this.#steered.entry)
    request.seed = this.#options.random()
    return this.#decide()
  }

  /** The same decision on the same request with another seed; for those who know ordinals. */
  decide(request: SteerRequest): Answer {
    return decide(this.#options.world, request, this.#scratch)
  }

  #decide(): Steered {
    const { world } = this.#options
    const answer = decide(world, this.#request, this.#scratch)
    const first = answer.count > 0 ? answer.appliances[0]! : -1
    if (first >= 0) noteSent(world, first, PLAY_GBPS[this.#request.purpose])
    return this.#steered
  }

  /** Finds catalog and files. */
  #resolve({ files, catalog, title }: Ask): void {
    if (title !== undefined) {
      this.#resolveTitle(title, catalog)
      return
    }
    const steered = this.#steered
    if (files.length === 1) {
      const index = this.#one
      index[0] = this.#find(files[0]!, catalog, 0)
      this.#request.files = index
      steered.entry = index[0]!
      return
    }
    const found = new Uint32Array(files.length)
    let first = ''
    let path = ''
    for (let i = 0; i < files.length; i++) {
      found[i] = this.#find(files[i]!, catalog, i)
      if (i === 0) {
        first = steered.catalog
        path = steered.path
      } else if (steered.catalog !== first)
        throw invalid([
          { pointer: `/files/${i}`, detail: `is in catalog ${steered.catalog}, the first file in ${first}` },
        ])
    }
    this.#request.files = found
    steered.entry = found[0]!
    steered.path = path
  }

  #resolveTitle(title: string, catalog: string | undefined): void {
    const { world } = this.#options
    const keys = catalog === undefined ? world.catalogKeys : [catalog]
    if (catalog !== undefined) this.#use(catalog, '/catalog')
    for (const key of keys) {
      const ordinal = world.catalogOrdinals.get(key)!
      const index = world.catalogs[ordinal] as CatalogIndex | undefined
      const found = index?.titled(title)
      if (!index || !found) continue
      this.#take(ordinal, index)
      this.#request.files = found.files
      this.#steered.entry = found.entry
      this.#steered.path = index.path(found.entry) ?? ''
      return
    }
    throw new HttpProblem(
      404,
      'UnknownTitle',
      `there is no title ${JSON.stringify(title)}${catalog === undefined ? '' : ` in catalog ${catalog}`}`,
      {
        faults: [{ pointer: '/title', detail: 'no catalog has it' }],
      },
    )
  }

  /** The index of a file: its path in `catalog`, or `namespace/catalog/path`. */
  #find(file: string, catalog: string | undefined, i: number): number {
    let path = file
    if (catalog === undefined) {
      const start = file.charCodeAt(0) === 47 ? 1 : 0
      const end = file.indexOf('/', file.indexOf('/', start) + 1)
      if (end < 0)
        throw invalid([
          { pointer: `/files/${i}`, detail: 'must be namespace/catalog/path, or a path with "catalog" beside it' },
        ])
      this.#use(file.slice(start, end), `/files/${i}`)
      path = file.slice(end + 1)
    } else this.#use(catalog, '/catalog')
    const index = this.#steered.index.find(path)
    if (index < 0) {
      const detail = `catalog ${this.#steered.catalog} has no file ${JSON.stringify(path)}`
      throw new HttpProblem(404, 'UnknownFile', detail, { faults: [{ pointer: `/files/${i}`, detail }] })
    }
    this.#steered.path = path
    return index
  }

  #use(key: string, pointer: string): void {
    if (this.#steered.catalog === key && this.#options.world.catalogs[this.#request.catalog] === this.#steered.index)
      return
    const ordinal = this.#options.world.catalogOrdinals.get(key)
    const index =
      ordinal === undefined ? undefined : (this.#options.world.catalogs[ordinal] as CatalogIndex | undefined)
    if (ordinal === undefined || !index) {
      const detail = `there is no catalog ${JSON.stringify(key)}`
      throw new HttpProblem(404, 'UnknownCatalog', detail, { faults: [{ pointer, detail }] })
    }
    this.#take(ordinal, index)
  }

  #take(ordinal: number, index: CatalogIndex): void {
    // Not the name as it was asked for: that is a part of the whole request, which would stay in memory with it.
    this.#steered.catalog = this.#options.world.catalogKeys[ordinal]!
    this.#steered.index = index
    this.#request.catalog = ordinal
  }

  /** Ordinals of what has failed the client; what is not known (any more) is left out. */
  #excluded({ exclude }: Ask, address: Readonly<Address>): number[] {
    const { world, onFailed } = this.#options
    const found: number[] = []
    for (const text of exclude.slice(0, MAX_EXCLUDED)) {
      const ordinal = this.applianceOf(text)
      if (ordinal === undefined) continue
      found.push(ordinal)
      onFailed?.(world.applianceKeys[ordinal]!, address)
    }
    return found
  }

  readonly #byBase = new Map<string, number>()
  #basesVersion = -1
  #longestBase = 0

  /** The appliance that a `namespace/name`, or a URL that an answer has given, means. */
  applianceOf(text: string): number | undefined {
    const { world } = this.#options
    if (!/^https?:/i.test(text)) return world.applianceOrdinals.get(text)
    this.#refreshBases()
    // No base is longer: of whatever a stranger makes longer, only the beginning is looked at.
    const most = this.#longestBase
    for (
      let end = text.length > most ? text.lastIndexOf('/', most) : text.length;
      end > 8;
      end = text.lastIndexOf('/', end - 1)
    ) {
      const ordinal = this.#byBase.get(text.slice(0, end))
      if (ordinal !== undefined && world.urls[ordinal] !== undefined) return ordinal
    }
    return undefined
  }

  /** Bases change seldom, and are asked for where something has failed: made anew when an address has changed. */
  #refreshBases(): void {
    const { urls, urlsVersion } = this.#options.world
    if (this.#basesVersion === urlsVersion) return
    this.#basesVersion = urlsVersion
    this.#byBase.clear()
    this.#longestBase = 0
    urls.forEach((url, ordinal) => {
      if (url === '') return
      const base = url.replace(/\/+$/, '')
      this.#byBase.set(base, ordinal)
      this.#longestBase = Math.max(this.#longestBase, base.length)
    })
  }
}

/** 32 random bits, cheaply: chances in load balancing need no secrecy. Source: Marsaglia, "Xorshift RNGs", 2003. */
export function randomBits(seed: number): () => number {
  let state = seed | 0 || hashString('weir') | 0
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}
