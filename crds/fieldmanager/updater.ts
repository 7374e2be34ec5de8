import type { JsonObject, JsonValue } from '../metadata.ts'
import { type Comparison, compareTyped, withoutFields } from './compare.ts'
import {
  difference,
  type FieldSet,
  intersection,
  isEmptySet,
  NO_FIELDS,
  recursiveDifference,
  union,
  withNamedFields,
} from './field-set.ts'
import type { Managed, ManagedSet, ManagerId } from './managed.ts'
import { managerKey } from './managed.ts'
import { mergeTyped } from './merge.ts'
import type { ObjectAtom } from './object-type.ts'
import { reconcileWithSchema } from './reconcile-schema.ts'
import { removeFields } from './remove.ts'
import type { FieldScope } from './request.ts'
import { STRIPPED_FIELDS } from './strip.ts'
import { toFieldSet } from './to-field-set.ts'
import { checkType, TypingError } from './typing.ts'
import { equalValues, isMap } from './value.ts'

/** Fields of others that an apply would change. By manager key. */
export class ApplyConflict extends Error {
  override name = 'ApplyConflict'
  readonly conflicts: ReadonlyMap<string, FieldSet>

  constructor(conflicts: ReadonlyMap<string, FieldSet>) {
    super('apply conflict')
    this.conflicts = conflicts
  }
}

/** What an apply makes of an object: undefined where it changes nothing. */
export interface Applied {
  readonly object: JsonObject | undefined
  readonly managers: Managed
}

/** The merge of structured-merge-diff (its package `merge`) at one endpoint. Objects must have passed `checkType`. */
export class Updater {
  readonly #scope: FieldScope

  constructor(scope: FieldScope) {
    this.#scope = scope
  }

  /** Who owns what after `live` became `updated`: what changed is `id`'s, stamped with `now`. */
  update(live: JsonObject, updated: JsonObject, managed: Managed, id: ManagerId, now: string): Managed {
    const managers = this.#reconcileWithSchema(managed)
    const key = managerKey(id)
    const before = managers.get(key)
    const { modified, added, removed } = this.#settle(live, updated, managers, undefined, true)
    const changed = difference(union(modified, added), STRIPPED_FIELDS)
    if (isEmptySet(changed)) return managers
    // Not what is left of its entry with the changes added: that is the same set, but not the same object.
    const set = before ? union(difference(before.set, removed), changed) : changed
    managers.set(key, { id, set, time: now })
    return managers
  }

  /** Merges `applied` into `live`. Throws ApplyConflict. */
  apply(live: JsonObject, applied: JsonObject, managed: Managed, id: ManagerId, force: boolean): Applied {
    const { apiVersion, resetFields } = this.#scope
    const atom = this.#atomOf(apiVersion)
    if (!atom) throw new TypingError(`no corresponding type for ${apiVersion}, Kind=${this.#scope.kind}`)
    const managers = this.#reconcileWithSchema(managed)
    const key = managerKey(id)
    const merged = asObject(mergeTyped(live, applied, atom))
    const last = managers.get(key)
    const set = recursiveDifference(toFieldSet(applied, atom), resetFields(apiVersion) ?? NO_FIELDS)
    managers.set(key, { id, set, time: last?.time })
    const object = last ? this.#prune(merged, managers, key, last) : merged
    this.#settle(live, object, managers, key, force)
    return { object: equalValues(live, object) ? undefined : object, managers }
  }

