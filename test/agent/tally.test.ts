import { expect, test } from '@jest/globals'
import { Tally } from '../../agent/serve/tally.ts'
import { hourOf, MAX_FILES_COUNTED, readRequestCounts } from '../../reconcilers/gateway/request-counts.ts'
import { systemClock } from '../../runtime/clock.ts'

const START = Date.parse('2030-01-01T12:30:00Z')

function tally() {
  let ms = START
  const clock = { ...systemClock, now: () => new Date(ms) }
  return { tally: new Tally(clock, 'boot'), pass: (hours: number) => (ms += hours * 3_600_000), now: () => clock.now() }
}

const films = (index: number) => ({ catalog: 'isp/films', index })

test('requests of an hour are one batch, which stays as it is until it is settled', () => {
  const { tally: counted, pass } = tally()
  counted.count(films(1), 10)
  counted.count(films(1), 5)
  counted.count({ catalog: 'isp/songs', index: 1 }, 7)
  expect(counted.next).toBeUndefined()
  pass(1)
  counted.count(films(2), 1)
  const first = counted.next!
  expect(first).toEqual({
    id: 'boot-0',
    hour: hourOf(new Date(START)),
    catalogs: [
      { catalog: 'isp/films', files: [[1, 2, 15]], others: { requests: 0, bytes: 0 } },
      { catalog: 'isp/songs', files: [[1, 1, 7]], others: { requests: 0, bytes: 0 } },
    ],
  })
  counted.count(films(1), 100)
  expect(counted.next).toBe(first)
  counted.settle('another')
  expect(counted.next).toBe(first)
  counted.settle(first.id)
  counted.seal()
  expect(counted.next).toMatchObject({
    id: 'boot-1',
    hour: first.hour + 1,
    catalogs: [
      {
        files: [
          [1, 1, 100],
          [2, 1, 1],
        ],
      },
    ],
  })
})

test('nothing asked for is nothing to tell', () => {
  const { tally: counted, pass } = tally()
  counted.seal()
  pass(5)
  counted.seal()
  expect(counted.next).toBeUndefined()
})

test('beyond what may be told one by one, the smallest are summed up; a gateway takes it', () => {
  const { tally: counted, now } = tally()
  for (let i = 0; i < MAX_FILES_COUNTED; i++) counted.count(films(i), 1000 + i)
  for (let i = 0; i < 100; i++) counted.count({ catalog: 'isp/songs', index: i }, 3)
  counted.seal()
  const [inFilms, inSongs] = counted.next!.catalogs
  expect(inFilms!.files).toHaveLength(MAX_FILES_COUNTED)
  expect(inSongs).toEqual({ catalog: 'isp/songs', files: [], others: { requests: 100, bytes: 300 } })
  expect(readRequestCounts({ ...counted.next! }, now())).toEqual(counted.next)
})

test('while the gateway is away, the oldest are given up in the end', () => {
  const { tally: counted, pass } = tally()
  for (let hour = 0; hour < 50; hour++) {
    counted.count(films(hour), 1)
    pass(1)
  }
  counted.seal()
  expect(counted.lost).toBe(14)
  expect(counted.next?.id).toBe('boot-14')
})
