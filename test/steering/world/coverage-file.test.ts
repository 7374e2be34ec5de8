import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { newAddress, parseAddress } from '../../../reconcilers/steering/address.ts'
import { FakeClock } from '../../../runtime/clock.ts'
import { silentLog } from '../../../runtime/log.ts'
import { coverageFile } from '../../../steering/world/coverage-file.ts'
import { LocationReader } from '../../../steering/world/location-reader.ts'
import { eventually } from '../../gateway/harness.ts'

test('a file of which no row can be used leaves in force what was read before', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weir-coverage-'))
  const path = join(folder, 'coverage.json')
  const clock = new FakeClock()
  const warned: unknown[] = []
  const reader = new LocationReader()
  const coverage = coverageFile(path, reader, clock, { ...silentLog, warn: (fields: unknown) => warned.push(fields) })
  const client = newAddress()
  parseAddress('192.0.2.7', client)
  // Until then, a look that has begun may read what is being written.
  const looked = () => eventually(async () => clock.pendingTimers === 1, 'it has been looked at')
  const site = () => coverage.current?.find(client)?.site
  try {
    await writeFile(path, '[{"prefix":"192.0.2.0/24","site":"a/one"}]')
    await coverage.start()
    expect(site()).toBe('a/one')
    await writeFile(path, '[{"prefix":"192.0.2.0/24","site":"a/two"},')
    await clock.advance(5000)
    await eventually(async () => warned.length > 0, 'what is wrong is told')
    expect(site()).toBe('a/one')
    await writeFile(path, '[{"prefix":"192.0.2.0/24","site":"a/two"}]\n')
    await eventually(async () => {
      await clock.advance(5000)
      return site() === 'a/two'
    }, 'the whole file counts')
    await looked()
    await writeFile(path, '[{"prefix":"192.0.2.0/24","site":"a/three"}]\n')
    const writtenMs = clock.now().getTime() + 4000
    await utimes(path, writtenMs / 1000, writtenMs / 1000)
    const looks = async () => {
      await clock.advance(5000)
      await looked()
    }
    await looks()
    expect(site()).toBe('a/two')
    await looks()
    expect(site()).toBe('a/three')
    await rm(path)
    for (let i = 0; i < 3; i++) await looks()
    expect(site()).toBe('a/three')
    expect(warned).toHaveLength(2)
  } finally {
    coverage.close()
    await reader.close()
    await rm(folder, { recursive: true, force: true })
  }
})
