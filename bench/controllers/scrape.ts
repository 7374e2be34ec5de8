import { BrakeView } from '../../controllers/brake-view.ts'
import { registerControllers } from '../../controllers/metrics.ts'
import { Solving } from '../../controllers/placement/solving.ts'
import type { Appliance } from '../../crds/types.gen.ts'
import type { Change } from '../../runtime/cache/store.ts'
import type { ManagerStatus } from '../../runtime/controller/manager.ts'
import { ControllerMetrics } from '../../runtime/metrics/controller-metrics.ts'
import { Metrics } from '../../runtime/metrics/metrics.ts'
import type { Report } from '../benchmark.ts'

const APPLIANCES = 20_000
const SITES = 6_000
const SCRAPES = 11

/** What it costs the controllers of a large fleet to tell Prometheus of it. */
export async function measureScrape(report: Report): Promise<void> {
  const fleet = Array.from({ length: APPLIANCES }, (_, i) => appliance(i))
  const list = () => fleet
  const onChange = (handler: (change: Change<Appliance>) => void) => {
    for (const object of fleet) handler({ type: 'add', key: object.metadata.name ?? '', object })
    return () => {}
  }
  const brake = new BrakeView({ onChange })
  const metrics = new Metrics()
  const status: ManagerStatus = { caches: [], controllers: [] }
  const controllers = { status, fleet: { caches: { appliances: { list } }, brake, solving: new Solving() } }
  registerControllers(metrics, new ControllerMetrics(), controllers, () => true)
  const cpuMs: number[] = []
  let text = ''
  for (let i = 0; i < SCRAPES; i++) {
    const started = process.cpuUsage()
    text = await metrics.text()
    const { user, system } = process.cpuUsage(started)
    cpuMs.push((user + system) / 1000)
  }
  const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length
  report.note(
    `${APPLIANCES} appliances at ${SITES} sites: ${series} series, ${Math.round(text.length / 1024)} KiB; the first took ${cpuMs[0]!.toFixed(0)} ms`,
  )
  report.figure({
    name: 'scrape: CPU time of one collection of /metrics',
    value: cpuMs.sort((a, b) => a - b)[Math.floor(SCRAPES / 2)]!,
    unit: 'ms',
    target: { atMost: 50 },
  })
}

function appliance(i: number): Appliance {
  const bytes = 8e13
  return {
    apiVersion: 'fleet.weir.dev/v1alpha1',
    kind: 'Appliance',
    metadata: { name: `box-${i}`, namespace: `isp-${(i % SITES) % 50}` },
    spec: { siteRef: { name: `site-${i % SITES}` }, hardwareClassRef: { name: 'flash-100' } },
    status: {
      phase: 'Ready',
      content: {
        generation: 1,
        bytesDesired: bytes,
        bytesHeld: bytes,
        bytesToFill: 0,
        filesDesired: i,
        filesHeld: i,
        filesFailing: 0,
        progressPercent: 100,
        storageCapacityBytes: bytes,
        storageUsedBytes: bytes,
      },
    },
  } as Appliance
}
