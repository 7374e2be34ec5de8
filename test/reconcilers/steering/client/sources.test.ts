import { describe, expect, test } from '@jest/globals'
import {
  formatPrefix,
  newAddress,
  newPrefix,
  parseAddress,
  parsePrefix,
} from '../../../../reconcilers/steering/address.ts'
import { readBgpFeed } from '../../../../reconcilers/steering/client/bgp-dump.ts'
import { clientMap } from '../../../../reconcilers/steering/client/client-map.ts'
import { compileCoverage, readCoverage } from '../../../../reconcilers/steering/client/coverage.ts'
import { geoMap } from '../../../../reconcilers/steering/client/geo-map.ts'
import { RouteTable } from '../../../../reconcilers/steering/client/route-table.ts'
import { random } from '../random.ts'

const at = (text: string) => {
  const address = newAddress()
  expect(parseAddress(text, address)).toBe(true)
  return address
}
const prefixOf = (text: string) => {
  const prefix = newPrefix()
  expect(parsePrefix(text, prefix)).toBeUndefined()
  return prefix
}
const route = (text: string, pathLength = 1, med = 0) => ({ prefix: prefixOf(text), pathLength, med })
/** Of a few characters each: no line, and no word, may be cut. */
const piecesOf = (text: string) => [text.slice(0, 300), ...(text.slice(300).match(/[\s\S]{1,7}/g) ?? [])]
const rows = (text: string) =>
  [...readBgpFeed(piecesOf(text))].map((row) =>
    row.type === 'bad'
      ? `line ${row.line}: ${row.problem}`
      : `${row.type} ${formatPrefix(row.prefix)}${row.type === 'announce' ? ` ${row.pathLength} ${row.med}` : ''}`,
  )

