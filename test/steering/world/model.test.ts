import { expect, test } from '@jest/globals'
import type { Appliance, Site } from '../../../crds/types.gen.ts'
import { weightOf } from '../../../reconcilers/steering/places.ts'
import { BUILT_IN_POLICY } from '../../../reconcilers/steering/policy.ts'
import { FakeClock } from '../../../runtime/clock.ts'
import { silentLog } from '../../../runtime/log.ts'
import { Blobs } from '../../../steering/world/blobs.ts'
import { CatalogReader } from '../../../steering/world/catalog-reader.ts'
import { Model } from '../../../steering/world/model.ts'

const site = { kind: 'Site', metadata: { namespace: 'isp', name: 'ams' }, spec: { tier: 'edge', parents: [] } }
const appliance = (uid: string) =>
  ({
    ...{ kind: 'Appliance', metadata: { namespace: 'isp', name: 'a1', uid } },
    spec: { siteRef: { name: 'ams' }, hardwareClassRef: { name: 'small' }, mode: 'InService' },
    status: {
      addresses: [{ type: 'HTTP', url: 'http://127.0.0.1:1' }],
      conditions: [{ type: 'Online', status: 'True' }],
    },
  }) as unknown as Appliance

test.each([
  ['that is removed and made again', true],
  ['whose successor of the same name is all that is heard of it', false],
])('an appliance %s before anything else happens starts slowly, as a new one', async (_, isToldOfRemoval) => {
  const clock = new FakeClock()
  const none = { get: async () => undefined, has: async () => false, path: () => '' }
  const blobs = new Blobs(none, undefined, () => {})
  const model = new Model({ blobs, reader: new CatalogReader(), clock, log: silentLog })
  const weight = () => weightOf(model.world, model.world.applianceOrdinals.get('isp/a1')!)
  try {
    model.put('Site', site as unknown as Site)
    model.put('Appliance', appliance('one'))
    await clock.advance(1000)
    expect(weight()).toBe(1)
    if (isToldOfRemoval) model.remove('Appliance', 'isp/a1')
    model.put('Appliance', appliance('two'))
    expect(weight()).toBeLessThan(0.1)
    await clock.advance(1000)
    expect(weight()).toBeLessThan(0.1)
    await clock.advance(BUILT_IN_POLICY.spec.slowStartSeconds * 1000)
    expect(weight()).toBe(1)
  } finally {
    model.close()
  }
})
