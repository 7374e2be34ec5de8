import { expect, test } from '@jest/globals'
import { newAddress } from '../../../reconcilers/steering/address.ts'
import { buildWorld } from '../../../reconcilers/steering/build-world.ts'
import { putSite, tick } from '../../../reconcilers/steering/update.ts'
import { Zone } from '../../../steering/dns/zone.ts'
import { appliance, site } from '../../reconcilers/fleet.ts'

test('a site has the hosts of its parents where it has none, and before a tick has said who these are, nobody', () => {
  const box = appliance('box', 'parent', {
    status: {
      addresses: [{ type: 'HTTP', url: 'http://192.0.2.1:8080' }],
      conditions: [{ type: 'Online', status: 'True', reason: 'Heartbeat', message: '', lastTransitionTime: '' }],
    },
  })
  const edge = (name: string, parent?: string) => site(name, { parents: parent ? [{ name: parent }] : [] })
  const world = buildWorld({ sites: [edge('parent'), edge('edge', 'parent')], appliances: [box] }, 0)
  const zone = new Zone(world, {
    steer: () => {
      throw new Error('no title is asked for')
    },
  })
  const hosts = (name: string) => zone.find([name, 'default'], newAddress())?.hosts
  for (const name of ['alone', 'apart']) putSite(world, edge(name))
  expect(['edge', 'alone', 'apart', 'none'].map(hosts)).toEqual([['192.0.2.1'], [], [], undefined])
  putSite(world, edge('beside', 'parent'))
  tick(world, 1)
  expect(['edge', 'apart', 'beside'].map(hosts)).toEqual([['192.0.2.1'], [], ['192.0.2.1']])
})