describe('feeds', () => {
  test('BIRD 2, show route all: the best route of each prefix counts', () => {
    const text = `BIRD 2.0.12 ready.
Table master4:
192.0.2.0/24         unicast [bgp1 2026-11-21 from 10.0.0.1] (100) [AS64501i]
\tvia 10.0.0.1 on eth0
\tType: BGP univ
\tBGP.origin: IGP
\tBGP.as_path: 64500 64501 64501
                     unicast [bgp2 2026-11-21] * (100) [AS64501i]
\tvia 10.0.0.2 on eth0
\tBGP.as_path: 64502 {64503,64504} (65001 65002)
\tBGP.med: 50
198.51.100.0/33      unicast [bgp1 2026-11-21] * (100)
\tBGP.as_path: 1
Table master6:
2001:db8::/32        unicast [bgp1 2026-11-21] * (100) [AS64501i]
\tvia fe80::1 on eth0
\tBGP.as_path: 64500 oops
`
    expect(rows(text)).toEqual([
      'announce 192.0.2.0/24 2 50',
      'line 12: "33" is no prefix length from 0 to 32',
      'line 17: "64500 oops" is no AS path',
    ])
  })

  test.each<[why: string, text: string, expected: readonly string[]]>([
    [
      'BIRD 1, show route all: the interface stands in the line of the route',
      `BIRD 1.6.8 ready.
199.9.14.0/24      via 198.51.100.102 on eth0 [up_g1 2020-10-22 from 192.0.2.41] * (100/0) [AS394353i]
\tType: BGP unicast univ
\tBGP.origin: IGP
\tBGP.as_path: 20080 394353 394353
\tBGP.next_hop: 198.51.100.102
\tBGP.med: 1
\tBGP.local_pref: 300
\tBGP.community: (16276,38659) (20080,1000)
                   via 198.51.100.102 on eth0 [up_g2 2020-10-22 from 192.0.2.46] (100/0) [AS394353i]
\tType: BGP unicast univ
\tBGP.as_path: 394353
`,
      ['announce 199.9.14.0/24 3 1'],
    ],
    [
      'BIRD 1, IPv6, tabs made into blanks; the second is the best; stale, unreachable',
      `BIRD 1.6.1 ready.
2001:db8:10::/48   via fe80::7054:20ff:fe32:2a34 on ibgp [ibgp_r0 19:36:36 from 2001:db8::ff] (100s/20) [AS65010i]
        Type: BGP unicast univ
        BGP.as_path: 65010 65011
                   unreachable [ibgp_r1 2015-08-07 from 2001:db8::1] * (100/-) [i]
        Type: BGP unicast univ
        BGP.origin: IGP
        BGP.as_path:
        BGP.large_community: (65536,1,2)
`,
      ['announce 2001:db8:10::/48 0 0'],
    ],
    [
      'what is not heard by BGP does not count, even where it is the best',
      `BIRD v0.3.3+birdv1.6.8 ready.
0.0.0.0/0          via 10.1.3.4 on eth0 [static1 14:54:14] * (200)
\tType: static unicast univ
198.51.100.67/32   dev cali3cab184f37f [kernel1 22:35:57] * (150)
\tType: device unicast univ
                   via 172.16.8.3 on l2tpeth0 [Mesh_172_16_8_3 22:35:20] (100/0) [AS64512i]
\tType: BGP unicast univ
\tBGP.as_path: 64512 64513
203.0.113.0/24     via 10.0.0.1 on eth1 [ospf1 2015-08-07] * I (150/20) [10.0.0.1]
`,
      ['announce 198.51.100.67/32 2 0'],
    ],
    [
      'BIRD 1, show route: no paths',
      `BIRD 1.6.8 ready.
10.2.0.0/16        unreachable [rs0 15:07:50 from 10.1.1.4] * (100/-) [AS65515i]
                   unreachable [rs1 15:07:47 from 10.1.1.5] (100/-) [AS65515i]
10.3.0.0/16        via 10.1.1.4 on eth0 [rs0 15:07:09] * (100) [AS65515?]
`,
      ['announce 10.2.0.0/16 1 0', 'announce 10.3.0.0/16 1 0'],
    ],
    [
      'BIRD 2, several ways in one route',
      `BIRD 2.0.12 ready.
Table master4:
192.0.2.0/24         unicast [bgp1 2026-11-21] * (100) [AS64501i]
\tvia 10.0.0.1 on eth0 weight 1
\tvia 10.0.0.2 on eth1 weight 1
\tType: BGP univ
\tBGP.as_path: 64500 64501
`,
      ['announce 192.0.2.0/24 2 0'],
    ],
  ])('%s', (_, text, expected) => {
    expect(rows(text)).toEqual(expected)
  })

  test('bgpdump -m: tables and updates', () => {
    const text = `TABLE_DUMP2|1609459200|B|10.0.0.1|64500|192.0.2.0/24|64500 64501|IGP|10.0.0.1|0|20||NAG||
BGP4MP|1609459201|W|10.0.0.1|64500|198.51.100.0/24
BGP4MP|1609459202|A|10.0.0.1|64500|2001:db8::/32|64500|IGP|::1|0|||NAG||
BGP4MP|1609459203|STATE|10.0.0.1|64500|3|2
BGP4MP|1609459202|A|10.0.0.1|64500|203.0.113.7/24|64500|IGP|::1|0|||NAG||
BGP4MP|1609459202|A|10.0.0.1|64500|203.0.113.0/24|64500|IGP|::1|0|x||NAG||
nonsense
`
    expect(rows(text)).toEqual([
      'announce 192.0.2.0/24 2 20',
      'withdraw 198.51.100.0/24',
      'announce 2001:db8::/32 1 0',
      'line 5: "203.0.113.7/24" has bits set beyond its length',
      'line 6: "x" is no MED',
      'line 7: is no line of bgpdump -m',
    ])
  })
})

test.each<[what: string, read: (pieces: Iterable<string>) => unknown, begin: string, on: string, told: string]>([
  ['line of a BGP feed', (pieces) => [...readBgpFeed(pieces)], '10.0.0.0/8 via 192.0.2.1 [a]\n', '\0', 'line 2'],
  ['line of CSV', readCoverage, 'prefix,site\n192.0.2.0/24,isp/a\n', '\0', 'line 3'],
  ['element of JSON', readCoverage, '[{}, {"site": "', 'a', 'element 1'],
])('a %s that does not end is not gathered for ever', (_, read, begin, on, told) => {
  let taken = 0
  function* endless() {
    yield begin
    for (; taken < 100; taken++) yield on.repeat(1 << 20)
  }
  expect(() => read(endless())).toThrow(`${told} does not end`)
  expect(taken).toBeLessThan(4)
})

