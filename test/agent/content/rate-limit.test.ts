import { expect, test } from '@jest/globals'
import { RateLimit } from '../../../agent/content/rate-limit.ts'
import { FakeClock } from '../../../runtime/clock.ts'

const signal = new AbortController().signal

test('bytes beyond the rate are paid for by waiting', async () => {
  const clock = new FakeClock()
  const rate = new RateLimit(clock, 1000)
  await clock.advance(10_000)
  // A quarter of a second's worth has been saved up, however long the pause.
  expect(rate.take(250, signal)).toBeUndefined()
  let done = 0
  void rate.take(500, signal)?.then(() => done++)
  void rate.take(500, signal)?.then(() => done++)
  await clock.advance(499)
  expect(done).toBe(0)
  await clock.advance(1)
  expect(done).toBe(1)
  await clock.advance(499)
  expect(done).toBe(1)
  await clock.advance(1)
  expect(done).toBe(2)
})

test('over time it is the rate, whatever the pieces', async () => {
  const clock = new FakeClock()
  const rate = new RateLimit(clock, 100_000)
  const start = clock.monotonicMs()
  let bytes = 0
  const reader = async (piece: number) => {
    while (bytes < 1_000_000) {
      bytes += piece
      await rate.take(piece, signal)
    }
  }
  let finished = false
  void Promise.all([reader(700), reader(64_000), reader(1)]).then(() => {
    finished = true
  })
  while (!finished) await clock.advance(50)
  const seconds = (clock.monotonicMs() - start) / 1000
  expect(bytes / seconds).toBeGreaterThan(90_000)
  expect(bytes / seconds).toBeLessThan(110_000)
})

test('without a rate nothing waits; a new rate forgives old debts; an abort ends the wait', async () => {
  const clock = new FakeClock()
  const rate = new RateLimit(clock)
  expect(rate.take(1e12, signal)).toBeUndefined()
  rate.setRate(10)
  const abort = new AbortController()
  const waiting = rate.take(1000, abort.signal)
  abort.abort(new Error('window closed'))
  await expect(waiting).rejects.toThrow('window closed')
  expect(clock.pendingTimers).toBe(0)
  rate.setRate(1000)
  await clock.advance(250)
  expect(rate.take(250, signal)).toBeUndefined()
})
