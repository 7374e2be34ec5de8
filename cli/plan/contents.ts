import type { BlobReader } from '../../controllers/placement/blob-reader.ts'
import type { Appliance, Assignment } from '../../crds/types.gen.ts'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { ContentSpace } from '../../reconcilers/effects/content-space.ts'
import { unionOf } from '../../reconcilers/effects/site-effects.ts'
import { keyOf } from '../../reconcilers/identity.ts'
import type { FleetModel } from './fleet-model.ts'

type Content = NonNullable<Assignment['spec']['content']>

/** Contents by catalog (`namespace/name`). */
export type ByCatalog = ReadonlyMap<string, FileSet>

/** What an appliance holds now. */
export interface Held {
  readonly byCatalog: ByCatalog
  readonly all: FileSet
  /** False where what it holds is partly guessed: it does not say which files. */
  readonly isExact: boolean
}

/** Reads what appliances hold and are to hold, as sets of contents. */
export class Contents {
  readonly space = new ContentSpace()
  readonly #reader: BlobReader
  /** Catalogs on their way into the space. */
  readonly #catalogs = new Map<string, Promise<void>>()
  readonly #sets = new Map<string, Promise<FileSet>>()
  readonly #sites = new Map<string, Promise<FileSet>>()

  constructor(reader: BlobReader) {
    this.#reader = reader
  }

  /** Lets sets go that were read so far: the next site has others. */
  forget(): void {
    this.#sets.clear()
  }

  /** What an Assignment asks for. Throws what reading blobs throws. */
  async asked(content: Content | undefined): Promise<ByCatalog> {
    const entries = content?.entries ?? []
    const sets = await Promise.all(
      entries.map((entry) => this.set(entry.catalogDigest, entry.files === 0 ? undefined : entry.manifestDigest)),
    )
    return new Map(entries.map(({ catalog }, i) => [`${catalog.namespace}/${catalog.name}`, sets[i]!]))
  }

  /** What an appliance holds, as it says; `before` is what it is asked for. Throws what reading blobs throws. */
  async held({ status }: Appliance, before: Content | undefined): Promise<Held> {
    const content = status?.content
    if (!content || content.storageUsedBytes + content.filesHeld === 0) return nothingHeld
    const { inventories } = content
    const holdsAll = content.generation === before?.generation && content.filesHeld === content.filesDesired
    // It says so itself. Inventories come a little later, and there are none of one that clients are sent away from.
    if (holdsAll || (inventories.length === 0 && content.filesHeld > 0)) {
      const byCatalog = await this.asked(before)
      const all = unionOf([...byCatalog.values()])
      const told = (before?.entries ?? []).reduce((bytes, entry) => bytes + entry.bytes, 0)
      const isExact = holdsAll && (told === content.storageUsedBytes || this.#covers(all, content.storageUsedBytes))
      return { byCatalog, all, isExact }
    }
    const sets = await Promise.all(inventories.map(({ catalogDigest, digest }) => this.set(catalogDigest, digest)))
    const all = unionOf(sets)
    // What is being given up is not told file by file, nor is what is half there: some of it may be wanted again.
    const isExact = this.#covers(all, content.storageUsedBytes)
    return {
      byCatalog: new Map(inventories.map(({ catalog }, i) => [`${catalog.namespace}/${catalog.name}`, sets[i]!])),
      all,
      isExact,
    }
  }

  #covers(contents: FileSet, bytes: number): boolean {
    return this.space.weigh(contents).bytes >= bytes
  }

  /** What some appliance of a site holds and gives to others. Kept: many sites have the same parents. */
  heldAt(site: string, { objects }: FleetModel): Promise<FileSet> {
    let held = this.#sites.get(site)
    if (!held) {
      const givers = objects.appliances.byIndex('site', site).filter(gives)
      const asked = givers.map((each) => this.held(each, objects.assignments.get(keyOf(each))?.spec.content))
      held = Promise.all(asked).then((all) => unionOf(all.map((one) => one.all)))
      this.#sites.set(site, held)
    }
    return held
  }

  /** A manifest or inventory as contents; undefined for an empty one. */
  set(catalogDigest: string, digest: string | undefined): Promise<FileSet> {
    if (digest === undefined) return Promise.resolve(new FileSet())
    let set = this.#sets.get(digest)
    if (!set) {
      set = this.#read(catalogDigest, digest)
      this.#sets.set(digest, set)
    }
    return set
  }

  async #read(catalogDigest: string, digest: string): Promise<FileSet> {
    let catalog = this.#catalogs.get(catalogDigest)
    if (!catalog) {
      catalog = this.#reader.catalog(catalogDigest).then((content) => this.space.add(catalogDigest, content))
      this.#catalogs.set(catalogDigest, catalog)
    }
    const [{ set }] = await Promise.all([this.#reader.fileSet(digest), catalog])
    return this.space.contents(catalogDigest, set)
  }
}

/** Whether an appliance gives bytes to others now: it is online and advertises some. */
export const gives = ({ status }: Appliance) =>
  (status?.conditions?.some((c) => c.type === 'Online' && c.status === 'True') ?? false) &&
  (status?.content?.inventories.length ?? 0) > 0

export const nothingHeld: Held = { byCatalog: new Map(), all: new FileSet(), isExact: true }
