import type { KubeObject } from '../../crds/metadata.ts'
import { humanDuration } from '../duration.ts'

/** The parts of a core/v1 Event that are shown. */
export interface EventObject extends KubeObject {
  readonly involvedObject: {
    readonly kind?: string
    readonly name?: string
    readonly namespace?: string
    readonly fieldPath?: string
  }
  readonly type?: string
  readonly reason?: string
  readonly message?: string
  readonly count?: number
  readonly firstTimestamp?: string | null
  readonly lastTimestamp?: string | null
  readonly eventTime?: string | null
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string } | null
  readonly source?: { readonly component?: string }
  readonly reportingComponent?: string
}

/** When it last happened, in milliseconds; 0 where nothing says so. */
export function eventTime({ series, lastTimestamp, eventTime: time }: EventObject): number {
  const text = series?.lastObservedTime ?? lastTimestamp ?? time
  return text ? Date.parse(text) : 0
}

/** `5m`, or `10s (x3 over 5m)`. */
export function lastSeen(event: EventObject, nowMs: number): string {
  const since = (text: string | null | undefined) => (text ? humanDuration(nowMs - Date.parse(text)) : '<unknown>')
  const first = since(event.eventTime ?? event.firstTimestamp)
  if (event.series) return `${since(event.series.lastObservedTime)} (x${event.series.count} over ${first})`
  return (event.count ?? 0) > 1 ? `${since(event.lastTimestamp)} (x${event.count} over ${first})` : first
}

/** Oldest first. */
export function byTime<T extends EventObject>(events: readonly T[]): T[] {
  return [...events].sort((a, b) => eventTime(a) - eventTime(b))
}
