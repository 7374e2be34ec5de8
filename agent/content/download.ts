import { createHash, type Hash } from 'node:crypto'
import type { Fetcher, FetchHead } from '../fetch/fetcher.ts'
import type { FileIo, OpenFile } from '../file-io.ts'
import { FillError } from './fill-error.ts'
import type { RateLimit } from './rate-limit.ts'

export interface DownloadDeps {
  readonly io: FileIo
  readonly fetcher: Fetcher
  readonly rate: RateLimit
}

export interface Download {
  /** 64 hex digits. */
  readonly sha256: string
  readonly size: number
  /** Where the bytes go. */
  readonly path: string
  /** Whether there may be bytes already; then they are kept and continued. */
  readonly resume: boolean
  readonly url: string
  /** A 404 is no failure: nobody said that it has the file. */
  readonly mayMiss: boolean
  readonly signal: AbortSignal
  /** How many bytes are there, whenever that changes. */
  readonly onProgress: (bytes: number) => void
}

export interface Downloaded {
  /** Open, whole and verified; not yet durable. */
  readonly file: OpenFile
  /** Whether a part of it was there before. */
  readonly resumed: boolean
  /** Bytes that came over the network. */
  readonly fetchedBytes: number
}

const READ_BYTES = 256 * 1024

/**
 * Fetches one file from one source, hashing as the bytes come, and continues what an earlier attempt left. Gives a file only when its
 * digest is right. Throws FillError, FetchError, or what the disk threw; the bytes so far stay where they are.
 */
export async function download(deps: DownloadDeps, task: Download): Promise<Downloaded> {
  const file = await deps.io.openWrite(task.path, !task.resume)
  try {
    return await new Attempt(deps, task, file).run()
  } catch (error) {
    await file.close()
    throw error
  }
}

class Attempt {
  readonly #deps: DownloadDeps
  readonly #task: Download
  readonly #file: OpenFile
  #hash: Hash = createHash('sha256')
  #bytes = 0
  #fetched = 0
  /** Writes wait for it: a source that starts over makes what was there void. */
  #truncated: Promise<void> | undefined

  constructor(deps: DownloadDeps, task: Download, file: OpenFile) {
    this.#deps = deps
    this.#task = task
    this.#file = file
  }

  async run(): Promise<Downloaded> {
    const { size, sha256, url, signal } = this.#task
    if (this.#task.resume) await this.#readPartial()
    const resumed = this.#bytes > 0
    if (this.#bytes < size) {
      const request = { url, signal, ...(resumed && { headers: { Range: `bytes=${this.#bytes}-` } }) }
      try {
        await this.#deps.fetcher.fetch(request, {
          head: (head) => this.#onHead(head),
          data: (chunk) => this.#onData(chunk),
        })
      } finally {
        await this.#truncated
      }
    }
    if (this.#bytes < size) {
      throw new FillError('Truncated', 'file', `the source ended after ${this.#bytes} of ${size} bytes`)
    }
    const got = this.#hash.digest('hex')
    if (got !== sha256) {
      const message = `sha256 is ${got.slice(0, 12)}… where the catalog says ${sha256.slice(0, 12)}…`
      throw new FillError('DigestMismatch', 'file', message, { poisoned: true })
    }
    return { file: this.#file, resumed, fetchedBytes: this.#fetched }
  }

  /** Hashes what is there. */
  async #readPartial(): Promise<void> {
    let there = await this.#file.size()
    if (there > this.#task.size) {
      await this.#file.truncate(0)
      there = 0
    }
    // Also when there is nothing: it may have been thought that there is.
    this.#task.onProgress(there)
    if (there === 0) return
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, there))
    while (this.#bytes < there) {
      this.#task.signal.throwIfAborted()
      const read = await this.#file.read(buffer, this.#bytes)
      if (read === 0) break
      this.#hash.update(buffer.subarray(0, read))
      this.#bytes += read
    }
  }

  #onHead({ status, headers }: FetchHead): boolean {
    const { size, mayMiss } = this.#task
    if (status === 404 && mayMiss) throw new FillError('NotThere', 'miss', 'the source does not have it')
    if (headers.has('content-encoding') && headers.get('content-encoding') !== 'identity') {
      throw new FillError('BadAnswer', 'file', `the source encodes it as ${headers.get('content-encoding')}`)
    }
    if (status === 200) {
      if (this.#bytes > 0) this.#startOver()
      this.#checkLength(headers.get('content-length'), size)
      return true
    }
    if (status === 206 && this.#bytes > 0) {
      this.#checkRange(headers.get('content-range'))
      return true
    }
    if (status === 416) {
      throw new FillError('WrongSize', 'file', `the source has fewer than ${this.#bytes + 1} of its ${size} bytes`, {
        poisoned: true,
      })
    }
    throw new FillError(`HTTP${status}`, 'file', `the source answered ${status}`)
  }

  #checkLength(length: string | undefined, expected: number): void {
    if (length === undefined || Number(length) === expected) return
    throw new FillError('WrongSize', 'file', `the source has ${length} bytes instead of ${expected}`)
  }

  #checkRange(range: string | undefined): void {
    const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(range ?? '')
    const { size } = this.#task
    const total = match?.[3]
    if (total !== undefined && total !== '*' && Number(total) !== size) {
      throw new FillError('WrongSize', 'file', `the source has ${total} bytes instead of ${size}`, { poisoned: true })
    }
    if (Number(match?.[1]) === this.#bytes && Number(match?.[2]) === size - 1) return
    const asked = `${this.#bytes}-${size - 1}`
    throw new FillError('BadAnswer', 'file', `asked for bytes ${asked}, the source sent ${JSON.stringify(range)}`)
  }

  /** The source ignores ranges. */
  #startOver(): void {
    this.#hash = createHash('sha256')
    this.#bytes = 0
    this.#truncated = this.#file.truncate(0)
    // Whoever waits for it hears of its failure; nobody may be waiting yet.
    this.#truncated.catch(() => {})
  }

  #onData(chunk: Uint8Array): Promise<void> {
    const { size, signal, onProgress } = this.#task
    const position = this.#bytes
    if (position + chunk.length > size) {
      throw new FillError('WrongSize', 'file', `the source sends more than ${size} bytes`, { poisoned: true })
    }
    this.#bytes += chunk.length
    this.#fetched += chunk.length
    // On disk before it counts; in the hash at once, for what is hashed must be in order.
    this.#hash.update(chunk)
    const written = this.#truncated
      ? this.#truncated.then(() => this.#file.write(chunk, position))
      : this.#file.write(chunk, position)
    const allowed = this.#deps.rate.take(chunk.length, signal)
    // The chunk is ours until the write has ended, even when waiting for the rate is broken off: hence not Promise.all.
    allowed?.catch(() => {})
    return written.then(() => {
      onProgress(position + chunk.length)
      return allowed
    })
  }
}
