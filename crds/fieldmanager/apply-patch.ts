import type { ApplyRequest, ApplyResult } from './request.ts'

/** Server-side apply, as Kubernetes does it. Pure. */
export function applyPatch(_request: ApplyRequest): ApplyResult {
  throw new Error('not written yet')
}
