import { expect, test } from '@jest/globals'
import { inWaves } from '../../../cli/changes/order.ts'
import type { JsonObject, KubeObject } from '../../../crds/metadata.ts'

type Body = KubeObject & JsonObject

test('waves: what others need comes first, sites after their parents, circles are no end', () => {
  const site = (name: string, ...parents: string[]) => ({
    apiVersion: 'fleet.weir.dev/v1alpha1',
    kind: 'Site',
    metadata: { name, namespace: 'eu' },
    spec: { parents: parents.map((parent) => ({ name: parent })) },
  })
  const plain = (apiVersion: string, kind: string, name: string) => ({ apiVersion, kind, metadata: { name } })
  const waves = inWaves<Body>(
    [
      plain('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', 'hook'),
      plain('apps/v1', 'Deployment', 'agent'),
      { ...plain('fleet.weir.dev/v1alpha1', 'Appliance', 'leaf'), metadata: { name: 'leaf', namespace: 'eu' } },
      site('leaf', 'middle', 'elsewhere'),
      site('middle', 'root'),
      site('a', 'b'),
      site('b', 'a'),
      site('root'),
      plain('v1', 'Namespace', 'eu'),
    ],
    (object) => object,
  )
  expect(waves.map((wave) => wave.map(({ metadata }) => metadata.name))).toEqual([
    ['eu'],
    ['root'],
    ['middle', 'b'],
    ['leaf', 'a'],
    ['leaf'],
    ['agent'],
    ['hook'],
  ])
})
