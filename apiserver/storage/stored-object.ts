import type { KubeObject } from '../../crds/metadata.ts'
import type { JournalRecord } from './journal.ts'
import type { Stored } from './store.ts'

/** Makes the version of an object that was written at `revision`: sets resourceVersion, encodes, freezes. */
export function storedObject(key: string, value: KubeObject, createRevision: number, revision: number): Stored {
  const written = { ...value, metadata: { ...value.metadata, resourceVersion: String(revision) } }
  freezeJson(written)
  return { key, value: written, json: Buffer.from(JSON.stringify(written)), createRevision, modRevision: revision }
}

/** An object read back from disk. Parsed when first asked for, so that a start does not wait for objects nobody reads. */
export class LoadedObject implements Stored {
  readonly key: string
  readonly json: Buffer
  readonly createRevision: number
  readonly modRevision: number
  #value: KubeObject | undefined

  constructor(record: JournalRecord) {
    this.key = record.key
    this.json = record.json
    this.createRevision = record.createRevision
    this.modRevision = record.modRevision
  }

  get value(): KubeObject {
    if (this.#value === undefined) {
      const parsed: KubeObject = JSON.parse(this.json.toString())
      freezeJson(parsed)
      this.#value = parsed
    }
    return this.#value
  }
}

/**
 * Freezes deeply. Members that are undefined are removed first, so that the value equals what its JSON reads back as. What is frozen already
 * is taken to be deeply so: it came from here.
 */
function freezeJson(value: object): void {
  for (const key in value) {
    const member = (value as Record<string, unknown>)[key]
    if (typeof member === 'object') {
      if (member !== null && !Object.isFrozen(member)) freezeJson(member)
    } else if (member === undefined) {
      delete (value as Record<string, unknown>)[key]
    }
  }
  Object.freeze(value)
}
