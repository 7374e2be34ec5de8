import { describe, expect, test } from '@jest/globals'
import { buildWorld } from '../../../reconcilers/steering/build-world.ts'
import { MAX_UTILISATION, SENT_MS } from '../../../reconcilers/steering/load.ts'
import { loadOf, weightOf } from '../../../reconcilers/steering/places.ts'
import { noteSent, reportLoad, setUp, tick } from '../../../reconcilers/steering/update.ts'
import type { World } from '../../../reconcilers/steering/world.ts'
import { appliance, hardwareClass, site } from '../fleet.ts'

const START_MS = 1_900_000_000_000

function fleet() {
  return buildWorld(
    {
      sites: [site('edge')],
      appliances: ['a', 'b'].map((name) =>
        appliance(name, 'edge', { status: { addresses: [{ type: 'HTTP', url: `http://${name}.example` }] } }),
      ),
      hardwareClasses: [hardwareClass('small', 1e12)],
    },
    START_MS,
  )
}

test('a clock that is put back does not keep an appliance starting for ever, nor an old report in force', () => {
  const world = fleet()
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

describe('what has been sent to an appliance that does not say how busy it is', () => {
  const GBPS = 0.006
  const playing = (everyMs: number, forMs: number, ticksMs = 250) => {
    const world = fleet()
    setUp(world, 'default/a', true, Number.NEGATIVE_INFINITY)
    for (let atMs = 0; atMs < forMs; atMs += ticksMs) {
      tick(world, START_MS + atMs)
      if (atMs % everyMs === 0) noteSent(world, 0, GBPS)
    }
    tick(world, START_MS + forMs)
    return world
  }
  const inFull = (world: World) => loadOf(world, 0) * world.throughputGbps[0]!

  test('comes to what goes on at once, after an hour as after ten', () => {
    const atOnce = (SENT_MS / 9000) * GBPS
    expect(inFull(playing(9000, 3_600_000))).toBeCloseTo(atOnce, 2)
    expect(inFull(playing(9000, 36_000_000, 1000))).toBeCloseTo(atOnce, 2)
  })

  test('is forgotten when nobody plays, however often time is told', () => {
    const [rarely, often] = [playing(250, 60_000), playing(250, 60_000)]
    const after = START_MS + 60_000 + SENT_MS
    for (let atMs = START_MS + 60_000; atMs < after; atMs += 700) tick(often, atMs)
    const before = inFull(rarely)
    for (const world of [rarely, often]) tick(world, after)
    expect(inFull(rarely)).toBeCloseTo(before / Math.E, 6)
    expect(inFull(often)).toBeCloseTo(before / Math.E, 6)
    tick(rarely, after + 20 * SENT_MS)
    expect(inFull(rarely)).toBeLessThan(1e-6)
  })

  test('has a bound; a clock that is put back does not bring it back', () => {
    const world = playing(250, 250)
    noteSent(world, 0, 1e6)
    tick(world, START_MS + 251)
    expect(loadOf(world, 0)).toBe(MAX_UTILISATION)
    tick(world, START_MS - 3_600_000)
    expect(loadOf(world, 0)).toBe(MAX_UTILISATION)
    tick(world, START_MS - 3_600_000 + SENT_MS)
    expect(loadOf(world, 0)).toBeCloseTo(MAX_UTILISATION / Math.E, 6)
  })
})
