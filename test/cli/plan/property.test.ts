import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { tryPlan } from './support/executed.ts'
import { type LiveFleet, startLiveFleet } from './support/live-fleet.ts'

let live: LiveFleet
beforeAll(async () => {
  live = await startLiveFleet()
})
afterAll(async () => {
  await live[Symbol.asyncDispose]()
})

test('what is planned for random changes of random fleets is what is then done', async () => {
  // Between them: catalogs, policies, hardware classes, sites and appliances that come, go and change. test/drills/plan-property.ts tries hundreds.
  const outcomes = await Promise.all([2, 5, 8].map((seed) => tryPlan(live, seed)))
  expect(outcomes.flatMap(({ seed, wrongs }) => wrongs.map((wrong) => `seed ${seed}: ${wrong}`))).toEqual([])
  expect(outcomes.some(({ moved }) => moved > 0)).toBe(true)
}, 240_000)
