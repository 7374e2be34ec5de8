import { asObject } from '../json.ts'
import type { Representation, Served } from '../served.ts'
import type { EventBatch, StoreEvent, StoreEventType } from '../storage/store.ts'
import type { ObjectFilter } from '../verbs/selection.ts'

/** How an event's object is shown; 'plain' objects are sent as they are encoded already. */
export interface EventForm {
  /** Equal forms have equal keys. */
  readonly key: string
  /** Encodes an object. `first`: it is the first on this stream (Tables name their columns there). */
  encode(object: Representation, first: boolean): Buffer | string
  /** Whether the first object of a stream looks different from the others. */
  readonly firstDiffers: boolean
}

interface Shown {
  readonly type: StoreEventType
  readonly object: Representation
}

/**
 * Encodes events for every watcher that wants the same of the same resource, once per batch. A frame is an HTTP chunk, so that it can go to
 * any number of sockets as it is.
 */
export class Framer {
  readonly #served: Served
  readonly #filter: ObjectFilter
  readonly #form: EventForm
  readonly #frames = new WeakMap<EventBatch, Buffer | null>()

  constructor(served: Served, filter: ObjectFilter, form: EventForm) {
    this.#served = served
    this.#filter = filter
    this.#form = form
  }

  /** The chunk of a batch; null where no event of it concerns the watcher. `first`: nothing has been sent on this stream yet. */
  frame(batch: EventBatch, first: boolean): Buffer | null {
    if (first && this.#form.firstDiffers) return this.#encode(batch, true)
    let frame = this.#frames.get(batch)
    if (frame === undefined) {
      frame = this.#encode(batch, false)
      this.#frames.set(batch, frame)
    }
    return frame
  }

  /** A chunk of ADDED events, for the state that a watch starts with. */
  initial(objects: readonly Representation[], first: boolean): Buffer {
    return chunk(objects.flatMap((object, i) => this.#event('ADDED', object, first && i === 0)))
  }

  bookmark(object: Representation, first: boolean): Buffer {
    return chunk(this.#event('BOOKMARK', object, first))
  }

  #encode(batch: EventBatch, first: boolean): Buffer | null {
    const parts: Buffer[] = []
    let pending = first
    for (const event of batch) {
      const shown = this.#shown(event)
      if (!shown) continue
      parts.push(...this.#event(shown.type, shown.object, pending))
      pending = false
    }
    return parts.length === 0 ? null : chunk(parts)
  }

  #event(type: StoreEventType | 'BOOKMARK', object: Representation, first: boolean): Buffer[] {
    const encoded = this.#form.encode(object, first)
    return [heads[type], typeof encoded === 'string' ? Buffer.from(encoded) : encoded, tail]
  }

  /** What a watcher with this selector sees of an event: objects come and go as they start and cease to match. */
  #shown(event: StoreEvent): Shown | undefined {
    const current = this.#served.read(event.current)
    if (!this.#filter.selective) return { type: event.type, object: current }
    const before = event.previous && this.#served.read(event.previous)
    const matched = before !== undefined && this.#filter.matches(before.value)
    if (event.type === 'DELETED') return matched ? { type: 'DELETED', object: current } : undefined
    const matches = this.#filter.matches(current.value)
    if (matches) return { type: matched ? 'MODIFIED' : 'ADDED', object: current }
    return matched ? { type: 'DELETED', object: leaving(before, event.revision) } : undefined
  }
}

/** The last state that matched, as of the revision at which it ceased to. */
function leaving(before: Representation, revision: number): Representation {
  const metadata = { ...before.value.metadata, resourceVersion: String(revision) }
  const value = asObject({ ...before.value, metadata })
  return { value, json: Buffer.from(JSON.stringify(value)) }
}

const head = (type: string) => Buffer.from(`{"type":"${type}","object":`)
const heads = { ADDED: head('ADDED'), MODIFIED: head('MODIFIED'), DELETED: head('DELETED'), BOOKMARK: head('BOOKMARK') }
const tail = Buffer.from('}\n')
const newline = Buffer.from('\r\n')

/** Wraps parts as one chunk of a chunked HTTP body. */
export function chunk(parts: readonly Buffer[]): Buffer {
  let size = 0
  for (const p of parts) size += p.length
  return Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), ...parts, newline])
}

/** An ERROR event with a Status. */
export function errorFrame(status: object): Buffer {
  return chunk([Buffer.from(`{"type":"ERROR","object":${JSON.stringify(status)}}\n`)])
}
