import { fieldElement } from '../../crds/fieldmanager/path-element.ts'
import { compareStrings, equalValues, isList, isMap, type Value } from '../../crds/fieldmanager/value.ts'
import type { JsonObject, JsonValue } from '../../crds/metadata.ts'
import type { Manifest } from '../manifests/manifest.ts'
import { alignLists } from './align.ts'
import type { Body, FieldChange, FieldClass } from './change.ts'
import { comparable } from './comparable.ts'
import { isSecret, masked } from './mask.ts'
import { itemElement, Ownership } from './ownership.ts'

type Step = string | number

export interface CompareInput {
  readonly manifest: Manifest
  /** What is sent: the manifest's object, its namespace filled in. */
  readonly sent: Body
  readonly before: Body | undefined
  readonly after: Body
  readonly fieldManager: string
  /** Managers whose fields become this one's: what goes then was theirs. */
  readonly handedOver?: readonly string[]
  /** The kind's status is a field like any other, rather than a subresource. */
  readonly ownStatus: boolean
}

/** Every field that differs, server metadata and status aside, with who makes it differ; by name, as servers order fields as they like. */
export function fieldChanges(input: CompareInput): FieldChange[] {
  const { before, after, ownStatus } = input
  const [old, now] = [before && comparable(before, ownStatus), comparable(after, ownStatus)]
  if (old && equalValues(old, now)) return []
  return new Comparison(input, old, now).changes
}

/** One place of the object, on all the sides that are looked at together. */
interface Spot {
  /** In `after`, or in `before` where `after` has none. */
  readonly steps: readonly Step[]
  /** In the manifest's own file: lists there may be in another order. */
  readonly inFile: readonly Step[]
  readonly before: Value
  readonly after: Value
  readonly file: Value
  readonly owners: Ownership
  readonly newOwners: Ownership
}

class Comparison {
  readonly changes: FieldChange[] = []
  readonly #input: CompareInput
  /** The same objects as they may be shown. */
  readonly #shown: readonly [JsonObject | undefined, JsonObject | undefined]

