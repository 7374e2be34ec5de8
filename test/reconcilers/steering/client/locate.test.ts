import { expect, test } from '@jest/globals'
import { maskWord, newAddress, newPrefix } from '../../../../reconcilers/steering/address.ts'
import { buildWorld } from '../../../../reconcilers/steering/build-world.ts'
import { clientMap } from '../../../../reconcilers/steering/client/client-map.ts'
import { RouteTable } from '../../../../reconcilers/steering/client/route-table.ts'
import { locateClient } from '../../../../reconcilers/steering/locate.ts'
import { putSite, removeSite, tick } from '../../../../reconcilers/steering/update.ts'
import { site } from '../../fleet.ts'
import { random } from '../random.ts'

const START_MS = 1_900_000_000_000

test('what a table of routes says by itself is what is found by names, while sites and routes come and go', () => {
  const next = random(8)
  const routes = new RouteTable('bgp')
  const prefix = newPrefix()
  const announce = () => {
    prefix.length = 8 + (next() % 17)
    prefix.words[0] = (((10 << 24) | (next() & 0xffffff)) & maskWord(prefix.length, 0)) >>> 0
    // Routes lead to sites that are not there (yet), too; some are as good as others.
    const to = next() % 12
    routes.announce(`f${to}-${next() % 2}`, `default/s${to}`, { prefix, pathLength: 1 + (next() % 2), med: 0 })
  }
  const world = buildWorld({ sites: [0, 1, 2, 3, 4, 5].map((s) => site(`s${s}`, {})), appliances: [] }, START_MS)
  const other = buildWorld({ sites: [5, 4].map((s) => site(`s${s}`, {})), appliances: [] }, START_MS)
  const quick = clientMap({ bgp: routes })
  const byName = clientMap({ bgp: { find: (address) => routes.find(address) } })
  const address = newAddress()
  const [one, two] = [0, 1].map(() => ({ site: -1, region: -1, networkClass: 0, source: 'none' as const }))
  let found = 0
  for (let step = 0; step < 3000; step++) {
    if (step % 3 === 0) announce()
    if (step % 50 === 10) putSite(world, site(`s${next() % 9}`, {}))
    if (step % 50 === 30) removeSite(world, `default/s${next() % 9}`)
    if (step % 50 === 40) tick(world, START_MS + step)
    address.words[0] = ((10 << 24) | (next() & 0xffffff)) >>> 0
    const where = step % 7 === 0 ? other : world
    locateClient(where, quick, address, one!)
    locateClient(where, byName, address, two!)
    expect(one).toEqual(two)
    if (one!.site >= 0) found++
  }
  expect(found).toBeGreaterThan(500)
})
