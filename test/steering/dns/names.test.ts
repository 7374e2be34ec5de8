import { expect, test } from '@jest/globals'
import type { Site } from '../../../crds/types.gen.ts'
import { buildWorld } from '../../../reconcilers/steering/build-world.ts'
import { putCatalog, putSite, removeSite } from '../../../reconcilers/steering/update.ts'
import { Names } from '../../../steering/dns/names.ts'
import { CatalogIndex, catalogTables } from '../../../steering/world/catalog-index.ts'

const site = (namespace: string, name: string) =>
  ({
    metadata: { namespace, name },
    spec: { country: 'DE', metro: name, tier: 'edge', parents: [] },
  }) as unknown as Site
const titled = (...titles: string[]) =>
  new CatalogIndex(
    'sha256:0',
    catalogTables(
      titles.map((title) => ({ path: title, title })),
      titles.length,
      1024,
    ),
  )

test('sites and namespaces are found as they come and go', () => {
  const world = buildWorld({ sites: [site('a', 'ams'), site('b', 'ams')], appliances: [] }, 0)
  const names = new Names(world)
  expect([names.site('ams'), names.site('fra'), names.hasNamespace('b'), names.hasNamespace('c')]).toEqual([
    0,
    undefined,
    true,
    false,
  ])
  removeSite(world, 'a/ams')
  putSite(world, site('c', 'fra'))
  expect([names.site('ams'), names.site('fra'), names.hasNamespace('c')]).toEqual([1, 2, true])
})

test('catalogs are looked through for a label only where one may have it, however many versions come', () => {
  const world = buildWorld({ sites: [], appliances: [] }, 0)
  const names = new Names(world)
  const all = (label: string, namespace?: string) => [...names.catalogsWith(label, namespace)]
  expect(all('one')).toEqual([])
  putCatalog(world, 'a/films', titled('One', 'Two'))
  putCatalog(world, 'b/films', titled('Three'))
  expect([all('two'), all('three', 'b'), all('three', 'c')]).toEqual([[0, 1], [1], []])
  for (let version = 0; version < 50; version++) {
    putCatalog(world, 'a/films', titled(...Array.from({ length: 200 }, (_, i) => `Version ${version} ${i}`)))
    expect(all(`version-${version}-7`)).toEqual([0, 1])
  }
  // One in two hundred is looked for in vain, give or take.
  const vain = Array.from({ length: 4000 }, (_, i) => `nothing-${i}`).filter((label) => all(label).length > 0)
  expect(vain.length).toBeLessThan(4000 / 50)
})

test('a name that does not exist is not looked for site by site', () => {
  const world = buildWorld(
    { sites: Array.from({ length: 500 }, (_, i) => site(`n${i % 7}`, `s${i}`)), appliances: [] },
    0,
  )
  let reads = 0
  const siteKeys = new Proxy(world.siteKeys, {
    get: (target, key, receiver) => {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads++
      return Reflect.get(target, key, receiver) as unknown
    },
  })
  const names = new Names({ ...world, siteKeys })
  expect(names.site('s499')).toBe(499)
  const before = reads
  for (let i = 0; i < 100; i++) expect([names.site(`x${i}`), names.hasNamespace(`x${i}`)]).toEqual([undefined, false])
  expect(reads).toBe(before)
})