  constructor(input: CompareInput, before: JsonObject | undefined, after: JsonObject) {
    this.#input = input
    this.#shown = masked(before, after)
    this.#map({
      steps: [],
      inFile: [],
      before: before && withoutIdentity(before),
      after: withoutIdentity(after),
      file: withoutIdentity(written(input.sent)),
      owners: Ownership.of(input.before),
      newOwners: Ownership.of(input.after),
    })
  }

  #visit(spot: Spot): void {
    const { before, after, file } = spot
    if (equalValues(before, after)) return
    // Every object has metadata: there is nothing to say of it as a whole.
    if (spot.steps.length === 1 && spot.steps[0] === 'metadata') this.#map(spot)
    else if (isMap(before ?? after) && isMap(after ?? before) && this.#apart(spot)) this.#map(spot)
    else if (isList(before) && isList(after)) this.#list(spot)
    else if (before === undefined && isList(after) && isList(file) && this.#apart(spot)) this.#list(spot)
    else this.#leaf(spot)
  }

  /** Whether the parts of a map or list are told one by one: on both sides, or where only some of what comes is the file's. */
  #apart({ before, after, file }: Spot): boolean {
    if (before !== undefined && after !== undefined) return true
    return before === undefined && isMap(file) !== isList(file) && !equalValues(after, file)
  }

  #map(spot: Spot): void {
    const [before, after, file] = [spot.before, spot.after, spot.file].map((side) => (isMap(side) ? side : {})) as [
      JsonObject,
      JsonObject,
      JsonObject,
    ]
    for (const key of [...new Set([...Object.keys(after), ...Object.keys(before)])].sort(compareStrings)) {
      const element = fieldElement(key)
      this.#visit({
        steps: [...spot.steps, key],
        inFile: [...spot.inFile, key],
        before: before[key],
        after: after[key],
        file: file[key],
        owners: spot.owners.down(element),
        newOwners: spot.newOwners.down(element),
      })
    }
  }

  #list(spot: Spot): void {
    const [before, after, file] = [spot.before, spot.after, spot.file].map((side) => (isList(side) ? side : [])) as [
      readonly JsonValue[],
      readonly JsonValue[],
      readonly JsonValue[],
    ]
    const identity = spot.newOwners.listIdentity() ?? spot.owners.listIdentity() ?? 'index'
    const inFile = new Map(file.map((item, index) => [itemElement(identity, item, index), index]))
    const found = this.changes.length
    for (const pair of alignLists(before, after, identity)) {
      const [old, now] = [before[pair.before], after[pair.after]]
      const index = pair.after < 0 ? pair.before : pair.after
      const element = itemElement(identity, (now ?? old)!, index)
      const place = now === undefined ? undefined : inFile.get(element)
      this.#visit({
        steps: [...spot.steps, index],
        inFile: [...spot.inFile, ...(place === undefined ? [] : [place])],
        before: old,
        after: now,
        file: place === undefined ? undefined : file[place],
        owners: spot.owners.down(element),
        newOwners: spot.newOwners.down(element),
      })
    }
    // The same items in another order.
    if (this.changes.length === found) this.#leaf(spot)
  }

  #leaf(spot: Spot): void {
    const { steps } = spot
    const { class: why, manager } = this.#classify(spot)
    const secret = isSecret(this.#input.after)
    this.changes.push({
      path: pathText(steps),
      steps,
      before: secret ? valueAt(this.#shown[0], steps) : spot.before,
      after: secret ? valueAt(this.#shown[1], steps) : spot.after,
      class: why,
      ...(manager === undefined ? {} : { manager }),
      ...(why === 'yours' ? { place: this.#placeOf(spot) } : {}),
    })
  }

  #classify({ after, file, owners }: Spot): { readonly class: FieldClass; readonly manager?: string | undefined } {
    const { fieldManager, handedOver = [] } = this.#input
    const other = owners.otherThan(fieldManager)
    if (file !== undefined) return { class: 'yours', manager: owners.appliedBy(fieldManager) ? undefined : other }
    if (owners.appliedBy(fieldManager)) return { class: 'yours' }
    if (after === undefined && other !== undefined && handedOver.includes(other))
      return { class: 'yours', manager: other }
    return other === undefined ? { class: 'defaulted' } : { class: 'foreign', manager: other }
  }

  #placeOf({ inFile, file }: Spot) {
    const { manifest, sent } = this.#input
    const [first, ...rest] = inFile
    const texts = stringData(sent)
    const fromText =
      isSecret(sent) &&
      first === 'data' &&
      (rest[0] === undefined ? !isMap(sent.data) : texts[String(rest[0])] !== undefined)
    return manifest.placeOf(fromText ? ['stringData', ...rest] : inFile, file === undefined ? 'key' : 'value')
  }
}

/** What names an object is the same on both sides. */
function withoutIdentity(object: JsonObject): JsonObject {
  const { apiVersion: _a, kind: _k, metadata, ...rest } = object
  const { name: _n, namespace: _ns, ...others } = metadata as JsonObject
  return { metadata: others, ...rest }
}

/** What the manifest sets, as the server has it: `stringData` becomes `data`. */
function written(sent: Body): JsonObject {
  if (!isSecret(sent)) return sent
  const { stringData: _s, ...rest } = sent as JsonObject
  const texts = Object.entries(stringData(sent)).map(([key, text]) => [
    key,
    typeof text === 'string' ? Buffer.from(text).toString('base64') : text,
  ])
  const data = isMap(sent.data) ? sent.data : {}
  return texts.length === 0 ? rest : { ...rest, data: { ...data, ...Object.fromEntries(texts) } }
}

const stringData = (sent: Body): JsonObject => (isMap(sent.stringData) ? sent.stringData : {})

function valueAt(root: Value, steps: readonly Step[]): Value {
  let value = root
  for (const step of steps) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Readonly<Record<Step, JsonValue | undefined>>)[step]
  }
  return value
}

/** `spec.fillWindows[0].maxGbps`, `metadata.labels[fleet.weir.dev/tier]`. */
export function pathText(steps: readonly Step[]): string {
  return steps
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`
      if (!/^[\w-]+$/.test(step)) return `[${step}]`
      return index === 0 ? step : `.${step}`
    })
    .join('')
}
