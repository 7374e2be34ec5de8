import { expect, test } from '@jest/globals'
import { FileSet } from '../../../reconcilers/blobs/file-set.ts'
import { newAddress } from '../../../reconcilers/steering/address.ts'
import { buildWorld } from '../../../reconcilers/steering/build-world.ts'
import { putAppliance, putCatalog, setInventory, tick } from '../../../reconcilers/steering/update.ts'
import { FakeClock } from '../../../runtime/clock.ts'
import { AnswerText } from '../../../steering/http/answer-text.ts'
import { WallSecond } from '../../../steering/http/wall-second.ts'
import { Steerer } from '../../../steering/steerer.ts'
import { CatalogIndex, catalogTables } from '../../../steering/world/catalog-index.ts'
import { appliance, site } from '../../reconcilers/fleet.ts'

const since = { reason: 'Seen', message: '', lastTransitionTime: '2030-01-01T00:00:00Z' }
const box = (at: string, url: string) =>
  appliance('box', at, {
    status: { addresses: [{ type: 'HTTP', url }], conditions: [{ type: 'Online', status: 'True', ...since }] },
  })
const world = buildWorld({ sites: [site('here'), site('there')], appliances: [box('here', 'http://one.example')] }, 0)
for (const key of ['default/films', 'default/more']) {
  const tables = catalogTables([{ path: 'a b.mp4' }, { path: 'zwölf.mp4' }], 2, 64)
  putCatalog(world, key, new CatalogIndex(`sha256:${'0'.repeat(64)}`, tables))
  const held = new FileSet()
  held.add(0)
  held.add(1)
  setInventory(world, 'default/box', key, held)
}
const clock = new FakeClock(new Date('2030-01-01T00:00:00.700Z'))
const wall = new WallSecond(clock)
const text = new AnswerText(world, wall)
const place = { site: 'default/here', region: undefined, source: 'site' as const }
const steerer = new Steerer({ world, clientMap: () => ({ find: () => place }), random: () => 0 })
const ask = {
  ...{ catalog: undefined, title: undefined, purpose: 'vod' as const, exclude: [] },
  maxUrls: 0,
  explain: false,
}

function answer(...files: string[]) {
  tick(world, 0)
  wall.follow(clock.monotonicMs())
  const told = `${text.open(steerer.steer(newAddress(), { ...ask, files }))}}`
  expect(told).toMatch(/^[ -~]*$/)
  return JSON.parse(told) as { urls: { url: string; urls?: string[]; site: string; tier: string }[]; expiresAt: string }
}

test('what an appliance is called follows its address, its site and the catalog', () => {
  const film = 'default/films/a b.mp4'
  expect(answer(film).urls).toEqual([
    { url: 'http://one.example/default/films/a%20b.mp4', appliance: 'default/box', site: 'default/here', tier: 'Site' },
  ])
  expect(answer('default/more/a b.mp4').urls).toMatchObject([{ url: 'http://one.example/default/more/a%20b.mp4' }])
  putAppliance(world, box('here', 'http://bücher.example/é/'))
  expect(answer(film).urls).toMatchObject([{ url: 'http://bücher.example/é/default/films/a%20b.mp4' }])
  expect(answer(film, 'default/films/zwölf.mp4').urls).toMatchObject([
    {
      ...{ url: 'http://bücher.example/é/default/films/a%20b.mp4', tier: 'Site' },
      urls: ['a%20b.mp4', 'zw%C3%B6lf.mp4'].map((file) => `http://bücher.example/é/default/films/${file}`),
    },
  ])
  place.site = 'default/there'
  putAppliance(world, box('there', 'http://bücher.example/é/'))
  expect(answer(film).urls).toMatchObject([{ site: 'default/there', tier: 'Site' }])
})

test('an answer expires by the wall clock, to the second', async () => {
  const expires = () => Date.parse(answer('default/films/a b.mp4').expiresAt) - clock.now().getTime()
  expect(expires()).toBe(300_000 - 700)
  await clock.advance(200)
  expect(expires()).toBe(300_000 - 900)
  await clock.advance(100)
  expect(expires()).toBe(300_000)
})
