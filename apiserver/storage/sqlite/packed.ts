import type { JournalRecord } from '../journal.ts'
import type { EventBatch } from '../store.ts'

/**
 * Objects on their way between the threads: parallel arrays, and all JSON in one buffer that is handed over, not copied. A length of -1 says
 * that the key was deleted.
 */
export interface Packed {
  readonly keys: readonly string[]
  readonly createRevisions: readonly number[]
  readonly modRevisions: readonly number[]
  readonly lengths: readonly number[]
  readonly json: Uint8Array<ArrayBuffer>
}

/** Packs what a commit writes. */
export function pack(events: EventBatch): Packed {
  const packed = {
    keys: [] as string[],
    createRevisions: [] as number[],
    modRevisions: [] as number[],
    lengths: [] as number[],
  }
  let bytes = 0
  for (const { type, key, current } of events) {
    const length = type === 'DELETED' ? -1 : current.json.length
    packed.keys.push(key)
    packed.createRevisions.push(current.createRevision)
    packed.modRevisions.push(current.modRevision)
    packed.lengths.push(length)
    if (length > 0) bytes += length
  }
  const json = new Uint8Array(bytes)
  let offset = 0
  for (const { type, current } of events) {
    if (type === 'DELETED') continue
    json.set(current.json, offset)
    offset += current.json.length
  }
  return { ...packed, json }
}

/** Unpacks records; they share the buffer. */
export function unpack(packed: Packed, into: JournalRecord[]): void {
  let offset = 0
  for (const [i, key] of packed.keys.entries()) {
    const length = packed.lengths[i]!
    into.push({
      key,
      json: Buffer.from(packed.json.buffer, offset, length),
      createRevision: packed.createRevisions[i]!,
      modRevision: packed.modRevisions[i]!,
    })
    offset += length
  }
}
