import { expect, test } from '@jest/globals'
import { registerControllers } from '../../controllers/metrics.ts'
import type { Solving } from '../../controllers/placement/solving.ts'
import type { Appliance } from '../../crds/types.gen.ts'
import { ControllerMetrics } from '../../runtime/metrics/controller-metrics.ts'
import { Metrics } from '../../runtime/metrics/metrics.ts'

const content = (bytesDesired: number, bytesHeld: number, filesFailing: number) => ({
  generation: 1,
  bytesDesired,
  bytesHeld,
  bytesToFill: bytesDesired - bytesHeld,
  filesDesired: 1,
  filesHeld: 1,
  filesFailing,
  progressPercent: 100,
  storageCapacityBytes: 1000,
  storageUsedBytes: bytesHeld,
  failures: [],
  inventories: [],
})

function appliance(site: string, status: Appliance['status'], namespace = 'isp'): Appliance {
  return {
    apiVersion: 'fleet.weir.dev/v1alpha1',
    kind: 'Appliance',
    metadata: { name: 'box', namespace },
    spec: { siteRef: { name: site }, hardwareClassRef: { name: 'flash' } },
    status,
  } as Appliance
}

/** What is told of a fleet that may change between two collections. */
function told(fleet: { appliances: readonly Appliance[]; leading: boolean; solving?: ReturnType<Solving['list']> }) {
  const metrics = new Metrics({ process: false })
  const view = {
    caches: { appliances: { list: () => [...fleet.appliances] } },
    brake: { light: { known: 3, dark: 1 }, now: { engaged: false as const } },
    solving: { list: () => fleet.solving ?? [] },
  }
  registerControllers(
    metrics,
    new ControllerMetrics(),
    { status: { caches: [], controllers: [] }, fleet: view },
    () => fleet.leading,
  )
  return async () => {
    const text = await metrics.text()
    // A collection is one turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve))
    return text.split('\n').filter((line) => line.startsWith('weir_') && !line.startsWith('weir_cache'))
  }
}

test('the fleet is added up by site, anew for every collection', async () => {
  const filling = appliance('fra', { phase: 'Filling', content: content(100, 40, 2) })
  const ready = appliance('fra', { phase: 'Ready', content: content(100, 100, 0) })
  const elsewhere = appliance('fra', { phase: 'Ready', content: content(7, 7, 0) }, 'other')
  const fleet = { appliances: [filling, ready, elsewhere, appliance('ber', undefined)], leading: true }
  const collect = told(fleet)
  const brake = ['weir_fleet_known 3', 'weir_fleet_dark 1', 'weir_fail_closed 0']
  expect(await collect()).toEqual([
    'weir_site_appliances{namespace="isp",site="fra",state="Filling"} 1',
    'weir_site_appliances{namespace="isp",site="fra",state="Ready"} 1',
    'weir_site_appliances{namespace="isp",site="ber",state="Pending"} 1',
    'weir_site_appliances{namespace="other",site="fra",state="Ready"} 1',
    'weir_site_bytes_desired{namespace="isp",site="fra"} 200',
    'weir_site_bytes_desired{namespace="isp",site="ber"} 0',
    'weir_site_bytes_desired{namespace="other",site="fra"} 7',
    'weir_site_bytes_held{namespace="isp",site="fra"} 140',
    'weir_site_bytes_held{namespace="isp",site="ber"} 0',
    'weir_site_bytes_held{namespace="other",site="fra"} 7',
    'weir_site_files_failing{namespace="isp",site="fra"} 2',
    'weir_site_files_failing{namespace="isp",site="ber"} 0',
    'weir_site_files_failing{namespace="other",site="fra"} 0',
    ...brake,
  ])

  fleet.appliances = [ready]
  expect(await collect()).toEqual([
    'weir_site_appliances{namespace="isp",site="fra",state="Ready"} 1',
    'weir_site_bytes_desired{namespace="isp",site="fra"} 100',
    'weir_site_bytes_held{namespace="isp",site="fra"} 100',
    'weir_site_files_failing{namespace="isp",site="fra"} 0',
    ...brake,
  ])

  fleet.leading = false
  expect(await collect()).toEqual([])
})

test('how far a new plan is is told while one is being made, and only by who leads', async () => {
  const fleet = { appliances: [], leading: true, solving: [{ policy: 'isp/films', done: 0.25 }] }
  const collect = told(fleet)
  const progress = async () => (await collect()).filter((line) => line.startsWith('weir_placement'))
  expect(await progress()).toEqual(['weir_placement_progress{namespace="isp",policy="films"} 0.25'])
  fleet.solving = []
  expect(await progress()).toEqual([])
  fleet.solving = [{ policy: 'isp/films', done: 0.5 }]
  fleet.leading = false
  expect(await progress()).toEqual([])
})
