import type { JsonValue } from '../../crds/metadata.ts'
import { ApiError, badRequest, tooManyRequests } from '../api-error.ts'
import { asJsonObject, BodyError, parseJson } from '../verbs/body.ts'
import { Exchange, type HttpExchange } from './exchange.ts'
import { parsePath, type ResourceRequest } from './request-info.ts'

/** Where batches are sent. Discovery answers name it in their `Weir-Batch` header. */
export const batchPath = '/weir/v1/batch'
export const batchHeader = 'Weir-Batch'

/** Requests that one batch may hold. Its body is bounded like any other. */
const maxItems = 1000
/** Requests of one batch that are under way at once. */
const concurrency = 16
/** What all answers may take; a request whose turn comes after that is not carried out. */
const maxAnswerBytes = 16 * 1024 * 1024

/** Runs one item as if it had come on its own: who sent the batch must be allowed to do it. Resolves with false where its path is none. */
export type ServeItem = (exchange: Exchange, request: ResourceRequest) => Promise<boolean>

/**
 * Answers many requests of one user in one: `{requests: [{method, path, contentType?, body?}]}` is answered with
 * `{responses: [{code, body, warnings?}]}` in the same order. Requests are for resources, of any verb but watch, and are carried out just
 * as they are when they come alone; each is refused or fails by itself. Nothing is promised of the order in which they take effect.
 */
export async function serveBatch(
  exchange: HttpExchange,
  serve: ServeItem,
  fault: (error: unknown, path: string) => void,
): Promise<void> {
  const items = readItems(await exchange.body())
  const answers: Buffer[] = new Array(items.length)
  let bytes = 0
  let next = 0
  const lane = async () => {
    for (let index = next++; index < items.length; index = next++) {
      const item = new ItemExchange(items[index]!, exchange)
      await serveItem(item, bytes > maxAnswerBytes ? refuseToGoOn : serve).catch((error: unknown) =>
        item.fail(error, (unexpected) => fault(unexpected, item.path)),
      )
      answers[index] = item.answer
      bytes += item.answer.length
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, lane))
  const joined = answers.flatMap((answer, index) => (index === 0 ? [answer] : [comma, answer]))
  await exchange.send(200, 'application/json', Buffer.concat([open, ...joined, close]))
}

const open = Buffer.from('{"responses":[')
const comma = Buffer.from(',')
const close = Buffer.from(']}')

async function serveItem(item: ItemExchange, serve: ServeItem): Promise<void> {
  const request = parsePath(item.path)
  if (request?.type !== 'resource') throw badRequest(`${JSON.stringify(item.path)} is not the path of a resource`)
  if (!(await serve(item, request)))
    throw new ApiError(404, 'NotFound', 'the server could not find the requested resource')
}

const refuseToGoOn: ServeItem = () => {
  throw tooManyRequests('not carried out: the answers of this batch have become too large; send the rest in another', 1)
}

interface Item {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly contentType: string
  readonly body: JsonValue | undefined
}

function readItems(body: Buffer): Item[] {
  const requests = parsed(body)
  if (!Array.isArray(requests)) throw badRequest('a batch is {"requests": [{"method", "path", "contentType", "body"}]}')
  if (requests.length > maxItems) {
    throw badRequest(`a batch holds at most ${maxItems} requests, not ${requests.length}`)
  }
  return requests.map((request: JsonValue, index) => {
    const { method, path, contentType = 'application/json', body: of } = asJsonObject(request) ?? {}
    if (typeof method !== 'string' || typeof path !== 'string' || typeof contentType !== 'string') {
      throw badRequest(`requests[${index}] must have a method and a path`)
    }
    return { method, path, contentType, body: of }
  })
}

function parsed(body: Buffer): JsonValue | undefined {
  try {
    return asJsonObject(parseJson(body, false).value)?.requests
  } catch (error) {
    throw error instanceof BodyError ? badRequest(`cannot read the batch: ${error.message}`) : error
  }
}

/** One request of a batch. It says what it is of itself; all else is the batch's. */
class ItemExchange extends Exchange {
  readonly #item: Item
  readonly #batch: HttpExchange
  #answer: Buffer | undefined

  constructor(item: Item, batch: HttpExchange) {
    super(item.method, item.path)
    this.#item = item
    this.#batch = batch
  }

  /** The answer as JSON: `{"code":…,"body":…}`. */
  get answer(): Buffer {
    if (!this.#answer) throw new Error(`${this.method} ${this.path} was not answered`)
    return this.#answer
  }

  header(name: string): string | undefined {
    if (name === 'content-type') return this.#item.contentType
    return name === 'user-agent' ? this.#batch.header(name) : undefined
  }

  body(): Promise<Buffer> {
    const { body } = this.#item
    return Promise.resolve(body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body)))
  }

  send(status: number, contentType: string, body: Buffer): Promise<void> {
    if (this.#answer) return Promise.resolve()
    const json = contentType.startsWith('application/json') ? body : Buffer.from(JSON.stringify(body.toString('utf8')))
    const warnings = this.warnings.length === 0 ? '' : `,"warnings":${JSON.stringify(this.warnings)}`
    this.#answer = Buffer.concat([Buffer.from(`{"code":${status},"body":`), json, Buffer.from(`${warnings}}`)])
    return Promise.resolve()
  }
}
