import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { FakeClock } from '../../../runtime/clock.ts'
import { silentLog } from '../../../runtime/log.ts'
import { geoFile } from '../../../steering/world/geo-file.ts'
import { eventually } from '../../gateway/harness.ts'
import { v4Bits, writeMmdb } from '../../runtime/geo/write-mmdb.ts'

const database = (country: string) =>
  writeMmdb('Test-Country', [{ bits: v4Bits('192.0.2.0', 24), data: { country: { iso_code: country } } }])

test('a new database is taken up, one that is none leaves the old in force', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-geo-'))
  const path = join(folder, 'country.mmdb')
  const put = async (bytes: Uint8Array) => {
    await writeFile(`${path}.new`, bytes)
    await rename(`${path}.new`, path)
  }
  const clock = new FakeClock()
  const warned: unknown[] = []
  const file = geoFile(path, clock, { ...silentLog, warn: (fields: unknown) => warned.push(fields) })
  const country = () => file.current?.lookup('192.0.2.7')?.country
  try {
    await expect(file.start()).rejects.toThrow(`the database of addresses ${path}: ENOENT`)
    await put(Buffer.from('half of it'))
    await expect(file.start()).rejects.toThrow("is no database in MaxMind's format")
    await put(database('DE'))
    await file.start()
    expect(country()).toBe('DE')
    await put(database('DE').slice(0, 100))
    await eventually(async () => {
      await clock.advance(5000)
      return warned.length > 0
    }, 'what is wrong is told')
    expect(country()).toBe('DE')
    await put(database('NL'))
    await eventually(async () => {
      await clock.advance(5000)
      return country() === 'NL'
    }, 'the new one counts')
    expect(warned).toEqual([{ path, error: expect.stringMatching('is no database') }])
  } finally {
    file.close()
    await rm(folder, { recursive: true, force: true })
  }
})
