import type { JsonObject, ManagedFieldsEntry } from '../metadata.ts'
import type { FieldSet } from './field-set.ts'
import { decodeFields, encodeFields } from './fields-v1.ts'
import { compareStrings, equalValues } from './value.ts'

/** Who a set of fields belongs to: what an entry says besides its fields and its time. */
export interface ManagerId {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  /** For `Apply` an attribute of the entry, not of the identity: an applier has one entry whatever version it uses. */
  readonly apiVersion: string
  readonly subresource: string
}

/** One decoded entry of managedFields. */
export interface ManagedSet {
  readonly id: ManagerId
  readonly set: FieldSet
  readonly time: string | undefined
  /** The entry this was read from, for as long as nothing changed. */
  readonly entry?: ManagedFieldsEntry
}

/** Decoded managedFields by `managerKey`. */
export type Managed = ReadonlyMap<string, ManagedSet>

export const NOTHING_MANAGED: Managed = new Map()

/** A manager's identity as text, ordered as Kubernetes orders them. */
export function managerKey(id: ManagerId): string {
  const { manager, operation, apiVersion, subresource } = id
  return JSON.stringify({
    ...(manager !== '' && { manager }),
    operation,
    ...(operation === 'Update' && { apiVersion }),
    ...(subresource !== '' && { subresource }),
  })
}

const decodedEntries = new WeakMap<ManagedFieldsEntry, { readonly key: string; readonly managed: ManagedSet }>()

/** Decodes managedFields; throws on an entry that Kubernetes does not accept. */
export function decodeManaged(entries: readonly ManagedFieldsEntry[] | undefined): Managed {
  if (!entries || entries.length === 0) return NOTHING_MANAGED
  const managed = new Map<string, ManagedSet>()
  for (const [index, entry] of entries.entries()) {
    let known = decodedEntries.get(entry)
    if (!known) {
      known = decodeEntry(entry, index)
      decodedEntries.set(entry, known)
    }
    managed.set(known.key, known.managed)
  }
  return managed
}

function decodeEntry(entry: ManagedFieldsEntry, index: number): { readonly key: string; readonly managed: ManagedSet } {
  const { operation, apiVersion, fieldsType } = entry
  if (operation !== 'Apply' && operation !== 'Update') throw new Error('operation must be `Apply` or `Update`')
  if (!apiVersion) throw new Error('apiVersion must not be empty')
  if (!fieldsType) throw new Error(`missing fieldsType in managed fields entry ${index}`)
  if (fieldsType !== 'FieldsV1') {
    throw new Error(`invalid fieldsType "${String(fieldsType)}" in managed fields entry ${index}`)
  }
  const id: ManagerId = { manager: entry.manager ?? '', operation, apiVersion, subresource: entry.subresource ?? '' }
  return { key: managerKey(id), managed: { id, set: decodeFields(entry.fieldsV1 ?? {}), time: entry.time, entry } }
}

/** The first error that `decodeManaged` would throw, if any. */
export function managedProblem(entries: readonly ManagedFieldsEntry[] | undefined): string | undefined {
  try {
    decodeManaged(entries)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/**
 * Writes managedFields in Kubernetes' order: applies first, then by time (whole seconds), manager, version and subresource.
 * Entries that did not change keep their identity, and so does the list where none did.
 */
export function encodeManaged(
  managed: Managed,
  previous: readonly ManagedFieldsEntry[] | undefined,
): readonly ManagedFieldsEntry[] | undefined {
  if (managed.size === 0) return undefined
  const entries = [...managed.values()].map(encodeEntry).sort(compareEntries)
  const same = previous?.length === entries.length && entries.every((entry, i) => entry === previous[i])
  return same ? previous : entries
}

function encodeEntry(managed: ManagedSet): ManagedFieldsEntry {
  if (managed.entry) return managed.entry
  const { id, set, time } = managed
  const entry: ManagedFieldsEntry = {
    ...(id.manager !== '' && { manager: id.manager }),
    operation: id.operation,
    apiVersion: id.apiVersion,
    ...(time !== undefined && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: encodeFields(set),
    ...(id.subresource !== '' && { subresource: id.subresource }),
  }
  decodedEntries.set(entry, { key: managerKey(id), managed: { id, set, time, entry } })
  return entry
}

function compareEntries(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  return (
    compareStrings(a.operation ?? '', b.operation ?? '') ||
    unixSeconds(a.time) - unixSeconds(b.time) ||
    compareStrings(a.manager ?? '', b.manager ?? '') ||
    compareStrings(a.apiVersion ?? '', b.apiVersion ?? '') ||
    compareStrings(a.subresource ?? '', b.subresource ?? '')
  )
}

export function unixSeconds(time: string | undefined): number {
  const milliseconds = time === undefined ? Number.NaN : Date.parse(time)
  return Number.isNaN(milliseconds) ? 0 : Math.floor(milliseconds / 1000)
}

/** The entries of `sent` by the identity of those `live` ones that they equal: what was decoded once is not decoded again. */
export function sharedEntries(
  sent: readonly ManagedFieldsEntry[] | undefined,
  live: readonly ManagedFieldsEntry[] | undefined,
): readonly ManagedFieldsEntry[] | undefined {
  if (!sent || !live || sent === live) return sent
  const shared = sent.map((entry, i) => {
    const known = live[i]
    return known && entryEquals(entry, known) ? known : entry
  })
  const same = shared.length === live.length && shared.every((entry, i) => entry === live[i])
  return same ? live : shared
}

function entryEquals(a: ManagedFieldsEntry, b: ManagedFieldsEntry): boolean {
  return equalValues(a as unknown as JsonObject, b as unknown as JsonObject)
}
