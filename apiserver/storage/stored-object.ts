import type { KubeObject } from '../../crds/metadata.ts'
import type { JournalRecord } from './journal.ts'
import type { Stored } from './store.ts'

/**
 * One version of one object. The value is what its JSON says: it is parsed when asked for, so that a start does not wait for objects that
 * nobody reads, and can be let go, so that the history holds bytes only.
 */
export class StoredObject implements Stored {
  readonly key: string
  readonly json: Buffer
  readonly createRevision: number
  readonly modRevision: number
  #value: KubeObject | undefined

  constructor({ key, json, createRevision, modRevision }: JournalRecord, value?: KubeObject) {
    this.key = key
    this.json = json
    this.createRevision = createRevision
    this.modRevision = modRevision
    this.#value = value
  }

  get value(): KubeObject {
    if (this.#value === undefined) {
      const parsed: KubeObject = JSON.parse(this.json.toString())
      freezeJson(parsed)
      this.#value = parsed
    }
    return this.#value
  }

  /** Lets the parsed value go; who asks for it later gets an equal one. */
  forgetValue(): void {
    this.#value = undefined
  }
}

/** Makes the version of an object that is written at `revision`: sets resourceVersion, encodes, freezes. */
export function storedObject(key: string, value: KubeObject, createRevision: number, revision: number): StoredObject {
  const written = { ...value, metadata: { ...value.metadata, resourceVersion: String(revision) } }
  freezeJson(written)
  const json = Buffer.from(JSON.stringify(written))
  return new StoredObject({ key, json, createRevision, modRevision: revision }, written)
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
