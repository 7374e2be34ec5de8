import { describe, expect, test } from '@jest/globals'
import type { FleetSnapshot } from '../../../cli/plan/fleet-model.ts'
import { costOf, imagine, readSuppositions, type Supposition } from '../../../cli/plan/what-if.ts'
import type { Appliance, HardwareClass } from '../../../crds/types.gen.ts'

describe('suppositions', () => {
  const read: [text: string, meaning: Supposition][] = [
    ['add=fra1:hc-large', { type: 'add', site: 'fra1', class: 'hc-large', count: 1 }],
    ['add=fra1:hc-large:12', { type: 'add', site: 'fra1', class: 'hc-large', count: 12 }],
    ['remove=ams2/box-7', { type: 'remove', site: 'ams2', appliance: 'box-7' }],
    ['remove=ams?/*', { type: 'remove', site: 'ams?', appliance: '*' }],
    ['class=ams1/*:hc-flash', { type: 'class', site: 'ams1', appliance: '*', class: 'hc-flash' }],
  ]
  test.each(read)('%s', (text, meaning) => {
    expect(readSuppositions([text])).toEqual([meaning])
  })

  const refused: [text: string, reason: string][] = [
    ['fra1', 'says not what'],
    ['move=fra1/a:ams1', 'no such verb'],
    ['add=fra1', 'of no class'],
    ['add=fra1:', 'of no class'],
    ['add=fra?:small', 'at no one site'],
    ['add=fra1:small:0', 'none'],
    ['add=fra1:small:1.5', 'no whole number'],
    ['add=fra1:small:100000', 'too many to be meant'],
    ['add=fra1:small:1:1', 'too much'],
    ['remove=fra1', 'a site, and no appliance: that would be all of it'],
    ['remove=fra1/a:small', 'of a class'],
    ['remove=isp/fra1/a', 'the namespace is that of -n'],
    ['class=fra1/a', 'to no class'],
    ['class=fra1/a:*', 'to no one class'],
    ['', 'nothing'],
  ]
  test.each(refused)('refuses %j: %s', (text) => {
    expect(() => readSuppositions([text])).toThrow(`--what-if ${text}: `)
  })
})

describe('what is imagined', () => {
  const hardwareClass = (name: string, price?: string) =>
    ({
      metadata: { name, ...(price !== undefined && { annotations: { 'fleet.weir.dev/price': price } }) },
    }) as HardwareClass
  const appliance = (name: string, of: string) =>
    ({
      metadata: { name, namespace: 'isp' },
      spec: { siteRef: { name: 'fra1' }, hardwareClassRef: { name: of } },
    }) as Appliance
  const snapshot = {
    sites: [{ metadata: { name: 'fra1', namespace: 'isp' } }],
    hardwareClasses: [
      hardwareClass('large', '18500 EUR'),
      hardwareClass('flash', '40000.50 USD'),
      hardwareClass('old'),
      hardwareClass('odd', '5'),
    ],
    appliances: [appliance('a', 'large'), appliance('b', 'flash')],
  } as unknown as FleetSnapshot
  const of = (...texts: string[]) => imagine(readSuppositions(texts), snapshot, 'isp')
  const told = (...texts: string[]) => of(...texts).map(({ action, object }) => `${action} ${object.metadata.name}`)

  test('who is of that class already does not change, nor is it bought', () => {
    expect(told('class=fra1/*:flash')).toEqual(['change a'])
    expect(costOf(of('class=fra1/*:flash'), snapshot)).toEqual({ cost: [{ currency: 'USD', amount: 40000.5 }] })
    expect(told('class=fra1/a:flash', 'class=fra1/a:large')).toEqual([])
  })

  test.each([
    [
      'all that is added',
      ['add=fra1:large:2', 'add=fra1:flash'],
      {
        cost: [
          { currency: 'EUR', amount: 37000 },
          { currency: 'USD', amount: 40000.5 },
        ],
      },
    ],
    ['nothing is bought', ['remove=fra1/a'], { cost: [] }],
    [
      'a class without a price',
      ['add=fra1:large', 'add=fra1:old'],
      { costUnknown: expect.stringMatching(/^annotation fleet.weir.dev\/price of HardwareClass old is not there; /) },
    ],
    ['a price that is none', ['add=fra1:odd'], { costUnknown: expect.stringContaining('HardwareClass odd is "5"') }],
  ])('what it costs: %s', (_, texts, cost) => {
    expect(costOf(of(...texts), snapshot)).toEqual(cost)
  })
})
