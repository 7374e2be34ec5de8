import { join } from 'node:path'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { decodeFileSet } from '../../reconcilers/blobs/file-set-blob.ts'
import type { PeerSource, Sources } from '../content/sources.ts'
import type { FileIo } from '../file-io.ts'
import { digestOf } from '../state/blobs.ts'
import type { Tuning } from '../tuning.ts'
import type { GatewayClient, NamedSource, NamedSources } from './client.ts'
import { Loop, type LoopOptions } from './loop.ts'

export interface SourceFinderOptions extends Omit<LoopOptions, 'name' | 'backoff'> {
  readonly gateway: Pick<GatewayClient, 'sources' | 'blob'>
  readonly tuning: Tuning
  readonly io: FileIo
  readonly folder: string
  readonly sources: Sources
  /** Whether anything is still to be fetched. */
  readonly isFilling: () => boolean
  readonly onFound: () => void
}

/** Asks the gateway, while there is something to fetch, whom to fetch it from and what those have. */
export class SourceFinder {
  readonly #options: SourceFinderOptions
  readonly #loop: Loop
  /** Inventories by digest: they never change. */
  #inventories = new Map<string, FileSet>()
  #saved: string | undefined

  constructor(options: SourceFinderOptions) {
    const { tuning } = options
    this.#options = options
    const backoff = { baseMs: tuning.reconnectBaseMs, capMs: tuning.reconnectCapMs }
    this.#loop = new Loop({ ...options, name: 'finding sources', backoff }, tuning.sourcesIntervalMs, (signal) =>
      this.#find(signal),
    )
  }

  /** Takes up the sources of an earlier run: what they have is not known, so they are asked for anything. */
  async load(): Promise<void> {
    const { io, folder, sources } = this.#options
    try {
      const bytes = await io.readFile(join(folder, 'sources.json'))
      if (!bytes) return
      this.#saved = new TextDecoder().decode(bytes)
      const { peers, parents } = JSON.parse(this.#saved) as NamedSources
      const unknown = (kind: PeerSource['kind']) => (source: NamedSource) => ({
        kind,
        name: source.name,
        url: source.url,
        inventories: undefined,
      })
      sources.setPeers([...peers.map(unknown('peer')), ...parents.map(unknown('parent'))])
    } catch (err) {
      this.#options.log.warn({ err }, 'cannot read the sources of an earlier run')
    }
  }

  /** Something is to be fetched. */
  wanted(): void {
    this.#loop.ask()
  }

  reconnected(): void {
    this.#loop.recovered()
    this.#loop.ask()
  }

  close(): Promise<void> {
    return this.#loop.close()
  }

  async #find(signal: AbortSignal): Promise<void> {
    const { gateway, sources, isFilling, onFound, tuning } = this.#options
    if (!isFilling()) return
    const named = await gateway.sources(signal)
    const known = new Map<string, FileSet>()
    const withInventories = async (kind: PeerSource['kind'], list: readonly NamedSource[]): Promise<PeerSource[]> => {
      const found: PeerSource[] = []
      for (const { name, url, inventories } of list) {
        const sets = new Map<string, FileSet>()
        for (const { catalog, digest } of inventories) {
          sets.set(catalog, await this.#inventory(digest, signal))
          known.set(digest, sets.get(catalog)!)
        }
        found.push({ kind, name, url, inventories: sets })
      }
      return found
    }
    sources.setPeers([
      ...(await withInventories('peer', named.peers)),
      ...(await withInventories('parent', named.parents)),
    ])
    this.#inventories = known
    await this.#save(named)
    onFound()
    this.#loop.askIn(tuning.sourcesIntervalMs)
  }

  async #inventory(digest: string, signal: AbortSignal): Promise<FileSet> {
    const known = this.#inventories.get(digest)
    if (known) return known
    try {
      const bytes = await this.#options.gateway.blob(digest, signal)
      if (digestOf(bytes) !== digest) throw new Error(`the gateway sent other bytes for blob ${digest}`)
      return decodeFileSet(bytes).set
    } catch (err) {
      signal.throwIfAborted()
      // It may have been replaced in the meantime: as if it had nothing, until we ask again.
      this.#options.log.debug({ err, digest }, 'cannot read an inventory')
      return new FileSet()
    }
  }

  /** Only who and where: what they have is old before it is needed. */
  async #save(named: NamedSources): Promise<void> {
    const bare = (list: readonly NamedSource[]) => list.map(({ name, url }) => ({ name, url, inventories: [] }))
    const json = `${JSON.stringify({ peers: bare(named.peers), parents: bare(named.parents) })}\n`
    if (json === this.#saved) return
    const { io, folder, log } = this.#options
    try {
      await io.replaceFile(join(folder, 'sources.json'), new TextEncoder().encode(json))
      this.#saved = json
    } catch (err) {
      log.warn({ err }, 'cannot save sources')
    }
  }
}
