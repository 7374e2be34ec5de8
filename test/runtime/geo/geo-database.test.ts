import { expect, test } from '@jest/globals'
import { openGeoDatabase } from '../../../runtime/geo/geo-database.ts'
import { v4Bits, writeMmdb } from './write-mmdb.ts'

const bytes = writeMmdb('Test-City', [
  {
    bits: v4Bits('192.0.2.0', 24),
    data: { country: { iso_code: 'DE' }, location: { latitude: 50.11, longitude: 8.68 } },
  },
  { bits: v4Bits('198.51.100.0', 25), data: { registered_country: { iso_code: 'NL' } } },
  { bits: '0010000000000001000011011011100000', data: { country: { iso_code: 'FR' } } },
])

test('says country and coordinates of the addresses that it knows', () => {
  const database = openGeoDatabase(bytes)
  expect([database.type, database.builtAt.getUTCFullYear()]).toEqual(['Test-City', 2030])
  expect(database.lookup('192.0.2.77')).toEqual({ country: 'DE', latitude: 50.11, longitude: 8.68 })
  expect(database.lookup('198.51.100.1')).toEqual({ country: 'NL', latitude: undefined, longitude: undefined })
  expect(database.lookup('2001:db8:3::1')?.country).toBe('FR')
})

test.each([['198.51.100.200'], ['203.0.113.1'], ['2001:dc8::1'], ['nonsense'], ['']])(
  'knows nothing of "%s"',
  (address) => {
    expect(openGeoDatabase(bytes).lookup(address)).toBeUndefined()
  },
)

test('bytes that are no database are refused', () => {
  for (const wrong of [new Uint8Array(0), new Uint8Array(5000), bytes.slice(0, 300)]) {
    expect(() => openGeoDatabase(wrong)).toThrow(/is no database in MaxMind's format/)
  }
})
