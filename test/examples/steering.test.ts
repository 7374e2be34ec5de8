import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { parseAllDocuments } from 'yaml'
import { registry } from '../../crds/registry.gen.ts'
import type { SteeringPolicy } from '../../crds/types.gen.ts'
import { buildWorld } from '../../reconcilers/steering/build-world.ts'
import { choosePolicy } from '../../reconcilers/steering/choose-policy.ts'
import type { Purpose } from '../../reconcilers/steering/types.ts'
import { startTestServer } from '../cli/harness.ts'
import { site } from '../reconcilers/fleet.ts'

const text = readFileSync(join(import.meta.dirname, '../../examples/steering/policies.yaml'), 'utf8')

test('examples/steering is taken by the API, and its policies govern what they say', async () => {
  await using server = await startTestServer()
  const manifests = parseAllDocuments(text).map((document) => document.toJS() as SteeringPolicy)
  const policies: SteeringPolicy[] = []
  await server.client.create(
    { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false },
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'quickstart' },
    },
  )
  for (const manifest of manifests) {
    policies.push(await server.client.apply(registry.SteeringPolicy, manifest, { fieldManager: 'weir', force: false }))
  }
  const edge = site('ams1', {}, { namespace: 'quickstart', labels: { tier: 'edge' } })
  const other = site('fra1', {}, { namespace: 'quickstart', labels: { tier: 'regional' } })
  const world = buildWorld({ sites: [edge, other], appliances: [], policies }, 0)
  const governing = (ordinal: number, purpose: Purpose) =>
    world.policies[
      choosePolicy(world, {
        client: { site: ordinal, region: -1, networkClass: 0, source: 'given' },
        catalog: 0,
        files: [0],
        purpose,
        excluded: [],
        affinityKey: 0,
        canaryKey: 0,
        seed: 0,
        maxUrls: 0,
        explain: false,
      })
    ]!.key
  expect([governing(0, 'live'), governing(0, 'game'), governing(0, 'vod')]).toEqual([
    'quickstart/live',
    'quickstart/downloads',
    'quickstart/works',
  ])
  expect([governing(1, 'vod'), governing(-1, 'vod'), governing(-1, 'live')]).toEqual([
    'quickstart/everyone',
    'quickstart/everyone',
    'quickstart/live',
  ])
})
