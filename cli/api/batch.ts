import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import type { Client } from '../../runtime/client/client.ts'
import { ApiError, type StatusBody } from '../../runtime/errors.ts'
import { concurrently } from '../concurrently.ts'

/** One request of a batch. */
export interface BatchItem {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly contentType?: string
  readonly body?: JsonValue
}

/** What a server that takes batches takes in one (docs/api-server.md), with room for the envelope. */
const MAX_ITEMS = 1000
const MAX_BYTES = 2.5 * 1024 * 1024
/** Batches under way at once. */
const CONCURRENCY = 4
/** Times that what a batch had no room to answer is asked again. */
const MAX_ROUNDS = 50

interface Answer {
  readonly code: number
  readonly body: JsonValue
  readonly warnings?: readonly string[]
}

/**
 * Sends requests in as few batches as they fit into; gives the answers in their order, refusals as ApiErrors. Throws what the client
 * throws where a batch as a whole fails.
 */
export async function sendBatches(
  client: Client,
  batchPath: string,
  items: readonly BatchItem[],
  options: { readonly signal: AbortSignal; readonly onWarning: (text: string) => void },
): Promise<(JsonObject | ApiError)[]> {
  const results: (JsonObject | ApiError)[] = new Array(items.length)
  let left = items.map((_, index) => index)
  for (let round = 1; left.length > 0; round++) {
    const unanswered: number[] = []
    await concurrently(inBatches(items, left), CONCURRENCY, async (members) => {
      const requests = members.map((index) => items[index]!)
      const { responses } = (await client.raw(batchPath, {
        method: 'POST',
        body: { requests },
        signal: options.signal,
      })) as { responses: readonly Answer[] }
      members.forEach((index, at) => {
        const { code, body, warnings = [] } = responses[at]!
        for (const text of warnings) options.onWarning(text)
        const { method, path } = items[index]!
        if (code === 429 && round < MAX_ROUNDS) unanswered.push(index)
        else if (code < 400) results[index] = body as JsonObject
        else results[index] = new ApiError(`${method} ${path}`, statusOf(body), code)
      })
    })
    left = unanswered.sort((a, b) => a - b)
  }
  return results
}

function inBatches(items: readonly BatchItem[], indices: readonly number[]): number[][] {
  const batches: number[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const index of indices) {
    const size = Buffer.byteLength(JSON.stringify(items[index])) + 1
    if (bytes + size > MAX_BYTES || batches.at(-1)!.length >= MAX_ITEMS) {
      batches.push([])
      bytes = 0
    }
    batches.at(-1)!.push(index)
    bytes += size
  }
  return batches
}

function statusOf(body: JsonValue): StatusBody {
  return typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'Status'
    ? (body as StatusBody)
    : {}
}
