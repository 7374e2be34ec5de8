import type { KubeObject } from '../metadata.ts'
import type { TrackRequest } from './request.ts'

/** Gives what a create, update or (non-apply) patch changed to its manager. Never fails: what cannot be typed loses its managedFields. */
export function trackUpdate(_request: TrackRequest): KubeObject {
  throw new Error('not written yet')
}

/**
 * Puts the old times back where nothing but times of managedFields entries differs, so that a no-op is not written.
 * Call last, after defaulting; returns `live` itself when the two are otherwise equal.
 */
export function withoutTimeChurn(_updated: KubeObject, _live: KubeObject): KubeObject {
  throw new Error('not written yet')
}

/** `?fieldManager=`, or else the user agent up to its first `/`, printable characters, at most 128 bytes. */
export function managerName(_fieldManager: string | undefined, _userAgent: string | undefined): string {
  throw new Error('not written yet')
}
