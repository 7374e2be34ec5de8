import type { ServerResponse } from 'node:http'
import type { Assignment } from '../crds/types.gen.ts'
import type { Clock } from '../runtime/clock.ts'

export const PING_INTERVAL_MS = 10_000
/** A reader that takes nothing for so long is dropped: it will come back, and is then told where things stand. */
export const SLOW_READER_MS = 30_000

const PING = `${JSON.stringify({ type: 'PING' })}\n`

/** How an Assignment is told. The uid tells a new one, whose generations begin again, from an old one that comes late. */
export function assignmentMessage({ metadata, spec }: Assignment) {
  return { type: 'ASSIGNMENT', uid: metadata.uid, assignment: spec } as const
}

/**
 * One appliance's Assignment stream. Only the newest Assignment is ever kept for a reader that is behind: what it missed does not matter.
 */
class AssignmentStream {
  readonly #res: ServerResponse
  readonly #clock: Clock
  #sent: string | undefined
  #pending: string | undefined
  #blocked = false
  #cancelPing: () => void = () => {}
  #cancelDrop: () => void = () => {}

  constructor(res: ServerResponse, clock: Clock) {
    this.#res = res
    this.#clock = clock
    res.on('drain', () => this.#drained())
    res.on('close', () => this.#stop())
    this.#pingLater()
  }

  /** Tells the Assignment, unless this is what was told last: whether it was news. */
  tell(assignment: Assignment | undefined): boolean {
    if (assignment === undefined) return false
    const line = `${JSON.stringify(assignmentMessage(assignment))}\n`
    if (line === (this.#pending ?? this.#sent)) return false
    this.#pending = line
    this.#flush()
    return true
  }

  end(): void {
    this.#res.end()
    this.#stop()
  }

  #flush(): void {
    if (this.#blocked || this.#pending === undefined) return
    this.#sent = this.#pending
    this.#pending = undefined
    this.#write(this.#sent)
  }

  #write(line: string): void {
    if (this.#res.write(line)) return
    this.#blocked = true
    this.#cancelDrop = this.#clock.after(SLOW_READER_MS, () => this.#res.destroy())
  }

  #drained(): void {
    this.#blocked = false
    this.#cancelDrop()
    this.#flush()
  }

  #pingLater(): void {
    this.#cancelPing = this.#clock.after(PING_INTERVAL_MS, () => {
      if (!this.#blocked) this.#write(PING)
      this.#pingLater()
    })
  }

  #stop(): void {
    this.#cancelPing()
    this.#cancelDrop()
  }
}

/** The open Assignment streams, at most one per appliance: a new one takes the place of the old. */
export class AssignmentStreams {
  readonly #clock: Clock
  readonly #open = new Map<string, AssignmentStream>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#open.size
  }

  /** Makes the answer a stream, and tells the Assignment, if there is one, at once. The head must have been written. */
  open(key: string, res: ServerResponse, assignment: Assignment | undefined): void {
    this.#open.get(key)?.end()
    const stream = new AssignmentStream(res, this.#clock)
    this.#open.set(key, stream)
    res.on('close', () => {
      if (this.#open.get(key) === stream) this.#open.delete(key)
    })
    stream.tell(assignment)
  }

  /** Whether it was news to an appliance that listens. */
  tell(key: string, assignment: Assignment): boolean {
    return this.#open.get(key)?.tell(assignment) ?? false
  }

  /** Ends the appliance's stream, if there is one. */
  close(key: string): void {
    this.#open.get(key)?.end()
  }

  closeAll(): void {
    for (const stream of this.#open.values()) stream.end()
  }
}
