import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals'
import { newAddress, parseAddress } from '../../../reconcilers/steering/address.ts'
import { FakeClock } from '../../../runtime/clock.ts'
import { silentLog } from '../../../runtime/log.ts'
import { BgpFeeds } from '../../../steering/world/bgp-feeds.ts'
import { LocationReader } from '../../../steering/world/location-reader.ts'
import { eventually } from '../../gateway/harness.ts'

const line = (prefix: string) => `TABLE_DUMP2|1|B|10.0.0.1|64500|${prefix}|64500|IGP|10.0.0.1|0|0||NAG||\n`
let folder: string
let clock: FakeClock
let feeds: BgpFeeds
let reads = 0
const reader = new (class extends LocationReader {
  override bgp(path: string) {
    reads++
    return super.bgp(path)
  }
})()
let gone: Set<string>
let told: { path?: string; error?: string }[]

afterAll(() => reader.close())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-bgp-'))
  clock = new FakeClock()
  gone = new Set()
  told = []
  feeds = new BgpFeeds({
    ...{ folder, reader, clock, log: { ...silentLog, warn: (fields: object) => told.push(fields) } },
    placeOf: (appliance) =>
      gone.has(appliance) ? undefined : { site: `site-of/${appliance}`, coordinates: undefined },
  })
})
afterEach(async () => {
  feeds.close()
  await rm(folder, { recursive: true, force: true })
})

function siteOf(text: string): string | undefined {
  const address = newAddress()
  parseAddress(text, address)
  return feeds.routes.find(address)?.site
}

async function put(appliance: string, text: string): Promise<void> {
  await mkdir(join(folder, appliance.split('/')[0]!), { recursive: true })
  await writeFile(join(folder, `${appliance.split('/')[0]!}/.new`), text)
  await rename(join(folder, `${appliance.split('/')[0]!}/.new`), join(folder, appliance))
}

/** Looks until it is so: reading files takes as long as it takes. */
const seen = (what: string, is: () => boolean) =>
  eventually(async () => {
    await clock.advance(5000)
    return is()
  }, what)

test('what cannot be read hinders nobody else, is told once, and counts again when it can be', async () => {
  // Links that lead back to themselves: nobody can read them, not even root.
  await symlink('a', join(folder, 'a'))
  await mkdir(join(folder, 'b'))
  await symlink('loop', join(folder, 'b/loop'))
  await mkdir(join(folder, 'b/not-a-file'))
  await put('b/one', line('192.0.2.0/24'))
  await put('c/two', line('198.51.100.0/24'))
  await feeds.start()
  expect([siteOf('192.0.2.1'), siteOf('198.51.100.1')]).toEqual(['site-of/b/one', 'site-of/c/two'])
  await clock.advance(20_000)
  expect(told.map(({ path }) => path?.slice(folder.length + 1)).sort()).toEqual(['a', 'b/loop', 'b/not-a-file'])
  await rm(join(folder, 'a'))
  await put('a/three', line('203.0.113.0/24'))
  await seen('the folder is read', () => siteOf('203.0.113.1') === 'site-of/a/three')
})

test('a folder or file that cannot be read any more leaves in force what was read; one that is gone does not', async () => {
  await put('a/one', line('192.0.2.0/24'))
  await put('b/two', line('198.51.100.0/24'))
  await put('c/three', line('203.0.113.0/24'))
  await feeds.start()
  for (const name of ['a', 'b/two', 'c/three']) await rm(join(folder, name), { recursive: true })
  await symlink('a', join(folder, 'a'))
  await symlink('two', join(folder, 'b/two'))
  await seen('c/three is heard no more', () => siteOf('203.0.113.1') === undefined)
  expect([siteOf('192.0.2.1'), siteOf('198.51.100.1')]).toEqual(['site-of/a/one', 'site-of/b/two'])
  await rm(folder, { recursive: true })
  await clock.advance(10_000)
  expect(siteOf('192.0.2.1')).toBe('site-of/a/one')
})

test('a file that is not whole leaves in force what was read before, until it is', async () => {
  await put('a/one', line('192.0.2.0/24'))
  await feeds.start()
  // The prefix is cut off: 10.0.0.0/1 is half of all addresses.
  await put('a/one', `${line('198.51.100.0/24')}TABLE_DUMP2|1|B|10.0.0.1|64500|10.0.0.0/1`)
  await seen('what is wrong is told', () => told.length > 0)
  expect(told[0]?.error).toContain('it is not whole')
  reads = 0
  await clock.advance(20_000)
  expect([reads, told.length]).toEqual([0, 1])
  expect([siteOf('192.0.2.1'), siteOf('198.51.100.1'), siteOf('10.0.0.1')]).toEqual([
    'site-of/a/one',
    undefined,
    undefined,
  ])
  await put('a/one', line('198.51.100.0/24') + line('10.0.0.0/16'))
  await seen('the whole file counts', () => siteOf('10.0.0.1') === 'site-of/a/one')
  expect(siteOf('192.0.2.1')).toBeUndefined()
})

test('an appliance that is gone leads nowhere, and one that is not there yet is waited for', async () => {
  gone.add('a/one')
  await put('a/one', line('192.0.2.0/24'))
  await feeds.start()
  expect(siteOf('192.0.2.1')).toBeUndefined()
  gone.clear()
  await seen('the appliance is there', () => siteOf('192.0.2.1') === 'site-of/a/one')
  gone.add('a/one')
  await seen('the appliance is gone', () => siteOf('192.0.2.1') === undefined)
})
