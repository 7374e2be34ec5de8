import { type Access, Connection } from './connection.ts'

const eventMark = Buffer.from('"type":"MODIFIED"')
/** A watcher that has got nothing for so long is taken to have been dropped by the server. */
const patienceMs = 2000

interface Watcher {
  connection: Connection
  /** The head of the answer has come: the watch is on. */
  isOn: boolean
  received: number
  /** Events that it never got: the server dropped it. */
  lost: number
}

/** Clients that watch a collection, each over a connection of its own. */
export class Watchers {
  readonly #access: Access
  readonly #collection: string
  readonly #watchers: Watcher[] = []

  /** Resolves once all watch. */
  static async open(access: Access, collection: string, count: number): Promise<Watchers> {
    const watchers = new Watchers(access, collection)
    const revision = await watchers.#revision()
    for (let i = 0; i < count; i++) watchers.#watchers.push(await watchers.#start(revision))
    while (watchers.#watchers.some((w) => !w.isOn)) await tick()
    return watchers
  }

  private constructor(access: Access, collection: string) {
    this.#access = access
    this.#collection = collection
  }

  /** Events received by all. */
  get received(): number {
    return this.#watchers.reduce((sum, w) => sum + w.received, 0)
  }

  /** Events that watchers never got because the server dropped them. */
  get lost(): number {
    return this.#watchers.reduce((sum, w) => sum + w.lost, 0)
  }

  /** Waits until each has received so many events. Who was dropped is begun anew, its loss counted. */
  async settle(events: number): Promise<void> {
    let before = this.received
    let patience = performance.now() + patienceMs
    for (;;) {
      const behind = this.#watchers.filter((w) => w.received + w.lost < events)
      if (behind.length === 0) return
      await tick()
      const received = this.received
      if (received > before) {
        before = received
        patience = performance.now() + patienceMs
      } else if (performance.now() > patience) {
        for (const watcher of behind) await this.#restart(watcher, events)
      }
    }
  }

  close(): void {
    for (const { connection } of this.#watchers) connection.close()
  }

  async #start(revision: string): Promise<Watcher> {
    const watcher: Watcher = { connection: await Connection.open(this.#access), isOn: false, received: 0, lost: 0 }
    this.#watch(watcher, revision)
    return watcher
  }

  async #restart(watcher: Watcher, events: number): Promise<void> {
    watcher.connection.close()
    watcher.lost = events - watcher.received
    watcher.connection = await Connection.open(this.#access)
    watcher.isOn = false
    this.#watch(watcher, await this.#revision())
    while (!watcher.isOn) await tick()
  }

  #watch(watcher: Watcher, revision: string): void {
    const count = markCounter(eventMark)
    watcher.connection.watch(`${this.#collection}?watch=true&resourceVersion=${revision}`, (data) => {
      watcher.isOn = true
      watcher.received += count(data)
    })
  }

  async #revision(): Promise<string> {
    const connection = await Connection.open(this.#access)
    const { body } = await connection.request('GET', `${this.#collection}?limit=1`)
    connection.close()
    return /"resourceVersion":"(\d+)"/.exec(body)?.[1] ?? ''
  }
}

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1))
}

/** Counts a mark in a stream, also where it is cut in two. */
function markCounter(mark: Buffer): (data: Buffer) => number {
  let tail: Buffer = Buffer.alloc(0)
  return (data) => {
    let count = 0
    if (tail.length > 0 && Buffer.concat([tail, data.subarray(0, mark.length - 1)]).indexOf(mark) >= 0) count++
    for (let at = data.indexOf(mark); at >= 0; at = data.indexOf(mark, at + mark.length)) count++
    // With less than a whole mark kept, what has been counted is not counted again.
    tail = Buffer.from(data.subarray(Math.max(0, data.length - mark.length + 1)))
    return count
  }
}
