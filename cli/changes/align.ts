import { equalValues, type Value } from '../../crds/fieldmanager/value.ts'
import type { JsonValue } from '../../crds/metadata.ts'
import { itemElement, type ListIdentity } from './ownership.ts'

/** Two items that are one and the same before and after; -1 where there is none on that side. */
export interface Pair {
  readonly before: number
  readonly after: number
}

/** Longer lists are paired by index: finding what stayed takes time that grows with the square. */
const LONGEST = 500

/** Pairs the items of two lists, in the order of `after`, with what is gone where it was. */
export function alignLists(before: readonly JsonValue[], after: readonly JsonValue[], identity: ListIdentity): Pair[] {
  return identity === 'index' ? alignByPlace(before, after) : alignByIdentity(before, after, identity)
}

function alignByIdentity(before: readonly JsonValue[], after: readonly JsonValue[], identity: ListIdentity): Pair[] {
  const places = new Map(before.map((item, index) => [itemElement(identity, item, index), index]))
  const pairs = after.map((item, index): Pair => {
    const element = itemElement(identity, item, index)
    const found = places.get(element)
    places.delete(element)
    return { before: found ?? -1, after: index }
  })
  return [...pairs, ...[...places.values()].map((index) => ({ before: index, after: -1 }))]
}

/** What did not change stays paired; between two such items the first of one side is the first of the other. */
function alignByPlace(before: readonly JsonValue[], after: readonly JsonValue[]): Pair[] {
  const anchors = Math.max(before.length, after.length) > LONGEST ? [] : common(before, after)
  const pairs: Pair[] = []
  let [b, a] = [0, 0]
  for (const anchor of [...anchors, { before: before.length, after: after.length }]) {
    while (b < anchor.before || a < anchor.after)
      pairs.push({ before: b < anchor.before ? b++ : -1, after: a < anchor.after ? a++ : -1 })
    if (b < before.length || a < after.length) pairs.push({ before: b++, after: a++ })
  }
  return pairs
}

/** The longest common subsequence. */
function common(before: readonly Value[], after: readonly Value[]): Pair[] {
  const width = after.length + 1
  const length = new Uint16Array((before.length + 1) * width)
  for (let b = before.length - 1; b >= 0; b--) {
    for (let a = after.length - 1; a >= 0; a--) {
      const at = b * width + a
      length[at] = equalValues(before[b], after[a])
        ? length[at + width + 1]! + 1
        : Math.max(length[at + width]!, length[at + 1]!)
    }
  }
  const pairs: Pair[] = []
  for (let b = 0, a = 0; b < before.length && a < after.length; ) {
    if (equalValues(before[b], after[a])) pairs.push({ before: b++, after: a++ })
    else if (length[(b + 1) * width + a]! >= length[b * width + a + 1]!) b++
    else a++
  }
  return pairs
}
