import type { ControllerLoad } from '../runtime/controller/controller.ts'
import type { ControllerMetrics } from '../runtime/metrics/controller-metrics.ts'
import type { Metrics } from '../runtime/metrics/metrics.ts'
import type { Counters } from './counters.ts'

/** What gateway metrics are made from. */
export interface GatewayView {
  readonly counters: Counters
  /** Appliances with an open Assignment stream. */
  readonly connected: number
  /** Appliances that this gateway's Leases list. */
  readonly online: number
  readonly caches: readonly { readonly resource: string; readonly synced: boolean; readonly error?: string }[]
  /** Of the loop that writes statuses. */
  readonly reports: ControllerLoad
}

/** Tells Prometheus what a gateway does. */
export function registerGateway(metrics: Metrics, observed: ControllerMetrics, view: () => GatewayView): void {
  observed.register(metrics, () => [{ name: 'gateway', ...view().reports }])
  const gauge = (name: string, help: string, value: (view: GatewayView) => number) =>
    metrics.gauge({ name, help }, () => [{ value: value(view()) }])
  const counter = (name: string, help: string, value: (counters: Counters) => number) =>
    metrics.counter({ name, help }, () => [{ value: value(view().counters) }])
  gauge('weir_gateway_appliances_connected', 'Appliances with an open Assignment stream.', (v) => v.connected)
  gauge('weir_gateway_appliances_online', 'Appliances that this gateway says are online.', (v) => v.online)
  counter('weir_gateway_heartbeats_total', 'Heartbeats received.', (c) => c.heartbeats)
  counter('weir_gateway_reports_total', 'Status reports received.', (c) => c.reports)
  counter('weir_gateway_inventories_total', 'Inventories received, and taken back.', (c) => c.inventories)
  counter(
    'weir_gateway_demand_reports_total',
    'Reports of what clients asked for that were kept.',
    (c) => c.demandReports,
  )
  counter('weir_gateway_status_writes_total', 'Writes of Appliance.status.', (c) => c.statusWrites)
  counter('weir_gateway_blobs_served_total', 'Blobs, or ranges of them, served.', (c) => c.blobsServed)
  counter(
    'weir_gateway_catalog_deltas_served_total',
    'Catalogs of which only what changed was sent.',
    (c) => c.catalogDeltasServed,
  )
  counter('weir_gateway_blob_bytes_served_total', 'Bytes of blobs served.', (c) => c.blobBytesServed)
  metrics.counter(
    { name: 'weir_gateway_requests_total', help: 'Requests answered, by HTTP code.', labels: ['code'] },
    () => Array.from(view().counters.answers, ([code, value]) => ({ value, labels: { code: String(code) } })),
  )
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
