import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Clock } from '../../runtime/clock.ts'
import type { FileIo, OpenFile } from '../file-io.ts'
import { Committer } from './committer.ts'

const SHA256 = /^[0-9a-f]{64}$/
/** Rotten files kept for whoever wants to know how they rotted. */
const ROTTEN_KEPT = 4
const SCAN_CONCURRENCY = 16

/** SHA-256 of nothing: an empty file need not be fetched. */
export const EMPTY_SHA256 = createHash('sha256').digest('hex')

/**
 * The bytes on disk, by their sha256. What is in `content/` was verified before it got its name there; `partial/` holds what is not whole
 * yet. Equal files are there once.
 */
export class ContentStore {
  readonly #io: FileIo
  readonly #root: string
  readonly #committer: Committer
  readonly #held = new Map<string, number>()
  readonly #partials = new Map<string, number>()
  readonly #folders = new Set<string>()
  #heldBytes = 0
  #partialBytes = 0

  private constructor(io: FileIo, root: string, clock: Clock, commitIntervalMs: number) {
    this.#io = io
    this.#root = root
    this.#committer = new Committer(io, clock, commitIntervalMs)
  }

  /** Reads what is there. Makes the folders where they are missing. */
  static async open(io: FileIo, root: string, clock: Clock, commitIntervalMs: number): Promise<ContentStore> {
    const store = new ContentStore(io, root, clock, commitIntervalMs)
    await io.makeFolder(join(root, 'content'))
    await io.makeFolder(join(root, 'partial'))
    await store.#scan()
    return store
  }

  async #scan(): Promise<void> {
    const content = join(this.#root, 'content')
    for (const folder of await this.#io.list(content)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue
      this.#folders.add(folder)
      const names = (await this.#io.list(join(content, folder))).filter((name) => SHA256.test(name))
      await inParallel(names, async (name) => {
        const size = await this.#io.sizeOf(this.contentPath(name))
        if (size !== undefined) this.#noteHeld(name, size)
      })
    }
    const partials = (await this.#io.list(join(this.#root, 'partial'))).filter((name) => SHA256.test(name))
    await inParallel(partials, async (name) => {
      const size = await this.#io.sizeOf(this.partialPath(name))
      if (size !== undefined) this.notePartial(name, size)
    })
  }

  contentPath(sha256: string): string {
    return join(this.#root, 'content', sha256.slice(0, 2), sha256)
  }

  partialPath(sha256: string): string {
    return join(this.#root, 'partial', sha256)
  }

  has(sha256: string): boolean {
    return this.#held.has(sha256)
  }

  /** Bytes of a held file. */
  sizeOf(sha256: string): number | undefined {
    return this.#held.get(sha256)
  }

  held(): MapIterator<[sha256: string, bytes: number]> {
    return this.#held.entries()
  }

  get heldFiles(): number {
    return this.#held.size
  }

  /** Bytes of everything, partial files included. */
  get usedBytes(): number {
    return this.#heldBytes + this.#partialBytes
  }

  partials(): MapIterator<string> {
    return this.#partials.keys()
  }

  /** Bytes of a file that are there though it is not whole. */
  partialBytes(sha256: string): number {
    return this.#partials.get(sha256) ?? 0
  }

  notePartial(sha256: string, bytes: number): void {
    this.#partialBytes += bytes - this.partialBytes(sha256)
    this.#partials.set(sha256, bytes)
  }

  /** Files that are whole but not durable yet. */
  get commitBacklog(): number {
    return this.#committer.backlog
  }

  /** Lets the store know whether more files are on their way: then it makes them durable together. */
  set expectsMore(expects: () => boolean) {
    this.#committer.expectsMore = expects
  }

  /** Puts a whole, verified partial file among the held, durably. It is closed in any case; where that fails, it is gone. */
  async publish(sha256: string, size: number, file: OpenFile): Promise<void> {
    try {
      await this.#prepareFolder(sha256.slice(0, 2))
    } catch (error) {
      await file.close()
      throw error
    }
    try {
      await this.#committer.commit({ file, from: this.partialPath(sha256), to: this.contentPath(sha256) })
    } catch (error) {
      // After a failed fsync nobody knows which bytes are on disk, and a second one may say that all is well: start again.
      await this.discardPartial(sha256).catch(() => {})
      if (!this.has(sha256)) await this.#io.remove(this.contentPath(sha256)).catch(() => {})
      throw error
    }
    this.#forgetPartial(sha256)
    this.#noteHeld(sha256, size)
  }

  async #prepareFolder(name: string): Promise<void> {
    if (this.#folders.has(name)) return
    const content = join(this.#root, 'content')
    await this.#io.makeFolder(join(content, name))
    await this.#io.syncFolder(content)
    this.#folders.add(name)
  }

  async discardPartial(sha256: string): Promise<void> {
    this.#forgetPartial(sha256)
    await this.#io.remove(this.partialPath(sha256))
  }

  async evict(sha256: string): Promise<void> {
    this.#forgetHeld(sha256)
    await this.#io.remove(this.contentPath(sha256))
  }

  /** Takes a file whose bytes are no longer right out of the held, at once; its bytes are moved away. */
  async setAside(sha256: string): Promise<void> {
    this.#forgetHeld(sha256)
    const folder = join(this.#root, 'rotten')
    await this.#io.makeFolder(folder)
    await this.#io.rename(this.contentPath(sha256), join(folder, sha256))
    const others = (await this.#io.list(folder)).filter((name) => name !== sha256)
    for (const name of others.slice(ROTTEN_KEPT - 1)) await this.#io.remove(join(folder, name))
  }

  #noteHeld(sha256: string, bytes: number): void {
    this.#forgetHeld(sha256)
    this.#held.set(sha256, bytes)
    this.#heldBytes += bytes
  }

  #forgetHeld(sha256: string): void {
    this.#heldBytes -= this.#held.get(sha256) ?? 0
    this.#held.delete(sha256)
  }

  #forgetPartial(sha256: string): void {
    this.#partialBytes -= this.partialBytes(sha256)
    this.#partials.delete(sha256)
  }
}

async function inParallel(items: readonly string[], fn: (item: string) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await fn(item)
  }
  await Promise.all(Array.from({ length: SCAN_CONCURRENCY }, worker))
}
