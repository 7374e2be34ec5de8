import { expect, test } from '@jest/globals'
import { ServedHours } from '../../../gateway/demand/served-hours.ts'

const HOUR_OF_ONE_GBPS = 450e9
const said = (id: string, bytes: number, more: object = {}) => ({
  ...{ appliance: 'isp/a', id, hour: 480_000, requests: 1, bytes },
  ...more,
})

test('an appliance is believed what it can have served in an hour, all its batches together', () => {
  const hours = new ServedHours()
  expect(hours.refuse(said('1', HOUR_OF_ONE_GBPS), 1)).toBeUndefined()
  // Sent again, as its answer got lost.
  expect(hours.refuse(said('1', HOUR_OF_ONE_GBPS), 1)).toBeUndefined()
  expect(hours.refuse(said('2', 0.3 * HOUR_OF_ONE_GBPS), 1)).toBe(
    'hour 480000: isp/a cannot have served 585000000000 bytes: at 1 Gbit/s it is 450000000000 in an hour',
  )
  // What was refused does not count.
  expect(hours.refuse(said('3', 0.2 * HOUR_OF_ONE_GBPS), 1)).toBeUndefined()
  expect(hours.refuse(said('4', HOUR_OF_ONE_GBPS, { hour: 480_001 }), 1)).toBeUndefined()
  expect(hours.refuse(said('5', HOUR_OF_ONE_GBPS, { appliance: 'isp/b' }), 1)).toBeUndefined()
})

test('where its throughput is not known, what no appliance has is not believed', () => {
  const hours = new ServedHours()
  expect(hours.refuse(said('1', 1600 * HOUR_OF_ONE_GBPS))).toBeUndefined()
  expect(hours.refuse(said('2', 1600 * HOUR_OF_ONE_GBPS))).toMatch(/cannot have served/)
  expect(hours.refuse(said('3', 0, { hour: 480_001, requests: 1e12 }))).toBe(
    'hour 480001: isp/a cannot have served 1000000000000 requests',
  )
})
