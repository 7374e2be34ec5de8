import { describe, expect, test } from '@jest/globals'
import type { Appliance, InventoryRef } from '../../../crds/types.gen.ts'
import { rankSources, SOURCES_PER_SITE } from '../../../reconcilers/gateway/sources.ts'
import { keyOf } from '../../../reconcilers/identity.ts'
import { appliance, site } from '../fleet.ts'

const inventory: InventoryRef = {
  catalog: { namespace: 'default', name: 'films' },
  digest: `sha256:${'a'.repeat(64)}`,
  catalogDigest: `sha256:${'c'.repeat(64)}`,
}
const serving = (
  name: string,
  siteName: string,
  more: { namespace?: string; deletionTimestamp?: string } = {},
): Appliance =>
  appliance(name, siteName, { metadata: more, status: { addresses: [{ type: 'HTTP', url: `http://${name}` }] } })

function rank(
  asker: Appliance,
  fleet: readonly Appliance[],
  { parents = [] as { name: string; namespace?: string }[], dark = [] as string[], empty = [] as string[] } = {},
) {
  return rankSources({
    appliance: asker,
    site: site(asker.spec.siteRef.name, { parents }),
    appliancesAt: (key) => fleet.filter((a) => `${a.metadata.namespace}/${a.spec.siteRef.name}` === key),
    isOnline: (key) => !dark.includes(key),
    inventoriesOf: (a) => (empty.includes(keyOf(a)) ? [] : [inventory]),
  })
}
const names = (sources: readonly { name: string }[]) => sources.map(({ name }) => name).sort()

describe('rankSources', () => {
  const me = serving('me', 'edge')
  const fleet = [me, serving('p1', 'edge'), serving('p2', 'edge'), serving('r1', 'regional'), serving('x', 'elsewhere')]

  test('names peers and parents with their URLs and what they advertise', () => {
    const { peers, parents } = rank(me, fleet, { parents: [{ name: 'regional' }] })
    expect(names(peers)).toEqual(['default/p1', 'default/p2'])
    expect(parents).toEqual([
      {
        name: 'default/r1',
        url: 'http://r1',
        inventories: [{ catalog: 'default/films', catalogDigest: inventory.catalogDigest, digest: inventory.digest }],
      },
    ])
  })

  test.each([
    ['who is dark', { dark: ['default/p1'] }],
    ['who advertises nothing', { empty: ['default/p1'] }],
  ])('leaves out %s', (_, state) => expect(names(rank(me, fleet, state).peers)).toEqual(['default/p2']))

  test('leaves out who has no address yet, and who is being deleted', () => {
    const others = [
      appliance('no-address', 'edge'),
      serving('going', 'edge', { deletionTimestamp: '2030-01-01T00:00:00Z' }),
    ]
    expect(rank(me, [me, ...others]).peers).toEqual([])
  })

  test('keeps the order of parents, in whatever namespace they are, each once', () => {
    const far = serving('far', 'backbone', { namespace: 'core' })
    const parents = [
      { name: 'backbone', namespace: 'core' },
      { name: 'regional' },
      { name: 'regional' },
      { name: 'edge' },
    ]
    expect(rank(me, [...fleet, far], { parents }).parents.map(({ name }) => name)).toEqual(['core/far', 'default/r1'])
  })

  test('gives each asker an order of its own that stays, so that load spreads', () => {
    const many = Array.from({ length: 8 }, (_, i) => serving(`n${i}`, 'edge'))
    const firsts = many.map((asker) => rank(asker, many).peers[0]!.name)
    expect(new Set(firsts).size).toBeGreaterThan(3)
    expect(rank(many[0]!, many)).toEqual(rank(many[0]!, [...many].reverse()))
  })

  test('does not grow with the site', () => {
    const many = Array.from({ length: 100 }, (_, i) => serving(`n${i}`, 'edge'))
    expect(rank(me, many).peers).toHaveLength(SOURCES_PER_SITE)
  })

  test('an appliance of a site that does not exist has its peers', () => {
    const input = {
      appliance: me,
      site: undefined,
      appliancesAt: () => fleet.slice(0, 2),
      isOnline: () => true,
      inventoriesOf: () => [inventory],
    }
    expect(rankSources(input)).toMatchObject({ peers: [{ name: 'default/p1' }], parents: [] })
  })
})
