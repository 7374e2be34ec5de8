import type { JsonObject } from '../../crds/metadata.ts'
import type { Body } from './change.ts'

/**
 * An object without what the server writes into it by itself: that is nobody's change. `keepStatus`: of kinds whose status is a field
 * like any other.
 */
export function comparable(object: Body, keepStatus = false): JsonObject {
  const { status, ...rest } = object as JsonObject
  const {
    managedFields: _m,
    resourceVersion: _r,
    uid: _u,
    creationTimestamp: _c,
    deletionTimestamp: _d,
    deletionGracePeriodSeconds: _p,
    generation: _g,
    selfLink: _l,
    ...metadata
  } = object.metadata as JsonObject
  return { ...rest, metadata, ...(keepStatus && status !== undefined ? { status } : {}) }
}
