import { expect, test } from '@jest/globals'
import { buildWorld } from '../../../reconcilers/steering/build-world.ts'
import { loadOf, weightOf } from '../../../reconcilers/steering/places.ts'
import { reportLoad, setUp, tick } from '../../../reconcilers/steering/update.ts'
import { appliance, hardwareClass, site } from '../fleet.ts'

const START_MS = 1_900_000_000_000

test('a clock that is put back does not keep an appliance starting for ever, nor an old report in force', () => {
  const world = buildWorld(
    {
      sites: [site('edge')],
      appliances: ['a', 'b'].map((name) =>
        appliance(name, 'edge', { status: { addresses: [{ type: 'HTTP', url: `http://${name}.example` }] } }),
      ),
      hardwareClasses: [hardwareClass('small', 1e12)],
    },
    START_MS,
  )
  for (const name of ['default/a', 'default/b']) setUp(world, name, true, START_MS)
  reportLoad(world, 'default/a', { utilisation: 0.9, inFlight: 0 }, START_MS)
  tick(world, START_MS + 1)
  const whole = world.throughputGbps[0]!
  expect(weightOf(world, 0)).toBeLessThan(whole)
  // An hour back: both came up, and the report came, in what is the future now.
  const backMs = START_MS - 3_600_000
  reportLoad(world, 'default/b', { utilisation: 0.2, inFlight: 0 }, backMs)
  tick(world, backMs)
  expect([weightOf(world, 0), weightOf(world, 1)]).toEqual([whole, whole])
  expect(loadOf(world, 0)).toBeCloseTo(0.2)
})
