import { createHash } from 'node:crypto'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { BlobStore } from './blob-store.ts'

/** Where blobs are read by their digests, below whatever serves them: `…/weir/v1/blobs?digest=sha256:…&digest=…`. */
export const BLOBS_PATH = '/weir/v1/blobs'
export const BUNDLE_TYPE = 'application/vnd.weir.blobs'
/** Digests that one request may name: the address stays below what servers and proxies take. */
export const MAX_DIGESTS = 64

const DIGEST = /^sha256:[0-9a-f]{64}$/
const NEWLINE = 0x0a
const HIGH_WATER_BYTES = 256 * 1024
/** Manifests are small and many: a stream for each would take longer than the bytes. */
const READ_WHOLE_BYTES = 1024 * 1024

/** What is asked of the store. */
export type BundledBlobs = Pick<BlobStore, 'stat' | 'get' | 'stream'>

/** The blobs that a request asks for, or why it cannot be answered. */
export function requestedDigests(query: URLSearchParams | undefined): readonly string[] | { readonly refused: string } {
  const digests = [...new Set(query?.getAll('digest') ?? [])]
  if (digests.length === 0) return { refused: 'name blobs with ?digest=sha256:…' }
  if (digests.length > MAX_DIGESTS) return { refused: `at most ${MAX_DIGESTS} digests may be asked for at once` }
  const bad = digests.find((digest) => !DIGEST.test(digest))
  return bad === undefined ? digests : { refused: `${JSON.stringify(bad)} is not sha256: and 64 hexadecimal digits` }
}

/**
 * Writes blobs one after the other, each behind a line of JSON that says which it is and how long, or that there is none; gives their bytes.
 * The stream is left open; rejects where it is closed from the other side. Nobody learns which blobs there are: only who knows a digest can ask for it.
 */
export async function writeBundle(store: BundledBlobs, digests: readonly string[], out: Writable): Promise<number> {
  let total = 0
  const pieces = async function* () {
    for (const digest of digests) {
      const info = await store.stat(digest)
      yield Buffer.from(`${JSON.stringify(info ? { digest, bytes: info.bytes } : { digest, missing: true })}\n`)
      if (!info || info.bytes === 0) continue
      if (info.bytes > READ_WHOLE_BYTES) yield* store.stream(digest) as AsyncIterable<Buffer>
      else yield (await store.get(digest)) ?? Buffer.alloc(0)
      total += info.bytes
    }
  }
  await pipeline(Readable.from(pieces(), { objectMode: false, highWaterMark: HIGH_WATER_BYTES }), out, { end: false })
  return total
}

/**
 * Reads what `writeBundle` wrote: the bytes of every blob by digest, undefined for those that are not there. Throws a RangeError where it is
 * no bundle or where bytes are not those that their digest names.
 */
export function readBundle(bytes: Buffer): ReadonlyMap<string, Buffer | undefined> {
  const blobs = new Map<string, Buffer | undefined>()
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, at)
    const head = end < 0 ? undefined : headOf(bytes.subarray(at, end))
    if (!head) throw new RangeError('not a bundle of blobs')
    at = end + 1
    if (head.bytes === undefined) {
      blobs.set(head.digest, undefined)
      continue
    }
    const blob = bytes.subarray(at, at + head.bytes)
    if (`sha256:${createHash('sha256').update(blob).digest('hex')}` !== head.digest)
      throw new RangeError(`the bytes sent as ${head.digest} are others`)
    blobs.set(head.digest, blob)
    at += head.bytes
  }
  return blobs
}

function headOf(line: Buffer): { readonly digest: string; readonly bytes?: number } | undefined {
  try {
    const { digest, bytes, missing } = JSON.parse(line.toString('utf8')) as Record<string, unknown>
    if (typeof digest !== 'string' || !DIGEST.test(digest)) return undefined
    if (missing === true) return { digest }
    return Number.isSafeInteger(bytes) && (bytes as number) >= 0 ? { digest, bytes: bytes as number } : undefined
  } catch {
    return undefined
  }
}