describe('routes', () => {
  test('most specific prefix, then shortest path, then MED, then nearness', () => {
    const table = new RouteTable('bgp')
    const fra = { latitude: 50.1, longitude: 8.7 }
    const ams = { latitude: 52.4, longitude: 4.9 }
    table.announce('wide', 'isp/wide', route('192.0.0.0/16', 1))
    table.announce('long', 'isp/long', route('192.0.2.0/24', 3))
    expect(table.find(at('192.0.2.1'))?.site).toBe('isp/long')
    expect(table.find(at('192.0.3.1'))?.site).toBe('isp/wide')
    table.announce('short', 'isp/short', route('192.0.2.0/24', 2, 9))
    expect(table.find(at('192.0.2.1'))?.site).toBe('isp/short')
    table.announce('cheap', 'isp/fra', route('192.0.2.0/24', 2, 1), fra)
    expect(table.find(at('192.0.2.1'))?.site).toBe('isp/fra')
    table.announce('near', 'isp/ams', route('192.0.2.0/24', 2, 1), ams)
    expect(table.find(at('192.0.2.1'))?.site).toBe('isp/fra')
    expect(table.find(at('192.0.2.1'), () => ({ latitude: 52, longitude: 5 }))?.site).toBe('isp/ams')
    expect(table.withdraw('cheap', prefixOf('192.0.2.0/24'))).toBe(true)
    expect(table.find(at('192.0.2.1'))?.site).toBe('isp/ams')
    for (const feed of ['near', 'short', 'long']) table.withdraw(feed, prefixOf('192.0.2.0/24'))
    expect(table.find(at('192.0.2.1'))?.site).toBe('isp/wide')
    expect(table.withdraw('long', prefixOf('192.0.2.0/24'))).toBe(false)
    expect(table.size).toEqual({ prefixes: 1, routes: 1 })
  })

  test('a feed is replaced in slices: what stays is found all along, what has gone is gone at the end', () => {
    const table = new RouteTable('bgp')
    const some = (from: number, to: number, length: number) =>
      Array.from({ length: to - from }, (_, i) => route(`10.${(from + i) >> 8}.${(from + i) & 255}.0/24`, length))
    for (const _ of table.replaceFeed('a', 'isp/a', some(0, 2000, 1)))
      expect(table.find(at('10.9.9.9'))).toBeUndefined()
    let slices = 0
    for (const _ of table.replaceFeed('a', 'isp/a', some(1000, 3000, 2))) {
      slices++
      expect(table.find(at('10.5.0.1'))?.site).toBe('isp/a')
    }
    expect(slices).toBeGreaterThan(2)
    expect(table.size).toEqual({ prefixes: 2000, routes: 2000 })
    expect([table.find(at('10.0.1.1')), table.find(at('10.11.1.1'))?.site]).toEqual([undefined, 'isp/a'])
    for (const _ of table.removeFeed('a'));
    expect(table.size).toEqual({ prefixes: 0, routes: 0 })
  })

  test('of rounds at once the last to begin wins, though its site is another or the feed is being taken out', () => {
    const some = (second: number) =>
      Array.from({ length: 3000 }, (_, i) => route(`10.${second + (i >> 8)}.${i & 255}.0/24`))
    const sizeOf = (count: number) => ({ prefixes: count, routes: count })
    const table = new RouteTable('bgp')
    const rounds = [
      table.replaceFeed('a', 'isp/a', some(0)),
      table.removeFeed('a'),
      table.replaceFeed('a', 'isp/b', some(50)),
    ]
    for (const round of rounds) expect(round.next().done).toBe(false)
    for (const round of rounds.toReversed()) for (const _ of round);
    expect([table.find(at('10.0.0.1')), table.find(at('10.50.0.1'))?.site]).toEqual([undefined, 'isp/b'])
    expect(table.size).toEqual(sizeOf(3000))
    for (const _ of table.replaceFeed('a', 'isp/b', some(50).slice(0, 9)));
    expect(table.size).toEqual(sizeOf(9))
  })

  test('finds what comparing all routes finds, while they come and go', () => {
    const next = random(8)
    const table = new RouteTable('bgp', 4)
    const all = new Map<string, { feed: number; prefix: string; length: number; med: number }>()
    let tied = 0
    for (let step = 0; step < 4000; step++) {
      const feed = next() % 5
      const prefix = ['10.0.0.0/8', '10.1.0.0/16', '10.1.1.0/24', '10.1.2.0/24'][next() % 4]!
      if (next() % 3 < 2) {
        const [length, med] = [next() % 3, next() % 2]
        table.announce(`f${feed}`, `s/${feed}`, route(prefix, length, med))
        all.set(`${feed} ${prefix}`, { feed, prefix, length, med })
      } else expect(table.withdraw(`f${feed}`, prefixOf(prefix))).toBe(all.delete(`${feed} ${prefix}`))
      for (const [address, covers] of [
        ['10.1.1.1', ['10.1.1.0/24', '10.1.0.0/16', '10.0.0.0/8']],
        ['10.1.3.1', ['10.1.0.0/16', '10.0.0.0/8']],
      ] as const) {
        const longest = covers.find((cover) => [...all.values()].some((one) => one.prefix === cover))
        const there = [...all.values()].filter((one) => one.prefix === longest)
        const least = Math.min(...there.map(({ length, med }) => length * 10 + med))
        const best = there.filter(({ length, med }) => length * 10 + med === least).map((one) => `s/${one.feed}`)
        if (best.length > 1) tied++
        const found = table.find(at(address))?.site
        if (best.length === 0) expect(found).toBeUndefined()
        else expect(best).toContain(found)
      }
    }
    expect(tied).toBeGreaterThan(100)
    expect(table.size.routes).toBe(all.size)
  })
})

