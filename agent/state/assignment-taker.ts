import type { ContentAssignment, ContentEntry } from '../../crds/types.gen.ts'
import type { Keeper } from '../content/keeper.ts'
import { catalogKey, View, versionOf } from '../content/view.ts'
import { Loop, type LoopOptions } from '../gateway/loop.ts'
import type { LocalBlobs } from './blobs.ts'
import type { Desired, DesiredState } from './desired.ts'

export interface AssignmentTakerOptions extends Omit<LoopOptions, 'name'> {
  readonly state: DesiredState
  readonly blobs: LocalBlobs
  readonly keeper: Keeper
  /** An Assignment is in force. */
  readonly onApplied: (assignment: ContentAssignment) => Promise<void>
  readonly onChange: () => void
}

/** Brings Assignments into force: reads the blobs that they name, remembers them, and only then lets them count. The newest wins. */
export class AssignmentTaker {
  readonly #options: AssignmentTakerOptions
  readonly #loop: Loop
  #offered: Desired | undefined
  #inForce: Desired | undefined
  #trouble: string | undefined

  constructor(options: AssignmentTakerOptions) {
    this.#options = options
    this.#loop = new Loop({ ...options, name: 'taking up the Assignment' }, 0, () => this.#take())
  }

  /** Why a newer Assignment than the one in force is not in force yet; undefined when there is none. */
  get notInForce(): string | undefined {
    if (!this.#offered) return undefined
    const what = `generation ${this.#offered.content.generation} of its Assignment`
    return this.#trouble === undefined ? what : `${what}: ${this.#trouble}`
  }

  /** Takes up what an earlier run was told, without the gateway where its blobs are on disk. */
  async load(): Promise<void> {
    const { state, log, keeper, onApplied } = this.#options
    const { desired, retiring } = await state.load()
    if (!desired) return
    try {
      const views = await this.#views(desired.content.entries, this.#localBlob)
      const retired: View[] = []
      for (const entry of retiring.entries) {
        const [view] = await this.#views([entry], this.#localBlob).catch((err) => {
          log.warn({ err }, 'cannot read an earlier version of a catalog; its files are not served while they drain')
          return []
        })
        if (view) retired.push(view)
      }
      this.#inForce = desired
      keeper.apply(desired.content, views, retired)
      await onApplied(desired.content)
      this.tidy()
    } catch (err) {
      log.warn({ err }, 'cannot take up the Assignment of an earlier run without the gateway')
      this.#offered = desired
      this.#loop.ask()
    }
  }

  /** The gateway says what the appliance is to hold. One that is older than what is in force is refused. */
  offer(offered: Desired): void {
    const newest = this.#offered ?? this.#inForce
    const isNamesake = newest?.uid !== undefined && offered.uid !== undefined && newest.uid !== offered.uid
    if (newest && !isNamesake) {
      const [before, after] = [newest.content.generation, offered.content.generation]
      if (after < before) {
        this.#options.log.warn({ before, after }, 'refused an Assignment that is older than what is in force')
        return
      }
      if (JSON.stringify(newest) === JSON.stringify(offered)) return
    }
    this.#offered = offered
    this.#trouble = undefined
    this.#options.onChange()
    this.#loop.recovered()
    this.#loop.ask(true)
  }

  /** What is served though it is no longer wanted has changed: notes that, and lets go of blobs that nothing needs any more. */
  tidy(): void {
    this.#loop.ask(true)
  }

  /** The gateway is there again: what could not be read may be readable now. */
  reconnected(): void {
    this.#loop.recovered()
  }

  close(): Promise<void> {
    return this.#loop.close()
  }

  async #take(): Promise<void> {
    const { state, keeper, onApplied, onChange, log } = this.#options
    const offered = this.#offered
    if (!offered) return this.#tidy()
    try {
      const views = await this.#views(offered.content.entries, (digest, previous) =>
        this.#options.blobs.get(digest, previous),
      )
      // A newer one has come in the meantime, and has asked for its own turn.
      if (this.#offered !== offered) return
      try {
        // First what was, for files that clients are on their way to must not be forgotten by a crash in between.
        await state.saveRetiring({ entries: keeper.retiringAfter(views) })
        await state.saveDesired(offered)
      } catch (err) {
        // A full disk must not keep the agent from an Assignment that would make room on it.
        log.error({ err }, 'cannot remember the Assignment')
      }
      this.#inForce = offered
      if (this.#offered === offered) this.#offered = undefined
      this.#trouble = undefined
      log.info({ generation: offered.content.generation }, 'Assignment in force')
      keeper.apply(offered.content, views)
      await onApplied(offered.content)
      await this.#tidy()
    } catch (error) {
      this.#trouble = error instanceof Error ? error.message : String(error)
      onChange()
      throw error
    }
  }

  /** Only ever here, in turn with taking up: so that no blob is deleted that is just being taken up, and no older note wins. */
  async #tidy(): Promise<void> {
    const { state, keeper, blobs, log } = this.#options
    try {
      await state.saveRetiring({ entries: keeper.retiring })
      const entries = [...keeper.views.map(({ entry }) => entry), ...keeper.retiring]
      const needed = entries.flatMap((entry) => [entry.catalogDigest, entry.manifestDigest])
      if (!this.#offered) await blobs.keepOnly(new Set(needed))
    } catch (err) {
      log.warn({ err }, 'cannot tidy up what is remembered')
    }
  }

  readonly #localBlob = async (digest: string): Promise<Uint8Array> => {
    const bytes = await this.#options.blobs.local(digest)
    if (!bytes) throw new Error(`blob ${digest} is not on disk`)
    return bytes
  }

  async #views(
    entries: readonly ContentEntry[],
    blob: (digest: string, previous?: string) => Promise<Uint8Array>,
  ): Promise<View[]> {
    const current = new Map(this.#options.keeper.views.map((view) => [versionOf(view.entry), view]))
    const versions = new Map(this.#options.keeper.views.map(({ entry }) => [catalogKey(entry), entry.catalogDigest]))
    const views: View[] = []
    for (const entry of entries) {
      const same = current.get(versionOf(entry))
      if (same) views.push(same.withEntry(entry))
      else {
        const catalog = await blob(entry.catalogDigest, versions.get(catalogKey(entry)))
        views.push(await View.read(entry, catalog, await blob(entry.manifestDigest)))
      }
    }
    return views
  }
}
