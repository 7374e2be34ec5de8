import type { ManagerStatus } from '../runtime/controller/manager.ts'
import type { ControllerMetrics } from '../runtime/metrics/controller-metrics.ts'
import type { Metrics, Sample } from '../runtime/metrics/metrics.ts'
import type { BrakeView } from './brake-view.ts'
import type { Caches } from './caches.ts'
import type { Solving } from './placement/solving.ts'
import { SiteSums } from './site-sums.ts'

/** What fleet gauges are made from. */
export interface FleetView {
  readonly caches: { readonly appliances: Pick<Caches['appliances'], 'list'> }
  readonly brake: Pick<BrakeView, 'light' | 'now'>
  readonly solving: Pick<Solving, 'list'>
}

/**
 * Tells Prometheus how controllers and fleet are. The gauges of the fleet are told only while `leading`: several replicas see the same fleet, and
 * sums over them would count it several times.
 */
export function registerControllers(
  metrics: Metrics,
  observed: ControllerMetrics,
  controllers: { readonly status: ManagerStatus; readonly fleet: FleetView },
  leading: () => boolean,
): void {
  observed.register(metrics, () => controllers.status.controllers)
  metrics.gauge(
    {
      name: 'weir_cache_synced',
      help: '1 where the resource has been read and is followed; 0 where it cannot be.',
      labels: ['resource'],
    },
    () =>
      controllers.status.caches.map(({ resource, synced, error }) => ({
        value: synced && error === undefined ? 1 : 0,
        labels: { resource },
      })),
  )
  registerFleet(metrics, controllers.fleet, leading)
}

function registerFleet(metrics: Metrics, { caches, brake, solving }: FleetView, leading: () => boolean): void {
  const site = ['namespace', 'site']
  const sites = new SiteSums(() => caches.appliances.list())
  const whileLeading = (collect: () => Iterable<Sample>) => () => (leading() ? collect() : [])
  metrics.gauge(
    {
      name: 'weir_site_appliances',
      help: 'Appliances of a site, by phase.',
      labels: [...site, 'state'],
    },
    whileLeading(() => sites.appliancesByState()),
  )
  const sums = [
    ['weir_site_bytes_desired', 'Bytes that the appliances of a site should hold.', 'bytesDesired'],
    ['weir_site_bytes_held', 'Bytes of these that they verifiably hold.', 'bytesHeld'],
    ['weir_site_files_failing', 'Files that appliances of a site fail to fill.', 'filesFailing'],
  ] as const
  for (const [name, help, field] of sums) {
    metrics.gauge(
      { name, help, labels: site },
      whileLeading(() => sites.sums(field)),
    )
  }
  metrics.gauge(
    { name: 'weir_fleet_known', help: 'Appliances in service that have been seen before.' },
    whileLeading(() => [{ value: brake.light.known }]),
  )
  metrics.gauge(
    { name: 'weir_fleet_dark', help: 'Appliances in service that have been seen before and are not online.' },
    whileLeading(() => [{ value: brake.light.dark }]),
  )
  metrics.gauge(
    {
      name: 'weir_placement_progress',
      help: 'Part of the work on a new plan that is done, 0 to 1; absent while none is being made.',
      labels: ['namespace', 'policy'],
    },
    whileLeading(() =>
      solving.list().map(({ policy: key, done }) => {
        const [namespace = '', policy = ''] = key.split('/')
        return { value: done, labels: { namespace, policy } }
      }),
    ),
  )
  metrics.gauge(
    { name: 'weir_fail_closed', help: '1 while so much of the fleet is dark that nothing is moved.' },
    whileLeading(() => [{ value: brake.now.engaged ? 1 : 0 }]),
  )
}
