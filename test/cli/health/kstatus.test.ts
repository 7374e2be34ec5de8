import { expect, test } from '@jest/globals'
import { healthOf } from '../../../cli/health/kstatus.ts'
import type { JsonObject, KubeObject } from '../../../crds/metadata.ts'

const NOW = new Date('2026-01-01T00:01:00Z')
const condition = (type: string, status: string, reason = 'Because', message = 'm') => ({
  type,
  status,
  reason,
  message,
})

// What kstatus says of 60,000 generated objects was compared once, state by state: they differ where an object is both Stalled and
// Reconciling, which is failure here in whatever order the two are.
test.each<[string, string, JsonObject, string, string]>([
  ['v1', 'ConfigMap', {}, 'Current', ''],
  ['v1', 'Secret', { status: { conditions: [condition('Ready', 'False')] } }, 'Current', ''],
  ['v1', 'Service', { spec: { type: 'LoadBalancer' } }, 'InProgress', 'it has no cluster IP yet'],
  ['v1', 'Service', { spec: { type: 'LoadBalancer', clusterIP: '10.0.0.1' } }, 'Current', ''],
  ['v1', 'PersistentVolumeClaim', { status: { phase: 'Pending' } }, 'InProgress', 'it is not bound but Pending'],
  ['v1', 'PersistentVolumeClaim', { status: { phase: 'Bound' } }, 'Current', ''],
  ['v1', 'Pod', {}, 'InProgress', 'no node has seen it yet'],
  ['v1', 'Pod', { status: { phase: 'Running', conditions: [condition('Ready', 'True')] } }, 'Current', ''],
  [
    'v1',
    'Pod',
    {
      status: {
        phase: 'Running',
        containerStatuses: [{ name: 'c', state: { waiting: { reason: 'CrashLoopBackOff' } } }],
      },
    },
    'Failed',
    'crashing again and again: c',
  ],
  [
    'v1',
    'Pod',
    {
      metadata: { creationTimestamp: '2026-01-01T00:00:50Z' },
      status: { phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable')] },
    },
    'InProgress',
    'it has no node yet',
  ],
  [
    'v1',
    'Pod',
    {
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
      status: { phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable')] },
    },
    'Failed',
    'there is no node for it',
  ],
  [
    'apps/v1',
    'Deployment',
    { spec: { replicas: 2 }, status: { replicas: 1 } },
    'InProgress',
    '1 of 2 replicas are there',
  ],
  [
    'apps/v1',
    'Deployment',
    { spec: { replicas: 1 }, status: { replicas: 2, updatedReplicas: 1 } },
    'InProgress',
    '1 old replicas are still there',
  ],
  [
    'apps/v1',
    'Deployment',
    {
      spec: { replicas: 1, progressDeadlineSeconds: 600 },
      status: { conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded', 'too slow')] },
    },
    'Failed',
    'ProgressDeadlineExceeded: too slow',
  ],
  [
    'apps/v1',
    'Deployment',
    {
      spec: { replicas: 1, progressDeadlineSeconds: 600 },
      status: {
        replicas: 1,
        updatedReplicas: 1,
        readyReplicas: 1,
        availableReplicas: 1,
        conditions: [condition('Progressing', 'True', 'NewReplicaSetAvailable'), condition('Available', 'True')],
      },
    },
    'Current',
    '',
  ],
  ['apps/v1', 'StatefulSet', { spec: { updateStrategy: { type: 'OnDelete' } } }, 'Current', ''],
  [
    'apps/v1',
    'StatefulSet',
    { status: { replicas: 1, readyReplicas: 1, currentReplicas: 1, currentRevision: 'a', updateRevision: 'b' } },
    'InProgress',
    'its replicas are not all of the new revision',
  ],
  ['apps/v1', 'DaemonSet', {}, 'InProgress', 'its controller has not seen it yet'],
  ['batch/v1', 'Job', { status: { startTime: '2026-01-01T00:00:00Z' } }, 'Current', ''],
  [
    'batch/v1',
    'Job',
    { status: { conditions: [condition('Failed', 'True', 'BackoffLimitExceeded')] } },
    'Failed',
    'BackoffLimitExceeded: m',
  ],
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition', {}, 'InProgress', 'it is not served yet'],
  [
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    { status: { conditions: [condition('NamesAccepted', 'False', 'NameConflict')] } },
    'Failed',
    'NameConflict: m',
  ],
  ['x.dev/v1', 'Thing', {}, 'Current', ''],
  [
    'x.dev/v1',
    'Thing',
    { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } },
    'Terminating',
    'it is being deleted',
  ],
  [
    'x.dev/v1',
    'Thing',
    { metadata: { generation: 2 }, status: { observedGeneration: 1, conditions: [condition('Ready', 'True')] } },
    'InProgress',
    'its controller has not seen the change yet',
  ],
  [
    'x.dev/v1',
    'Thing',
    { status: { conditions: [condition('Reconciling', 'True'), condition('Stalled', 'True', 'NoSuchParent')] } },
    'Failed',
    'NoSuchParent: m',
  ],
  [
    'fleet.weir.dev/v1alpha1',
    'Appliance',
    {
      status: {
        observedGeneration: 1,
        conditions: [condition('Ready', 'False', 'Filling')],
        waitingFor: ['fill window opens at 02:00'],
      },
    },
    'InProgress',
    'Filling: m (fill window opens at 02:00)',
  ],
])('%s %s %j is %s', (apiVersion, kind, fields, state, message) => {
  const object = { apiVersion, kind, metadata: {}, ...fields } as KubeObject & JsonObject
  expect(healthOf(object, false, NOW)).toEqual({ state, message })
})

test('an empty status says nothing where the controller is known to report what it has seen', () => {
  const object = { apiVersion: 'fleet.weir.dev/v1alpha1', kind: 'Site', metadata: { name: 'a', generation: 1 } }
  expect(healthOf(object, true, NOW).state).toBe('InProgress')
})
