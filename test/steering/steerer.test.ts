import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from '@jest/globals'
import { newAddress } from '../../reconcilers/steering/address.ts'
import { buildWorld } from '../../reconcilers/steering/build-world.ts'
import { putAppliance, putCatalog } from '../../reconcilers/steering/update.ts'
import { Steerer } from '../../steering/steerer.ts'
import { CatalogIndex, catalogTables } from '../../steering/world/catalog-index.ts'
import { appliance, site } from '../reconcilers/fleet.ts'

const at = (name: string, url: string) => appliance(name, 'edge', { status: { addresses: [{ type: 'HTTP', url }] } })

const world = buildWorld(
  {
    sites: [site('edge')],
    appliances: [
      at('plain', 'http://plain.example'),
      at('below', 'https://shared.example/below/'),
      at('deeper', 'https://shared.example/below/still'),
    ],
  },
  0,
)
const steerer = new Steerer({ world, clientMap: () => ({ find: () => undefined }), random: () => 0 })
const meant = (text: string) => world.applianceKeys[steerer.applianceOf(text) ?? -1]

test.each([
  ['its name', 'default/plain', 'default/plain'],
  ['its base', 'http://plain.example', 'default/plain'],
  ['a URL of it', 'http://plain.example/play/films/one.mp4', 'default/plain'],
  ['a URL as long as the longest base', 'http://plain.example/play/films/o', 'default/plain'],
  ['a base with a path', 'https://shared.example/below/play/one.mp4', 'default/below'],
  ['the longest of several bases', 'https://shared.example/below/still/one.mp4', 'default/deeper'],
  ['a host that begins alike', 'http://plain.example.org/play/films/one.mp4', undefined],
  ['a path above every base', 'https://shared.example/', undefined],
])('an answer’s URL means the appliance it was given for: %s', (_, text, expected) => {
  expect(meant(text)).toBe(expected)
})

test('an appliance that moves is meant by its new address, and no more by its old one', () => {
  putAppliance(world, at('plain', 'http://moved.example'))
  expect(meant('http://moved.example/play/films/one.mp4')).toBe('default/plain')
  expect(meant('http://plain.example/play/films/one.mp4')).toBeUndefined()
  putAppliance(world, at('plain', 'http://plain.example'))
})

test('a text of slashes takes no longer than it is read', () => {
  const texts = Array.from({ length: 3000 }, (_, i) => `https://${'/'.repeat(2000)}${i}`)
  const startedMs = performance.now()
  expect(texts.filter((text) => meant(text) !== undefined)).toEqual([])
  // Each of its 2,000 beginnings looked up, these take some ten seconds.
  expect(performance.now() - startedMs).toBeLessThan(3000)
})

test('who keeps the name of a catalog does not keep the request that it came with', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const catalogs = ['play/films-of-this-year', 'play/films-of-last-year']
  const index = new CatalogIndex(`sha256:${'0'.repeat(64)}`, catalogTables([{ path: 'one.mp4' }], 1, 8))
  for (const catalog of catalogs) putCatalog(world, catalog, index)
  const ask = { catalog: undefined, title: undefined, purpose: 'vod', exclude: [], maxUrls: 0, explain: false } as const
  const kept: string[] = []
  collect()
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 2000; i++) {
    const request = Buffer.from(`${catalogs[i % 2]}/one.mp4 ${'x'.repeat(6000)}`).toString('latin1')
    kept.push(steerer.steer(newAddress(), { ...ask, files: [request.slice(0, request.indexOf(' '))] }).catalog)
  }
  collect()
  // With the requests it is 12 MB.
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(6e6)
  expect(new Set(kept)).toEqual(new Set(catalogs))
})
