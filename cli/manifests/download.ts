import { decodeText } from './decode-text.ts'
import type { Problem } from './problem.ts'
import { readAll } from './read-all.ts'
import type { SourceText } from './source-text.ts'

const TIMEOUT_MS = 30_000

/** Reads manifests from a URL. Anything but an answer of 200 is a problem. */
export async function download(url: string, signal?: AbortSignal): Promise<SourceText | Problem> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  try {
    const answer = await fetch(url, { signal: signal ? AbortSignal.any([signal, timeout]) : timeout })
    if (answer.status !== 200 || !answer.body) {
      return { code: 'unreadable', file: url, message: `cannot be read: the server answered ${answer.status}` }
    }
    return decodeText(url, await readAll(answer.body))
  } catch (error) {
    if (signal?.aborted) throw error
    const { message, cause } = error as Error & { readonly cause?: Error }
    const why = timeout.aborted ? `no answer within ${TIMEOUT_MS / 1000} s` : (cause?.message ?? message)
    return { code: 'unreadable', file: url, message: `cannot be read: ${why}` }
  }
}
