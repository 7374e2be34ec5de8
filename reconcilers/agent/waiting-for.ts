import { count, sayBytes } from '../bytes.ts'

/** What stands between an agent and its content. */
export interface FillState {
  /** No Assignment has been heard of yet. */
  readonly unassigned?: boolean
  /** A newer Assignment was heard of and is not in force yet: why. */
  readonly notInForce?: string
  readonly missingFiles: number
  readonly failingFiles: number
  /** Bytes that have no room; 0 when there is room. */
  readonly shortBytes: number
  /** Withdrawn bytes that will be evicted once clients are through with them. */
  readonly drainingBytes: number
  /** Nothing is filled, whatever the window: the appliance is out of service. */
  readonly paused?: boolean
  readonly windowClosed: boolean
  /** When the fill window opens, RFC 3339 in the site's time; absent when none will. */
  readonly windowOpensAt?: string
  /** The source that fills come from now, or that is waited for: `origin http://…`, `peer ns/name`. */
  readonly from?: string
  /** Why nothing comes from there. */
  readonly fromTrouble?: string
}

/** What filling waits for, as one sentence without a full stop; empty when everything that can be held is held. */
export function sayWaitingFor(state: FillState): string {
  if (state.notInForce) return state.notInForce
  if (state.unassigned) return 'an Assignment'
  const toFetch = state.missingFiles - state.failingFiles
  if (state.missingFiles === 0) return ''
  if (state.paused) return 'its return to service, as nothing is filled before'
  if (state.windowClosed) {
    return state.windowOpensAt === undefined
      ? 'fill window of the site, which never opens'
      : `fill window of the site, opens at ${state.windowOpensAt}`
  }
  if (state.shortBytes > 0) {
    const drain = state.drainingBytes > 0 ? `; ${sayBytes(state.drainingBytes)} are draining` : ''
    return `free disk: ${sayBytes(state.shortBytes)} short${drain}`
  }
  if (toFetch <= 0) return `${count(state.failingFiles, 'file')} that no source has right`
  const from = state.from === undefined ? '' : ` from ${state.from}`
  const trouble = state.fromTrouble === undefined ? '' : ` (${state.fromTrouble})`
  return `${count(toFetch, 'file')}${from}${trouble}`
}
