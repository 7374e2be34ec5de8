import { describe, expect, test } from '@jest/globals'
import { hourOf, MAX_FILES_COUNTED, readRequestCounts } from '../../../reconcilers/gateway/request-counts.ts'
import { NOW } from '../fleet.ts'

const hour = hourOf(NOW)
const films = { catalog: 'isp/films', files: [[0, 1, 2]], others: { requests: 0, bytes: 0 } }
const good = { id: 'boot-0', hour, catalogs: [films] }

test('what an agent counted is taken as it is', () => {
  expect(readRequestCounts(good, NOW)).toEqual(good)
  expect(readRequestCounts({ ...good, hour: hour - 24 * 8, catalogs: [] }, NOW).catalogs).toEqual([])
})

describe('is refused', () => {
  const files = (...rows: unknown[]) => ({ catalogs: [{ ...films, files: rows }] })
  const cases: [reason: string, more: Record<string, unknown>, message: RegExp][] = [
    ['without an id', { id: undefined }, /^id/],
    ['an id with a quote', { id: "'" }, /^id/],
    ['an hour of last month', { hour: hour - 24 * 30 }, /^hour/],
    ['an hour to come', { hour: hour + 2 }, /^hour/],
    ['half an hour', { hour: hour - 0.5 }, /^hour/],
    ['no hour', { hour: undefined }, /^hour/],
    ['an hour as text', { hour: String(hour) }, /^hour/],
    ['no list', { catalogs: {} }, /^catalogs/],
    ['a catalog twice', { catalogs: [films, films] }, /one is there twice/],
    ['a catalog without a namespace', { catalogs: [{ ...films, catalog: 'films' }] }, /^catalog: /],
    ['null', { catalogs: [null] }, /^catalog: /],
    ['a negative count', files([0, -1, 2]), /row 0/],
    ['NaN, as JSON has it', files([0, 1, null]), /row 0/],
    ['a fraction', files([0, 1.5, 2]), /row 0/],
    ['more than can be summed', files([0, 1, 2 ** 51]), /row 0/],
    ['a row too short', files([0, 1]), /row 0/],
    ['a row too long', files([0, 1, 2, 3]), /row 0/],
    ['an index twice', files([4, 1, 2], [4, 1, 2]), /row 1/],
    ['an index beyond any catalog', files([2 ** 31, 1, 2]), /row 0/],
    ['too many files', files(...Array.from({ length: MAX_FILES_COUNTED + 1 }, (_, i) => [i, 1, 1])), /more than 4096/],
    ['no others', { catalogs: [{ ...films, others: undefined }] }, /^others of isp\/films/],
  ]
  test.each(cases)('%s', (_reason, more, message) => {
    expect(() => readRequestCounts({ ...good, ...more }, NOW)).toThrow(RangeError)
    expect(() => readRequestCounts({ ...good, ...more }, NOW)).toThrow(message)
  })
})
