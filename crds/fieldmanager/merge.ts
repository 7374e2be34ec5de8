import type { JsonValue } from '../metadata.ts'
import type { ListAtom, MapAtom, ObjectAtom } from './object-type.ts'
import type { PathElement } from './path-element.ts'
import { type AtomKind, checkedItemElement, kindOf } from './typing.ts'
import { isEmptyMap, isList, isMap, type Value } from './value.ts'

/**
 * Puts a partly specified object over a whole one: leaves of `applied` win, nothing is removed. Lists keep the order of `live`
 * unless `applied` orders shared items otherwise. Both must have passed `checkType`.
 */
export function mergeTyped(live: Value, applied: Value, atom: ObjectAtom): Value {
  if (applied === undefined) return mergeAs(kindOf(atom, live), live, applied, atom)
  return mergeAs(kindOf(atom, applied), live, applied, atom)
}

function mergeAs(kind: AtomKind | undefined, live: Value, applied: Value, atom: ObjectAtom): Value {
  if (kind === 'map') return mergeMaps(live, applied, atom.map!)
  if (kind === 'list') return mergeLists(live, applied, atom.list!)
  return takeApplied(live, applied)
}

function takeApplied(live: Value, applied: Value): Value {
  return applied === undefined ? live : applied
}

function mergeMaps(live: Value, applied: Value, map: MapAtom): Value {
  const old = isMap(live) && !isEmptyMap(live) ? live : undefined
  const now = isMap(applied) && !isEmptyMap(applied) ? applied : undefined
  if (map.atomic || (!old && !now)) return takeApplied(live, applied)
  // Nothing to put over it: the same value, which may be shared.
  if (!now) return old
  const merged: Record<string, JsonValue> = {}
  for (const key in old) {
    const value = old[key]
    if (value === undefined) continue
    const over = now[key]
    const result = over === undefined ? value : mergeField(key, value, over, map)
    if (result !== undefined) merged[key] = result
  }
  for (const key in now) {
    const value = now[key]
    if (value === undefined || old?.[key] !== undefined) continue
    const result = mergeField(key, undefined, value, map)
    if (result !== undefined) merged[key] = result
  }
  return merged
}

function mergeField(key: string, live: Value, applied: Value, map: MapAtom): Value {
  const atom = map.field(key) ?? map.element
  return atom ? mergeTyped(live, applied, atom) : takeApplied(live, applied)
}

function mergeLists(live: Value, applied: Value, list: ListAtom): Value {
  const old = isList(live) && live.length > 0 ? live : undefined
  const now = isList(applied) && applied.length > 0 ? applied : undefined
  if (list.atomic || (!old && !now)) return takeApplied(live, applied)
  if (!now) return old
  return mergeItems(old ?? [], now, list)
}

/**
 * Items of `live` that `applied` does not name keep their place relative to the shared items before them; shared items come in
 * the order of `applied`.
 */
function mergeItems(live: readonly JsonValue[], applied: readonly JsonValue[], list: ListAtom): JsonValue[] {
  const liveElements = live.map((item) => checkedItemElement(list, item))
  const appliedElements = applied.map((item) => checkedItemElement(list, item))
  const liveItems = new Map<PathElement, Value>()
  // Of items that are there twice none is merged with: which one would be a guess.
  liveElements.forEach((element, i) => {
    liveItems.set(element, liveItems.has(element) ? null : live[i])
  })
  const appliedItems = new Map(appliedElements.map((element, i) => [element, applied[i]]))
  const shared = appliedElements.filter((element) => liveItems.has(element))
  const merged = new Set<PathElement>()
  const out: JsonValue[] = []
  const take = (liveItem: Value, appliedItem: Value): void => {
    const item = mergeTyped(liveItem, appliedItem, list.element)
    if (item !== undefined) out.push(item)
  }

  let nextShared = 0
  let l = 0
  let a = 0
  while (l < live.length || a < applied.length) {
    const liveElement = liveElements[l]
    const appliedElement = appliedElements[a]
    if (liveElement !== undefined && appliedElement !== undefined) {
      if (liveElement === appliedElement) {
        merged.add(liveElement)
        take(liveItems.get(liveElement), appliedItems.get(liveElement))
        l++
        a++
        nextShared++
        continue
      }
      if (appliedItems.has(liveElement) && nextShared < shared.length && shared[nextShared] !== liveElement) {
        // Shared, but its turn comes where `applied` has it.
        l++
        continue
      }
    }
    if (liveElement !== undefined) {
      if (!appliedItems.has(liveElement)) {
        take(live[l], undefined)
        l++
        continue
      }
      if (merged.has(liveElement)) l++
    }
    if (appliedElement !== undefined) {
      merged.add(appliedElement)
      take(liveItems.get(appliedElement), appliedItems.get(appliedElement))
      a++
      if (shared[nextShared] === appliedElement) nextShared++
    }
  }
  return out
}
