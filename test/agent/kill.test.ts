import { expect, test } from '@jest/globals'
import { drillKill } from '../drills/agent-kill.ts'

test('killed with -9 in mid-fill, and again: nothing wrong is served or kept, and nothing begins anew', async () => {
  // More of it, and with clients, is the drill's.
  const { kills, fetchedShare, wrongs } = await drillKill(2)
  expect(wrongs).toEqual([])
  expect(kills).toBe(2)
  // What was on its way when it was killed is fetched again, and that is little.
  expect(fetchedShare).toBeLessThan(1.3)
})
