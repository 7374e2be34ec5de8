import { resourcePath } from '../../runtime/client/resource.ts'
import { isForbidden, isGone, isNotFound } from '../../runtime/errors.ts'
import type { Connection } from '../api/connect.ts'
import { AS_JSON, readOne, readPages } from '../api/request.ts'
import { concurrently } from '../concurrently.ts'
import type { Body } from './change.ts'
import type { Resolved } from './resolve.ts'

/** Requests under way at once. */
const CONCURRENCY = 16
/** Objects of a page; what follows has to wait for it. */
const PAGE = 500

/** Where `liveObjects` has an object. */
export const liveKey = ({ resource, object }: Resolved) =>
  `${resource.group}/${resource.plural}/${object.metadata.namespace ?? ''}/${object.metadata.name}`

/**
 * The objects of a set as they are on the server, read with one list per resource and namespace; one by one where that takes fewer round
 * trips (a few of a very large collection), or where listing is not allowed.
 */
export async function liveObjects(
  connection: Connection,
  set: readonly Resolved[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Body>> {
  const served = set.filter(({ late }) => !late)
  const places = Map.groupBy(served, ({ resource, object }) =>
    JSON.stringify([resource.group, resource.version, resource.plural, object.metadata.namespace]),
  )
  const found = new Map<string, Body>()
  await concurrently([...places.values()], CONCURRENCY, async (members) => {
    const reader = new CollectionReader(connection, members, signal)
    for (const [key, object] of await reader.read()) found.set(key, object)
  })
  return found
}

/** Reads some objects of one collection. */
class CollectionReader {
  readonly #connection: Connection
  readonly #members: ReadonlyMap<string, Resolved>
  readonly #signal: AbortSignal
  readonly #found = new Map<string, Body>()

  constructor(connection: Connection, members: readonly Resolved[], signal: AbortSignal) {
    this.#connection = connection
    this.#members = new Map(members.map((member) => [member.object.metadata.name ?? '', member]))
    this.#signal = signal
  }

  async read(): Promise<ReadonlyMap<string, Body>> {
    const [first] = this.#members.keys()
    try {
      if (this.#members.size === 1) await this.#list({ fieldSelector: `metadata.name=${first}` })
      else await this.#pages()
    } catch (error) {
      if (isForbidden(error)) await this.#eachMissing()
      // Pages of a state that is too old by now: read again in one.
      else if (isGone(error)) await this.#list({})
      // A collection that is not there holds nothing.
      else if (!isNotFound(error)) throw error
    }
    return this.#found
  }

  /** Each page tells how much is left, of servers that know it. */
  async #pages(): Promise<void> {
    const { resource, object } = this.#one()
    const path = resourcePath(resource, object.metadata.namespace)
    for (let token: string | undefined; ; ) {
      const query = { limit: PAGE, continue: token }
      const page = (await this.#connection.client.raw(path, { query, signal: this.#signal })) as Page
      this.#take(page)
      token = page.metadata?.continue || undefined
      if (token === undefined || this.#found.size === this.#members.size) return
      const pagesLeft = Math.ceil((page.metadata?.remainingItemCount ?? 0) / PAGE)
      if ((this.#members.size - this.#found.size) / CONCURRENCY < pagesLeft) return await this.#eachMissing()
    }
  }

  async #list(selector: { readonly fieldSelector?: string }): Promise<void> {
    const { resource, object } = this.#one()
    const request = { ...this.#request(resource, object.metadata.namespace), ...selector }
    for (const page of await readPages(this.#connection.client, request, 0)) this.#take(page as Page)
  }

  async #eachMissing(): Promise<void> {
    const missing = [...this.#members.values()].filter((member) => !this.#found.has(liveKey(member)))
    await concurrently(missing, CONCURRENCY, async ({ resource, object }) => {
      const { name = '', namespace } = object.metadata
      const read = readOne(this.#connection.client, { ...this.#request(resource, namespace), name })
      const item = await read.catch((error: unknown) => {
        if (isNotFound(error)) return undefined
        throw error
      })
      if (item) this.#take({ items: [item as Body] })
    })
  }

  #take({ items = [] }: Page): void {
    for (const item of items) {
      const member = this.#members.get(item.metadata.name ?? '')
      if (!member) continue
      const { apiVersion, kind } = member.object
      // Items of typed lists do not say what they are.
      this.#found.set(liveKey(member), { ...item, apiVersion, kind } as Body)
    }
  }

  #one(): Resolved {
    return this.#members.values().next().value!
  }

  #request(resource: Resolved['resource'], namespace: string | undefined) {
    return { resource, accept: AS_JSON, signal: this.#signal, ...(namespace === undefined ? {} : { namespace }) }
  }
}

interface Page {
  readonly items?: readonly Body[]
  readonly metadata?: { readonly continue?: string; readonly remainingItemCount?: number }
}
