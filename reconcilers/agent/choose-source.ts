import { hashString, mix } from '../placement/hash.ts'

/** Somewhere a file may come from. Times in monotonic ms. */
export interface SourceCandidate {
  readonly id: string
  /** Lower is asked first: peers of the site, then parents in their order, then the origin. */
  readonly tier: number
  /** Files coming from there now. */
  readonly active: number
  /** The source as a whole is left alone until then; 0 when it is well. */
  readonly suspendedUntilMs: number
  /** This file is not asked for there until then, because it failed there; 0 when it has not. */
  readonly retryAtMs: number
}

export type SourceChoice =
  | { readonly type: 'use'; readonly id: string }
  /** All are to be left alone; the first of them until then. */
  | { readonly type: 'wait'; readonly untilMs: number }
  /** There is no source at all. */
  | { readonly type: 'none' }

/**
 * Chooses where to get a file now: the nearest tier that may be asked; in it the least busy; among equals one by hash, so that files spread
 * over sources and each file is asked for at the same one again, which may have part of it in its cache. Pure.
 */
export function chooseSource(candidates: readonly SourceCandidate[], sha256: string, nowMs: number): SourceChoice {
  let best: SourceCandidate | undefined
  let untilMs = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const freeAtMs = Math.max(candidate.suspendedUntilMs, candidate.retryAtMs)
    if (freeAtMs > nowMs) untilMs = Math.min(untilMs, freeAtMs)
    else if (!best || isBetter(candidate, best, sha256)) best = candidate
  }
  if (best) return { type: 'use', id: best.id }
  return candidates.length === 0 ? { type: 'none' } : { type: 'wait', untilMs }
}

function isBetter(a: SourceCandidate, b: SourceCandidate, sha256: string): boolean {
  if (a.tier !== b.tier) return a.tier < b.tier
  if (a.active !== b.active) return a.active < b.active
  return rank(a.id, sha256) < rank(b.id, sha256)
}

function rank(id: string, sha256: string): number {
  return mix(hashString(id) ^ Number.parseInt(sha256.slice(0, 8), 16))
}
