import { expect, test } from '@jest/globals'
import { openFilesAllowed, shareOpenFiles } from '../../steering/open-files.ts'

test.each([
  ['plenty: everybody gets what he needs', 1_000_000, 20_000, true, 20_000, 977_952],
  ['few: players and probes get half each of what is not reserved', 20_000, 20_000, true, 8976, 8976],
  ['fewer players are wanted: probes get the rest', 20_000, 1000, true, 1000, 16_952],
  ['very few: a quarter is reserved', 1024, 20_000, true, 384, 384],
  ['nobody is probed', 20_000, 20_000, false, 17_952, 0],
])('%s', (_, allowed, maxConnections, isProbed, players, probes) => {
  expect(shareOpenFiles(allowed, maxConnections, isProbed)).toEqual({ allowed, players, probes })
})

test('the limit of this process is read', () => {
  expect(openFilesAllowed()).toBeGreaterThanOrEqual(256)
})
