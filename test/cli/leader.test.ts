import { expect, test } from '@jest/globals'
import { drillLeader } from '../drills/leader.ts'
import { startDrillServer } from '../drills/support/server.ts'

test('the leader is killed, frozen and cut off in mid-rollout: nothing is done twice, nothing is lost', async () => {
  await using server = await startDrillServer('embedded')
  const result = await drillLeader(server, 80, { lease: '2s', deadline: '1.4s', retry: '200ms' })
  expect(result.wrongs).toEqual([])
  for (const ms of Object.values(result.takeoverMs)) expect(ms).toBeLessThan(15_000)
  for (const done of result.struckAt) expect(done).toBeLessThan(80)
}, 120_000)