function coverageOf(text: string) {
  const tables = readCoverage(piecesOf(text))
  const work = compileCoverage(tables)
  let step = work.next()
  while (!step.done) step = work.next()
  return { ...step.value, refused: tables.refused.first }
}

describe('coverage', () => {
  test('CSV, with the places of what is refused', () => {
    const coverage = coverageOf(
      'site,prefix,region\r\nisp/fra,192.0.2.0/24,\r\n,198.51.100.0/24,DE\n# a remark\n\nfra,203.0.113.0/24,\n,10.0.0.0/8,\nisp/x,192.0.2.0/24,\na,b\n,10.0.0.1/8,NL\n',
    )
    expect(coverage.size).toBe(2)
    expect(coverage.find(at('192.0.2.9'))).toMatchObject({ site: 'isp/fra', source: 'coverage' })
    expect(coverage.find(at('198.51.100.9'))).toMatchObject({ site: undefined, region: 'DE' })
    expect(coverage.refused.map(({ place, problem }) => `${place}: ${problem}`)).toEqual([
      'line 6: "fra" is no site: write namespace/name',
      'line 7: has neither site nor region',
      'line 8: 192.0.2.0/24 was there before',
      'line 9: has 2 fields, the header 3',
      'line 10: "10.0.0.1/8" has bits set beyond its length',
    ])
  })

  test('JSON', () => {
    const coverage = coverageOf(
      '[{"prefix":"2001:db8::/32","site":"isp/fra"},7,{"site":"isp/a"},{"prefix":"10.0.0.0/8","site":1}]',
    )
    expect(coverage.find(at('2001:db8::1'))?.site).toBe('isp/fra')
    expect(coverage.refused.map(({ place, problem }) => `${place}: ${problem}`)).toEqual([
      '/1: is no object',
      '/2: has no prefix',
      '/3: site and region must be texts',
    ])
    expect(coverageOf('[{').refused).toEqual([{ place: '/', problem: expect.stringContaining('is not JSON') }])
    expect(coverageOf('a,b\n1,2').refused).toEqual([
      { place: 'line 1', problem: 'the header must name prefix, and site or region' },
    ])
  })
})

test('the first source that knows an address says where it is', () => {
  const bgp = new RouteTable('bgp')
  bgp.announce('a', 'isp/bgp', route('10.0.0.0/8'))
  const sites = new RouteTable('site')
  sites.announce('s', 'isp/site', route('10.1.0.0/16'))
  const coverage = coverageOf('prefix,site\n10.1.1.0/24,isp/coverage\n172.16.0.0/12,isp/coverage\n')
  const geo = geoMap((address) =>
    address.startsWith('192') ? { country: 'DE', latitude: 50, longitude: 8 } : undefined,
  )
  const map = clientMap({ sites, bgp, coverage, geo })
  expect(map.find(at('10.1.1.1'))?.source).toBe('site')
  expect(map.find(at('10.2.1.1'))?.source).toBe('bgp')
  expect(map.find(at('172.16.1.1'))?.source).toBe('coverage')
  expect(map.find(at('192.0.2.1'))).toEqual({
    site: undefined,
    region: 'DE',
    source: 'geo',
    latitude: 50,
    longitude: 8,
  })
  expect(map.find(at('203.0.113.1'))).toBeUndefined()
  expect(clientMap({}).find(at('10.1.1.1'))).toBeUndefined()
})
