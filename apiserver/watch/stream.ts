import type { ServerResponse } from 'node:http'
import { expired, type Status, serviceUnavailable } from '../api-error.ts'
import type { Representation } from '../served.ts'
import type { EventBatch, Watch, WatchSink } from '../storage/store.ts'
import { errorFrame, type Framer } from './frames.ts'

/** A watcher that has so many bytes unsent gets no more until it has read them. */
const fullBytes = 1024 * 1024

export interface StreamOptions {
  readonly res: ServerResponse
  readonly framer: Framer
  /** Events up to this revision are known to the client. */
  readonly afterRevision: number
  /** An empty object of the kind, carrying a revision. */
  readonly bookmark: (revision: number, initialEventsEnd: boolean) => Representation
  readonly onClose: () => void
}

/**
 * One watch over HTTP. Frames are written to the socket beneath the response, whose headers have been sent with chunked encoding: a
 * frame that 500 watchers share is encoded and framed once.
 */
export class WatchStream implements WatchSink {
  readonly #options: StreamOptions
  #watch: Watch | undefined
  #first = true
  #closed = false
  #sentBookmark = 0

  constructor(options: StreamOptions) {
    this.#options = options
    options.res.on('close', () => this.close())
  }

  /** Connects the stream to its source of events; call once, after the initial state has been sent. */
  attach(watch: Watch): void {
    this.#watch = watch
    if (this.#closed) watch.close()
    this.#resumeOnDrain()
  }

  sendInitial(objects: readonly Representation[]): void {
    if (objects.length === 0) return
    this.#write(this.#options.framer.initial(objects, this.#first))
    this.#first = false
  }

  events(batch: EventBatch): boolean {
    if (this.#closed) return true
    const { afterRevision, framer } = this.#options
    const last = batch.at(-1)
    if (last && last.revision <= afterRevision) return true
    const fresh =
      batch[0] && batch[0].revision <= afterRevision ? batch.filter((e) => e.revision > afterRevision) : batch
    const frame = framer.frame(fresh, this.#first)
    if (frame) {
      this.#write(frame)
      this.#first = false
    }
    return !this.#full
  }

  /** Tells the client how far it is; nothing where it has been told already, or has yet to read what was sent. */
  sendBookmark(initialEventsEnd = false): void {
    const revision = Math.max(this.#watch?.revision ?? 0, this.#options.afterRevision)
    // That the state has been told is never left out: a client that waits for it would wait for ever.
    if (this.#closed || (!initialEventsEnd && (this.#full || revision === this.#sentBookmark))) return
    this.#sentBookmark = revision
    this.#write(this.#options.framer.bookmark(this.#options.bookmark(revision, initialEventsEnd), this.#first))
    this.#first = false
  }

  end(reason: 'Compacted' | 'Closed'): void {
    const why =
      reason === 'Compacted'
        ? expired('The resourceVersion for the provided watch is too old.')
        : serviceUnavailable('the server is shutting down')
    this.fail(why.status)
  }

  /** Ends the stream with an ERROR event. */
  fail(status: Status): void {
    if (this.#closed) return
    this.#write(errorFrame(status))
    this.finish()
  }

  /** Ends the stream as if its time were over: clients watch again from where they are. */
  finish(): void {
    if (this.#closed) return
    this.close()
    this.#options.res.end()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#watch?.close()
    this.#options.onClose()
  }

  get #full(): boolean {
    return (this.#options.res.socket?.writableLength ?? 0) > fullBytes
  }

  #write(frame: Buffer): void {
    const { socket } = this.#options.res
    if (!socket || socket.destroyed) return
    socket.write(frame)
  }

  #resumeOnDrain(): void {
    const { socket } = this.#options.res
    if (!socket) return
    const resume = () => {
      if (this.#closed) socket.off('drain', resume)
      else this.#watch?.resume()
    }
    socket.on('drain', resume)
    this.#options.res.on('close', () => socket.off('drain', resume))
  }
}
