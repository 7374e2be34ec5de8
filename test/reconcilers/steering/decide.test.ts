import { describe, expect, test } from '@jest/globals'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { buildWorld } from '../../../reconcilers/steering/build-world.ts'
import { decide, newScratch } from '../../../reconcilers/steering/decide.ts'
import { BUILT_IN_POLICY, type PolicyInput } from '../../../reconcilers/steering/policy.ts'
import type { SteerRequest } from '../../../reconcilers/steering/types.ts'
import { removeAppliance, reportLoad, setInventory, setUp } from '../../../reconcilers/steering/update.ts'
import type { World } from '../../../reconcilers/steering/world.ts'
import { appliance, hardwareClass, site } from '../fleet.ts'

const START_MS = 1_900_000_000_000

const online = (name: string, at: string) =>
  appliance(name, at, {
    status: {
      addresses: [{ type: 'HTTP', url: `http://${name}.example` }],
      conditions: [{ type: 'Online', status: 'True', reason: 'Heartbeat', message: '', lastTransitionTime: '' }],
    },
  })

const policy = (name: string, spec: Partial<PolicyInput['spec']>): PolicyInput => ({
  metadata: { namespace: 'default', name },
  spec: { ...BUILT_IN_POLICY.spec, priority: 0, clients: { unlocated: false }, ...spec },
})

const cloud = policy('cloud', { fallbacks: [{ url: 'https://cloud.example' }] })

/** Two boxes at an edge, one at its sibling, one at the parent. All hold file 1; only the parent holds file 2. */
function fleet(policies: readonly PolicyInput[] = [cloud]): World {
  const boxes = ['a1', 'a2', 'b1', 'p1']
  return buildWorld(
    {
      sites: [
        site('edge-a', { parents: [{ name: 'parent' }] }),
        site('edge-b', { parents: [{ name: 'parent' }] }),
        site('parent', { tier: 'regional', metro: 'Berlin' }),
      ],
      appliances: [online('a1', 'edge-a'), online('a2', 'edge-a'), online('b1', 'edge-b'), online('p1', 'parent')],
      hardwareClasses: [hardwareClass('small', 1e12)],
      policies,
      inventories: boxes.map((box) => ({
        appliance: `default/${box}`,
        catalog: 'default/films',
        files: FileSet.of(box === 'p1' ? [1, 2] : [1]),
      })),
    },
    START_MS,
  )
}

function ask(world: World, more: Partial<SteerRequest> = {}) {
  const request: SteerRequest = {
    client: { site: world.siteOrdinals.get('default/edge-a')!, region: 0, networkClass: 0, source: 'site' },
    catalog: world.catalogOrdinals.get('default/films')!,
    files: [1],
    purpose: 'vod',
    excluded: [],
    affinityKey: 7,
    canaryKey: 7,
    seed: 7,
    maxUrls: 0,
    explain: false,
    ...more,
  }
  const answer = decide(world, request, newScratch())
  const names = [...answer.appliances.subarray(0, answer.count)].map((ordinal) =>
    ordinal >= 0
      ? world.applianceKeys[ordinal]!.slice('default/'.length)
      : world.policies[answer.policy]!.fallbacks[-1 - ordinal]!.url,
  )
  return { ...answer, names }
}

describe('tiers', () => {
  test('the own site comes first, the fallback last', () => {
    const { names, miss } = ask(fleet())
    expect(new Set(names.slice(0, 2))).toEqual(new Set(['a1', 'a2']))
    expect(names.slice(2)).toEqual(['b1', 'https://cloud.example'])
    expect(miss).toBe('none')
  })

  test('a file that only the parent holds is a content miss at the site', () => {
    const { names, miss } = ask(fleet(), { files: [1, 2] })
    expect(names).toEqual(['p1', 'https://cloud.example'])
    expect(miss).toBe('content')
  })

  test('nobody holds an unknown file: only the fallback is left', () => {
    expect(ask(fleet(), { files: [77] }).names).toEqual(['https://cloud.example'])
    expect(ask(fleet(), { files: [] }).names).toEqual(['https://cloud.example'])
  })
})

describe('updates are in force at once', () => {
  test('a box that is down is not named, and the miss is one of health', () => {
    const world = fleet()
    for (const box of ['a1', 'a2']) setUp(world, `default/${box}`, false, START_MS)
    const { names, miss } = ask(world)
    expect(names).toEqual(['b1', 'p1', 'https://cloud.example'])
    expect(miss).toBe('health')
  })

  test('a withdrawn file is not answered', () => {
    const world = fleet()
    setInventory(world, 'default/a1', 'default/films', FileSet.of([]))
    expect(ask(world).names[0]).toBe('a2')
    removeAppliance(world, 'default/a2')
    expect(ask(world).names[0]).toBe('b1')
  })

  test('a busy site sheds games before films before live', () => {
    const world = fleet()
    for (const box of ['a1', 'a2']) reportLoad(world, `default/${box}`, { inFlight: 1, utilisation: 0.8 }, START_MS)
    expect(ask(world, { purpose: 'game' })).toMatchObject({ miss: 'capacity', names: expect.arrayContaining(['b1']) })
    expect(ask(world, { purpose: 'game' }).names).not.toContain('a1')
    expect(ask(world, { purpose: 'vod' }).miss).toBe('none')
    for (const box of ['a1', 'a2']) reportLoad(world, `default/${box}`, { inFlight: 1, utilisation: 0.9 }, START_MS)
    expect(ask(world, { purpose: 'vod' }).miss).toBe('capacity')
    expect(ask(world, { purpose: 'live' }).miss).toBe('none')
  })
})
