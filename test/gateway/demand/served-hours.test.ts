import { expect, test } from '@jest/globals'
import { CannotHaveServed, mostInAnHour } from '../../../gateway/demand/served-hours.ts'

const GBPS_HOUR = 450e9
const of = { appliance: 'isp/a', hour: 480_000 }

test.each([
  ['what its hardware class can serve', { bytes: GBPS_HOUR, requests: 1 }, 1, undefined],
  ['clocks and classes are not exact', { bytes: 1.25 * GBPS_HOUR, requests: 1 }, 1, undefined],
  ['more', { bytes: 600e9, requests: 1 }, 1, '600000000000 bytes, as 562500000000 are the most'],
  ['of an unknown class, what some appliance has', { bytes: 1600 * GBPS_HOUR, requests: 1 }, undefined, undefined],
  [
    'of an unknown class, what none has',
    { bytes: 1e15, requests: 1 },
    undefined,
    '1000000000000000 bytes, as 900000000000000 are the most',
  ],
  ['of nothing, many', { bytes: 0, requests: 1e12 }, 1, '1000000000000 requests, as 3600000000 are the most'],
])('an appliance is believed what it can have served in an hour: %s', (_, said, gbps, refused) => {
  const check = () => CannotHaveServed.unless(said, mostInAnHour(gbps), of)
  if (refused === undefined) expect(check).not.toThrow()
  else expect(check).toThrow(`hour 480000: isp/a cannot have served ${refused} in an hour`)
})
