import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { KubeObject } from '../../crds/metadata.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import type { Blobs } from './blobs.ts'
import type { Model } from './model.ts'
import { KINDS, type Kind } from './objects.ts'

/** Of the format: a snapshot of another version is not read. */
const VERSION = 1
const FILE = 'snapshot.ndjson'
/** Written at most so often, when something has changed; and not more than a twentieth of the time, however large it is. */
const EVERY_MS = 2000
const REST = 20
/** Objects that are written before others get their turn: about a millisecond. */
const OBJECTS_AT_ONCE = 200

export interface SnapshotOptions {
  readonly folder: string
  readonly model: Model
  readonly blobs: Blobs
  readonly clock: Clock
  readonly log: Log
  /** Whether the model is worth writing: it is what the API has said. */
  readonly isTrue: () => boolean
  readonly everyMs?: number
}

/**
 * Keeps the objects that the model is made of in a file, so that a start without the API server goes on from there; the blobs that they name are kept as
 * copies. NDJSON: a header, a line per object, and at the end the SHA-256 of all that, so that half a file is never taken for a whole one.
 */
export class Snapshot {
  readonly #options: SnapshotOptions
  #written = -1
  #writing: Promise<void> | undefined
  #cancel = () => {}
  #closed = false
  /** When the last one was written or was read; undefined: never. */
  savedAt: Date | undefined

  constructor(options: SnapshotOptions) {
    this.#options = options
  }

  /** Begins to write; the first after a moment, when the model is complete. */
  start(): void {
    const { clock, everyMs = EVERY_MS } = this.#options
    this.#cancel = clock.after(everyMs, () => void this.#run())
  }

  /** Fills the model from the file. False where there is none, or it cannot be used: the log says why. */
  async load(): Promise<boolean> {
    const { folder, model, log } = this.#options
    const path = join(folder, FILE)
    try {
      const { savedAt, objects } = parseSnapshot(await readFile(path))
      for (const kind of KINDS) for (const object of objects) if (object.kind === kind) model.put(kind, object as never)
      model.tick()
      this.savedAt = savedAt
      log.info({ path, savedAt, objects: objects.length }, 'started from the last snapshot')
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        log.error({ path, error: (error as Error).message }, 'the snapshot cannot be used')
      return false
    }
  }

  /** Writes what has changed since the last time, and stops. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancel()
    await this.#writing
    await this.write()
  }

  /** Writes a snapshot now, unless nothing has changed since the last. */
  async write(): Promise<void> {
    const { model, blobs, folder, clock, log, isTrue } = this.#options
    const { version } = model
    if (!isTrue() || version === this.#written) return
    try {
      const needed = new Set(model.inventories.needed())
      await blobs.settled()
      const savedAt = clock.now()
      await writeSnapshot(folder, model.all(), savedAt)
      this.#written = version
      this.savedAt = savedAt
      for (const digest of model.inventories.needed()) needed.add(digest)
      await blobs.keepOnly(needed)
    } catch (error) {
      log.error({ folder, error: (error as Error).message }, 'the snapshot cannot be written')
    }
  }

  async #run(): Promise<void> {
    const { clock, everyMs = EVERY_MS } = this.#options
    const startedMs = clock.monotonicMs()
    this.#writing = this.write()
    await this.#writing
    const restMs = Math.max(everyMs, (clock.monotonicMs() - startedMs) * REST)
    if (!this.#closed) this.#cancel = clock.after(restMs, () => void this.#run())
  }
}

/** Writes a file beside the old one, and puts it in its place once it is on disk. */
export async function writeSnapshot(folder: string, objects: Iterable<KubeObject>, savedAt: Date): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, FILE)
  const file = await open(`${path}.partial`, 'w', 0o600)
  try {
    const hash = createHash('sha256')
    const write = async (text: string) => {
      hash.update(text)
      await file.writeFile(text)
    }
    await write(`${JSON.stringify({ weirSteeringSnapshot: VERSION, savedAt })}\n`)
    let lines = ''
    let count = 0
    for (const object of objects) {
      lines += `${JSON.stringify(object)}\n`
      if (++count % OBJECTS_AT_ONCE !== 0) continue
      await write(lines)
      lines = ''
    }
    await write(lines)
    await file.writeFile(`${JSON.stringify({ objects: count, sha256: hash.digest('hex') })}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.partial`, path)
  const parent = await open(folder, 'r')
  try {
    await parent.sync()
  } finally {
    await parent.close()
  }
}

/** Reads what `writeSnapshot` wrote. Throws a RangeError that says what is wrong with it. */
export function parseSnapshot(bytes: Buffer): {
  readonly savedAt: Date
  readonly objects: readonly (KubeObject & { readonly kind: Kind })[]
} {
  const end = bytes.length > 1 ? bytes.lastIndexOf(0x0a, bytes.length - 2) + 1 : 0
  const body = bytes.subarray(0, end)
  const trailer = json(bytes.subarray(end).toString('utf8')) as { objects?: number; sha256?: string } | null
  if (end === 0 || trailer?.sha256 === undefined) throw new RangeError('it has no end')
  if (createHash('sha256').update(body).digest('hex') !== trailer.sha256) throw new RangeError('its bytes are damaged')
  const [head = '', ...lines] = body.toString('utf8').split('\n').slice(0, -1)
  const header = json(head) as { weirSteeringSnapshot?: number; savedAt?: string } | null
  if (header?.weirSteeringSnapshot !== VERSION)
    throw new RangeError(`it is of version ${header?.weirSteeringSnapshot}, not ${VERSION}`)
  return { savedAt: new Date(header.savedAt ?? ''), objects: lines.map((line) => JSON.parse(line)) }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
