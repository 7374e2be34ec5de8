import { expect, test } from '@jest/globals'
import type { Site } from '../../../crds/types.gen.ts'
import { regionsOfCountries } from '../../../steering/world/country-regions.ts'

const site = (country: string, region?: string) => {
  const labels = region === undefined ? {} : { labels: { 'topology.kubernetes.io/region': region } }
  return { metadata: { name: 's', ...labels }, spec: { country } } as unknown as Site
}

test.each([
  ['no labels: the country is the region', [site('DE')], { DE: 'DE' }],
  ['regions of the fleet’s own', [site('DE', 'emea'), site('FR', 'emea')], { DE: 'emea', FR: 'emea' }],
  ['most of its sites', [site('US', 'west'), site('US', 'east'), site('US', 'east')], { US: 'east' }],
  ['the first by name of as many', [site('US', 'west'), site('US', 'east')], { US: 'east' }],
])('%s', (_, sites, expected) => {
  expect(Object.fromEntries(regionsOfCountries(sites))).toEqual(expected)
})
