import type { ProbeAddress, ProbeTimes } from './probe-target.ts'

/** What a thread of probes starts with. */
export interface ProberSettings {
  readonly times: ProbeTimes
  readonly perSecond: number
  readonly maxKept: number
  readonly maxOpening: number
  readonly opensPerSecond: number
}

export type ToProber =
  | { readonly type: 'set'; readonly id: number; readonly address: ProbeAddress }
  | { readonly type: 'remove'; readonly id: number }
  | { readonly type: 'now'; readonly id: number }

export type FromProber =
  | {
      readonly type: 'verdicts'
      readonly verdicts: readonly { readonly id: number; readonly up: boolean; readonly reason: string }[]
    }
  /** `loads`: id, requests being answered, bytes sent per second; and so on. `probes` and `unable`: how many since the thread's start. */
  | { readonly type: 'loads'; readonly loads: Float64Array; readonly probes: number; readonly unable: number }
