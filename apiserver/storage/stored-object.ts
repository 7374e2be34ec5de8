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
  const json = Buffer.from(JSON.stringify(written))
  // Where a member is undefined the value is not what its JSON says: the parsed JSON takes its place.
  const isJson = freezeJson(written)
  return new StoredObject({ key, json, createRevision, modRevision: revision }, isJson ? written : undefined)
}

/**
 * Freezes deeply what is JSON; returns false where a member is undefined somewhere. What is frozen already is taken to be JSON: it came from here.
 */
function freezeJson(value: object): boolean {
  let isJson = true
  // Object.values and not for…in: code compiled for the keys of one kind of object would be thrown away at the next.
  for (const member of Object.values(value)) {
    if (typeof member === 'object') {
      if (member !== null && !Object.isFrozen(member) && !freezeJson(member)) isJson = false
    } else if (member === undefined) isJson = false
  }
  if (isJson) Object.freeze(value)
  return isJson
}
