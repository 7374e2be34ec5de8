import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '../../crds/metadata.ts'
import type { Body, Change } from '../changes/change.ts'
import { comparable } from '../changes/comparable.ts'

/** Whether applying would write nothing at all, not even who owns what: then it need not be sent. */
export function changesNothing({ source, before, after }: Change): boolean {
  if (source !== 'server' || !before || !after || before.metadata.deletionTimestamp) return false
  return isDeepStrictEqual(withOwners(before), withOwners(after))
}

function withOwners(object: Body): JsonObject {
  const owners = (object.metadata.managedFields ?? []).map(({ time: _, ...entry }) => entry)
  return { ...comparable(object, true), owners } as JsonObject
}
