import { expect, test } from '@jest/globals'
import { describeCatalog, describePolicy } from '../../../cli/describe/content.ts'
import { Screen } from '../../../cli/describe/screen.ts'
import type { Catalog, PlacementPolicy } from '../../../crds/types.gen.ts'

const head = { apiVersion: 'content.weir.dev/v1alpha1', metadata: { name: 'films', namespace: 'isp' } }

function shown(describe: (screen: Screen) => void): string {
  const screen = new Screen(0)
  describe(screen)
  return String(screen)
}

test.each([
  ['nothing yet', { day: '2026-01-08', days: 0, files: 0 }, /^Counted: +nothing yet$/m],
  [
    'so many files and days',
    { day: '2026-01-08', days: 84, files: 120, lastDay: '2026-01-07' },
    /^Counted: +120 files on 84 days up to 2026-01-07$/m,
  ],
  [
    'what was refused',
    { day: '2026-01-08', days: 1, files: 1, lastDay: '2026-01-07', refused: 2, firstRefused: 'class "de": -5 bytes' },
    /^Refused: +2 rows of the demand database; the first: class "de": -5 bytes$/m,
  ],
])('a catalog tells of what was counted: %s', (_, counted, line) => {
  const catalog = {
    ...{ ...head, kind: 'Catalog' },
    spec: { source: { url: 'http://origin/films.ndjson' }, refreshInterval: '1h' },
    status: { counted },
  } as unknown as Catalog
  expect(shown((screen) => describeCatalog(screen, catalog))).toMatch(line)
})

test.each([
  ['catalog', undefined],
  ['observed', /^Demand: +as counted$/m],
  ['forecast', /^Demand: +forecast from what was counted$/m],
])('a policy tells where demand comes from: %s', (source, line) => {
  const policy = {
    ...{ ...head, kind: 'PlacementPolicy' },
    spec: {
      ...{ catalogRef: { name: 'films' }, priority: 0, copies: { perSite: 1 }, storageShare: 100, demand: { source } },
    },
  } as unknown as PlacementPolicy
  const text = shown((screen) => describePolicy(screen, policy, undefined))
  if (line) expect(text).toMatch(line)
  else expect(text).not.toMatch(/^Demand:/m)
})
