import { expect, test } from '@jest/globals'
import type { Site } from '../../../crds/types.gen.ts'
import { newAddress, parseAddress } from '../../../reconcilers/steering/address.ts'
import { SiteNetworks } from '../../../steering/world/site-networks.ts'

const site = (name: string, ...prefixes: string[]) =>
  ({ metadata: { namespace: 'n', name }, spec: { network: { prefixes } } }) as unknown as Site

test('what sites announce is taken up as it changes', async () => {
  const networks = new SiteNetworks()
  const at = (...addresses: string[]) =>
    addresses.map((text) => {
      const address = newAddress()
      parseAddress(text, address)
      return networks.find(address)?.site?.slice(2)
    })
  const [a, b] = [site('a', '192.0.2.0/24', '2001:db8::/32'), site('b', '192.0.2.128/25', 'nonsense')]
  await networks.follow([a, b])
  expect(at('192.0.2.1', '192.0.2.200', '2001:db8::1', '203.0.113.1')).toEqual(['a', 'b', 'a', undefined])
  // The first keeps what another one announces, too; it is the other's when the first lets go.
  await networks.follow([a, site('b', '192.0.2.0/24', '203.0.113.0/24')])
  expect(at('192.0.2.1', '192.0.2.200', '203.0.113.1')).toEqual(['a', 'a', 'b'])
  await networks.follow([site('a', '2001:DB8:0::/32'), site('b', '192.0.2.0/24', '203.0.113.0/24')])
  expect(at('192.0.2.1', '2001:db8::1')).toEqual(['b', 'a'])
  await networks.follow([site('a', '2001:db8::/32')])
  expect(at('192.0.2.1', '203.0.113.1', '2001:db8::1')).toEqual([undefined, undefined, 'a'])
})

test('what is told right after what was taken up at once is taken up, too, and so is what is told in between', async () => {
  const networks = new SiteNetworks()
  const address = newAddress()
  const at = (text: string) => {
    parseAddress(text, address)
    return networks.find(address)?.site
  }
  void networks.follow([site('a', '192.0.2.0/24')])
  void networks.follow([site('b', '192.0.2.0/24')])
  expect(at('192.0.2.1')).toBe('n/b')
  const many = Array.from({ length: 2000 }, (_, i) => `10.${i >>> 8}.${i & 255}.0/24`)
  const all = networks.follow([site('a', ...many)])
  void networks.follow([site('a', ...many), site('b', '203.0.113.0/24')])
  expect(at('203.0.113.1')).toBeUndefined()
  await all
  expect([at('192.0.2.1'), at('10.7.207.1'), at('203.0.113.1')]).toEqual([undefined, 'n/a', 'n/b'])
})
