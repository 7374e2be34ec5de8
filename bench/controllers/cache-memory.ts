import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { KubeObject } from '../../crds/metadata.ts'
import { Store } from '../../runtime/cache/store.ts'
import type { Report } from '../benchmark.ts'

const OBJECTS = 20_000

/** What a cache takes per object, beside the object's JSON. */
export async function measureCacheMemory(report: Report): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const heap = () => {
    collect()
    collect()
    return process.memoryUsage().heapUsed + process.memoryUsage().external
  }
  const texts = Array.from({ length: OBJECTS }, (_, i) => Buffer.from(JSON.stringify(appliance(i))))
  const jsonBytes = texts.reduce((sum, text) => sum + text.length, 0)
  const before = heap()
  const store = new Store<KubeObject>({
    site: (object) => [(object as unknown as { spec: { siteRef: { name: string } } }).spec.siteRef.name],
  })
  for (const text of texts) store.set(JSON.parse(text.toString()) as KubeObject)
  const bytes = heap() - before
  // Held until here: what was there before must be there after.
  if (texts.length !== store.size) throw new Error('the store has lost objects')
  report.note(
    `${OBJECTS} Appliances of ${Math.round(jsonBytes / OBJECTS)} bytes of JSON: ${Math.round(bytes / OBJECTS)} bytes of heap each (${store.size} held)`,
  )
  report.figure({
    name: 'cache: memory per object beside its JSON',
    value: bytes / jsonBytes,
    unit: '×',
    target: { atMost: 2 },
  })
}

/** An Appliance as it stands in a running fleet: three managers, three conditions, all summaries. */
function appliance(i: number): object {
  const time = `2030-01-01T00:${String(i % 60).padStart(2, '0')}:00Z`
  const condition = (type: string, reason: string, message: string) => ({
    lastTransitionTime: time,
    message,
    observedGeneration: 1,
    reason,
    status: 'True',
    type,
  })
  const owned = {
    'f:lastTransitionTime': {},
    'f:message': {},
    'f:observedGeneration': {},
    'f:reason': {},
    'f:status': {},
    'f:type': {},
  }
  const entry = (manager: string, fieldsV1: object, subresource?: string) => ({
    apiVersion: 'fleet.weir.dev/v1alpha1',
    fieldsType: 'FieldsV1',
    fieldsV1,
    manager,
    operation: 'Apply',
    ...(subresource && { subresource }),
    time,
  })
  return {
    apiVersion: 'fleet.weir.dev/v1alpha1',
    kind: 'Appliance',
    metadata: {
      creationTimestamp: time,
      finalizers: ['fleet.weir.dev/drain'],
      generation: 1,
      managedFields: [
        entry('weir', { 'f:spec': { 'f:hardwareClassRef': {}, 'f:siteRef': {} } }),
        entry('weir-assignment', { 'f:metadata': { 'f:finalizers': { 'v:"fleet.weir.dev/drain"': {} } } }),
        entry(
          'weir-appliance',
          {
            'f:status': {
              'f:conditions': {
                'k:{"type":"ContentReady"}': { '.': {}, ...owned },
                'k:{"type":"Online"}': { '.': {}, ...owned },
                'k:{"type":"Ready"}': { '.': {}, ...owned },
              },
              'f:observedGeneration': {},
              'f:phase': {},
              'f:waitingFor': {},
            },
          },
          'status',
        ),
        entry(
          'weir-gateway',
          {
            'f:status': {
              'f:addresses': { 'k:{"type":"HTTP"}': { '.': {}, 'f:type': {}, 'f:url': {} } },
              'f:agent': { 'f:bootId': {}, 'f:startedAt': {}, 'f:version': {} },
              'f:content': {
                'f:bytesDesired': {},
                'f:bytesHeld': {},
                'f:bytesToFill': {},
                'f:filesDesired': {},
                'f:filesHeld': {},
              },
            },
          },
          'status',
        ),
      ],
      name: `box-${i}`,
      namespace: `isp-${i % 50}`,
      resourceVersion: String(1_000_000 + i),
      uid: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
    },
    spec: { hardwareClassRef: { name: 'flash-100' }, mode: 'InService', siteRef: { name: `site-${i % 6000}` } },
    status: {
      addresses: [{ type: 'HTTP', url: `http://192.0.2.${i % 250}:8080` }],
      agent: { bootId: `00000000-0000-4000-9000-${String(i).padStart(12, '0')}`, startedAt: time, version: '0.1.0' },
      conditions: [
        condition('Ready', 'Converged', 'Online, and holds all it should'),
        condition('Online', 'Heartbeat', 'Sends heartbeats'),
        condition('ContentReady', 'ContentComplete', `Holds ${i} files, 80 TiB, each verified`),
      ],
      content: {
        bytesDesired: 8e13,
        bytesHeld: 8e13,
        bytesToFill: 0,
        failures: [],
        filesDesired: i,
        filesFailing: 0,
        filesHeld: i,
        generation: 12,
        inventories: [
          {
            catalog: { name: 'films', namespace: 'cdn' },
            catalogDigest: `sha256:${'a'.repeat(64)}`,
            digest: `sha256:${String(i).padStart(64, '0')}`,
          },
        ],
        progressPercent: 100,
        storageCapacityBytes: 1e14,
        storageUsedBytes: 8e13,
      },
      observedGeneration: 1,
      phase: 'Ready',
      waitingFor: [],
    },
  }
}
