import { expect, test } from '@jest/globals'
import { drillKill } from '../drills/agent-kill.ts'

test('killed with -9 in mid-fill again and again: nothing wrong is served or kept, and nothing begins anew', async () => {
  const { kills, served, fetchedShare, wrongs } = await drillKill(5)
  expect(wrongs).toEqual([])
  expect(kills).toBe(5)
  expect(served).toBeGreaterThan(0)
  // What was on its way when it was killed is fetched again, and that is little.
  expect(fetchedShare).toBeLessThan(1.3)
})
