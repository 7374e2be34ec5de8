import { TIERS } from '../reconcilers/steering/types.ts'
import type { Metrics } from '../runtime/metrics/metrics.ts'
import { type Counters, MISSES } from './counters.ts'

/** What steering's metrics are made from. */
export interface SteeringView {
  readonly counters: Counters
  readonly caches: readonly { readonly resource: string; readonly synced: boolean; readonly error?: string }[]
  readonly appliances: number
  readonly down: number
  readonly quarantined: number
  readonly believesProbes: boolean
  readonly probes: number
  readonly probesUnable: number
  /** Appliances to which no connection is kept open. */
  readonly probedRarely: number
  readonly hints: number
  readonly inventoriesPending: number
  readonly inventoriesWithheld: number
  readonly absurdLoads: number
  /** Seconds since the snapshot on disk was made; undefined: there is none. */
  readonly snapshotAgeSeconds: number | undefined
}

/** Tells Prometheus what steering does. */
export function registerSteering(metrics: Metrics, view: () => SteeringView): void {
  const gauge = (name: string, help: string, value: (view: SteeringView) => number) =>
    metrics.gauge({ name: `weir_steering_${name}`, help }, () => [{ value: value(view()) }])
  const counter = (name: string, help: string, value: (view: SteeringView) => number) =>
    metrics.counter({ name: `weir_steering_${name}_total`, help }, () => [{ value: value(view()) }])
  metrics.counter(
    { name: 'weir_steering_requests_total', help: 'HTTP requests answered, by code.', labels: ['code'] },
    () => Array.from(view().counters.answers, ([code, value]) => ({ value, labels: { code: String(code) } })),
  )
  metrics.counter({ name: 'weir_steering_dns_answers_total', help: 'DNS answers, by code.', labels: ['code'] }, () =>
    Array.from(view().counters.dns, ([code, value]) => ({ value, labels: { code } })),
  )
  metrics.counter(
    {
      name: 'weir_steering_decisions_total',
      help: 'Decisions, by the tier of the first that they name; Nobody: they name none.',
      labels: ['tier'],
    },
    () => Array.from(view().counters.tiers, (value, i) => ({ value, labels: { tier: TIERS[i] ?? 'Nobody' } })),
  )
  metrics.counter(
    {
      name: 'weir_steering_misses_total',
      help: 'Decisions, by why the client’s own site is not first.',
      labels: ['miss'],
    },
    () => Array.from(view().counters.misses, (value, i) => ({ value, labels: { miss: MISSES[i]! } })),
  )
  metrics.histogram(
    { name: 'weir_steering_answer_duration_seconds', help: 'From a question being there to its answer being written.' },
    () => [{ buckets: view().counters.seconds }],
  )
  counter('rate_limited', 'Questions, by HTTP and DNS, above the rate of their client.', (v) => v.counters.rateLimited)
  counter(
    'dns_connections_refused',
    'DNS connections that were refused or closed because there were too many.',
    (v) => v.counters.refusedConnections,
  )
  counter('probes', 'Probes of appliances.', (v) => v.probes)
  counter(
    'probes_unable',
    'Probes that could not be sent for want of something on this machine.',
    (v) => v.probesUnable,
  )
  counter('hints', 'Hints by clients that an appliance has failed them.', (v) => v.hints)
  counter('absurd_load_reports', 'Load reports that had to be put into bounds.', (v) => v.absurdLoads)
  counter('decisions_logged', 'Decisions written to the log.', (v) => v.counters.decisionsLogged)
  counter('decisions_not_logged', 'Decisions that the log could not take.', (v) => v.counters.decisionsNotLogged)
  gauge('appliances', 'Appliances that it knows.', (v) => v.appliances)
  gauge('appliances_down', 'Appliances that it names to nobody because they do not answer.', (v) => v.down)
  gauge(
    'appliances_quarantined',
    'Of those, left out because clients of several networks say so.',
    (v) => v.quarantined,
  )
  gauge('probes_believed', '0 while almost no appliance answers, so that this machine may be cut off.', (v) =>
    Number(v.believesProbes),
  )
  gauge(
    'appliances_probed_rarely',
    'Appliances beyond the connections that may be kept open: they are probed on new ones, and less often.',
    (v) => v.probedRarely,
  )
  gauge('inventories_pending', 'Blobs that still have to be read.', (v) => v.inventoriesPending)
  gauge(
    'inventories_withheld',
    'Inventories told by appliances that cannot be read or used.',
    (v) => v.inventoriesWithheld,
  )
  gauge('snapshot_age_seconds', 'Age of the snapshot on disk; -1: there is none.', (v) => v.snapshotAgeSeconds ?? -1)
  metrics.gauge(
    {
      name: 'weir_cache_synced',
      help: '1 where the resource has been read and is followed; 0 where it cannot be.',
      labels: ['resource'],
    },
    () =>
      view().caches.map(({ resource, synced, error }) => ({
        value: synced && error === undefined ? 1 : 0,
        labels: { resource },
      })),
  )
}