  #atomOf(apiVersion: string): ObjectAtom | undefined {
    return this.#scope.typeOf(apiVersion)?.root
  }

  #reconcileWithSchema(managed: Managed): Map<string, ManagedSet> {
    const managers = new Map<string, ManagedSet>()
    for (const [key, manager] of managed) {
      const atom = this.#atomOf(manager.id.apiVersion)
      // A version that is no longer served: nobody can tell what its fields are.
      if (atom) managers.set(key, withSet(manager, reconcileWithSchema(manager.set, atom)))
    }
    return managers
  }

  /**
   * Takes from everybody but `workflow` what changed or went between the two objects. Without `force` it throws where
   * something that others own changed.
   */
  #settle(
    before: JsonObject,
    after: JsonObject,
    managers: Map<string, ManagedSet>,
    workflow: string | undefined,
    force: boolean,
  ): Comparison {
    const versions = new Map<string, Comparison>()
    const comparisonAt = (apiVersion: string, atom: ObjectAtom): Comparison => {
      let comparison = versions.get(apiVersion)
      if (!comparison) {
        if (apiVersion !== this.#scope.apiVersion) {
          checkType(before, atom, false)
          checkType(after, atom, false)
        }
        comparison = withoutFields(compareTyped(before, after, atom), this.#scope.resetFields(apiVersion))
        versions.set(apiVersion, comparison)
      }
      return comparison
    }
    const own = this.#atomOf(this.#scope.apiVersion)
    if (!own) throw new TypingError(`no corresponding type for ${this.#scope.apiVersion}, Kind=${this.#scope.kind}`)
    const result = comparisonAt(this.#scope.apiVersion, own)

    const conflicts = new Map<string, FieldSet>()
    const left = new Map<string, FieldSet>()
    for (const [key, manager] of managers) {
      if (key === workflow) continue
      const atom = this.#atomOf(manager.id.apiVersion)
      if (!atom) {
        managers.delete(key)
        continue
      }
      const comparison = comparisonAt(manager.id.apiVersion, atom)
      const conflict = intersection(manager.set, union(comparison.modified, comparison.added))
      if (!isEmptySet(conflict)) conflicts.set(key, conflict)
      left.set(key, difference(difference(manager.set, conflict), comparison.removed))
    }
    if (!force && conflicts.size > 0) throw new ApplyConflict(conflicts)

    for (const [key, set] of left) {
      const manager = managers.get(key)
      if (manager) managers.set(key, withSet(manager, set))
    }
    for (const [key, manager] of managers) if (isEmptySet(manager.set)) managers.delete(key)
    return result
  }

  /** Removes what the manager applied last time, does not apply this time, and nobody else owns. */
  #prune(merged: JsonObject, managers: Managed, key: string, last: ManagedSet): JsonObject {
    if (isEmptySet(last.set)) return merged
    const lastVersion = last.id.apiVersion
    const atom = this.#atomOf(lastVersion)
    if (!atom) return merged
    const at = this.#convert(merged, lastVersion, atom)
    let pruned = asObject(removeFields(at, withNamedFields(last.set, atom), atom))
    pruned = this.#addBackOwned(at, pruned, lastVersion, managers)
    pruned = addBackDangling(at, pruned, last.set, atom)
    const version = managers.get(key)?.id.apiVersion ?? lastVersion
    const target = this.#atomOf(version)
    return target ? this.#convert(pruned, version, target) : pruned
  }

  /** Puts back what somebody owns, the applying manager's new fields included: first at the pruned version, then at others. */
  #addBackOwned(merged: JsonObject, pruned: JsonObject, prunedVersion: string, managers: Managed): JsonObject {
    const owned = new Map<string, FieldSet>([[prunedVersion, NO_FIELDS]])
    for (const { id, set } of managers.values())
      owned.set(id.apiVersion, union(owned.get(id.apiVersion) ?? NO_FIELDS, set))
    let whole = merged
    let result = pruned
    for (const [version, set] of owned) {
      const atom = this.#atomOf(version)
      if (!atom) continue
      whole = this.#convert(whole, version, atom)
      result = this.#convert(result, version, atom)
      const kept = union(withNamedFields(toFieldSet(result, atom), atom), withNamedFields(set, atom))
      const all = withNamedFields(toFieldSet(whole, atom), atom)
      result = asObject(removeFields(whole, difference(all, kept), atom))
    }
    return result
  }

  /** Versions differ in their apiVersion only (conversion strategy None); what one version has, another's type may refuse. */
  #convert(object: JsonObject, apiVersion: string, atom: ObjectAtom): JsonObject {
    if (object.apiVersion === apiVersion) return object
    const converted = { ...object, apiVersion }
    checkType(converted, atom, false)
    return converted
  }
}

/** Removes only what the manager owned before: what nobody owns is nobody's to remove. */
function addBackDangling(merged: JsonObject, pruned: JsonObject, last: FieldSet, atom: ObjectAtom): JsonObject {
  const all = withNamedFields(toFieldSet(merged, atom), atom)
  const left = withNamedFields(toFieldSet(pruned, atom), atom)
  const gone = intersection(difference(all, left), withNamedFields(last, atom))
  return asObject(removeFields(merged, gone, atom))
}

function withSet(manager: ManagedSet, set: FieldSet): ManagedSet {
  return set === manager.set ? manager : { id: manager.id, set, time: manager.time }
}

function asObject(value: JsonValue | undefined): JsonObject {
  if (!isMap(value)) throw new TypingError(`failed to convert value to unstructured`)
  return value
}
