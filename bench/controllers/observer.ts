import { assignments } from '../../controllers/resources.ts'
import type { Credential } from '../../runtime/client/credentials.ts'
import { LineSplitter } from '../../runtime/client/ndjson.ts'
import { resourcePath } from '../../runtime/client/resource.ts'
import { Transport } from '../../runtime/client/transport.ts'
import { systemClock } from '../../runtime/clock.ts'
import type { Access } from '../apiserver/connection.ts'
import { clientOf, clusterAccess } from './access.ts'
import { NAMESPACE } from './fleet.ts'

/** Of every event, what tells whose it is: owner and object have the same name. */
const NAME = /"name":"(box-\d+)"/
const VERSION = /"resourceVersion":"(\d+)"/

/**
 * Watches the Assignments from outside, as cheaply as that can be done: lines are searched, not parsed. The same one looks at whoever writes, so
 * that all are measured by what the API tells.
 */
export class Observer {
  readonly #writes = new Map<string, number>()
  readonly #stop = new AbortController()
  readonly #ended: Promise<void>
  #at: string
  #origin: string | undefined
  readonly #done = new Set<string>()
  #objects = 0
  #all: (() => void) | undefined

  static async start(access: Access): Promise<Observer> {
    const client = clientOf(access)
    let from = ''
    for await (const page of client.pages(assignments, { namespace: NAMESPACE, limit: 1 })) {
      from = page.resourceVersion
      break
    }
    client.close()
    return new Observer(access, from)
  }

  private constructor(access: Access, from: string) {
    this.#at = from
    this.#ended = this.#follow(access).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) throw error
    })
    // Whoever waits for something to be seen hears of it.
    this.#ended.catch(() => {})
  }

  /** Resolves once so many Assignments have been written with this origin, since now. */
  sees(origin: string, objects: number): Promise<void> {
    this.#writes.clear()
    this.#done.clear()
    this.#origin = `"originUrl":"${origin}"`
    this.#objects = objects
    const all = new Promise<void>((resolve) => {
      this.#all = resolve
    })
    return Promise.race([
      all,
      this.#ended.then(() => {
        throw new Error('the observer’s watch has ended')
      }),
    ])
  }

  /** The most often that one Assignment has been written since `sees`. */
  get mostWrites(): number {
    return Math.max(0, ...this.#writes.values())
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#ended
  }

  /** Watches again from where it is whenever a server ends the watch: kube-apiserver does so to whoever falls behind. */
  async #follow(access: Access): Promise<void> {
    const { credentials, ...target } = clusterAccess(access)
    const transport = new Transport({ access: target, clock: systemClock, maxConnections: 1 })
    while (!this.#stop.signal.aborted) await this.#watch(transport, await credentials.get())
  }

  async #watch(transport: Transport, credential: Credential): Promise<void> {
    const response = await transport.open({
      method: 'GET',
      path: `${resourcePath(assignments, NAMESPACE)}?watch=true&resourceVersion=${this.#at}&timeoutSeconds=3600`,
      headers: { Accept: 'application/json' },
      credential,
      timeoutMs: 30_000,
      stream: true,
      signal: this.#stop.signal,
    })
    const lines = new LineSplitter()
    for await (const chunk of response) for (const line of lines.push(chunk as Buffer)) this.#take(line)
  }

  #take(line: string): void {
    const name = NAME.exec(line)?.[1]
    const version = VERSION.exec(line)?.[1]
    if (name === undefined || version === undefined)
      throw new Error(`not an Assignment of the fleet: ${line.slice(0, 500)}`)
    this.#at = version
    this.#writes.set(name, (this.#writes.get(name) ?? 0) + 1)
    if (this.#origin === undefined || !line.includes(this.#origin)) return
    this.#done.add(name)
    if (this.#done.size === this.#objects) this.#all?.()
  }
}
