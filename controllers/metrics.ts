import type { Appliance } from '../crds/types.gen.ts'
import type { ManagerStatus } from '../runtime/controller/manager.ts'
import type { ControllerMetrics } from '../runtime/metrics/controller-metrics.ts'
import type { Metrics, Sample } from '../runtime/metrics/metrics.ts'
import type { BrakeView } from './brake-view.ts'
import type { Caches } from './caches.ts'

/** What fleet gauges are made from. */
export interface FleetView {
  readonly caches: Pick<Caches, 'appliances'>
  readonly brake: BrakeView
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

function registerFleet(metrics: Metrics, { caches, brake }: FleetView, leading: () => boolean): void {
  const site = ['namespace', 'site']
  const whileLeading = (collect: () => Iterable<Sample>) => () => (leading() ? collect() : [])
  metrics.gauge(
    {
      name: 'weir_site_appliances',
      help: 'Appliances of a site, by phase.',
      labels: [...site, 'state'],
    },
    whileLeading(() => appliancesByState(caches.appliances.list())),
  )
  const sums: readonly (readonly [string, string, (content: Content) => number | undefined])[] = [
    ['weir_site_bytes_desired', 'Bytes that the appliances of a site should hold.', (c) => c.bytesDesired],
    ['weir_site_bytes_held', 'Bytes of these that they verifiably hold.', (c) => c.bytesHeld],
    ['weir_site_files_failing', 'Files that appliances of a site fail to fill.', (c) => c.filesFailing],
  ]
  for (const [name, help, value] of sums) {
    metrics.gauge(
      { name, help, labels: site },
      whileLeading(() => sumBySite(caches.appliances.list(), value)),
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
    { name: 'weir_fail_closed', help: '1 while so much of the fleet is dark that nothing is moved.' },
    whileLeading(() => [{ value: brake.now.engaged ? 1 : 0 }]),
  )
}

type Content = NonNullable<NonNullable<Appliance['status']>['content']>

const siteOf = ({ metadata, spec }: Appliance) => ({ namespace: metadata.namespace ?? '', site: spec.siteRef.name })

function appliancesByState(appliances: readonly Appliance[]): Iterable<Sample> {
  return summed(
    appliances,
    (appliance) => ({ ...siteOf(appliance), state: appliance.status?.phase ?? 'Pending' }),
    () => 1,
  )
}

function sumBySite(
  appliances: readonly Appliance[],
  value: (content: Content) => number | undefined,
): Iterable<Sample> {
  return summed(appliances, siteOf, ({ status }) => (status?.content && value(status.content)) ?? 0)
}

function summed(
  appliances: readonly Appliance[],
  labelsOf: (appliance: Appliance) => Readonly<Record<string, string>>,
  value: (appliance: Appliance) => number,
): Iterable<Sample> {
  const sums = new Map<string, { value: number; readonly labels: Readonly<Record<string, string>> }>()
  for (const appliance of appliances) {
    const labels = labelsOf(appliance)
    const key = Object.values(labels).join('/')
    const known = sums.get(key)
    if (known) known.value += value(appliance)
    else sums.set(key, { value: value(appliance), labels })
  }
  return sums.values()
}
