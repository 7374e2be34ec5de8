import { expect, test } from '@jest/globals'
import { FakeClock, sleep, systemClock } from '../../runtime/clock.ts'

test('advance fires timers in order of their due time and moves now', async () => {
  const clock = new FakeClock(new Date('2030-01-01T00:00:00Z'))
  const fired: string[] = []
  clock.after(20, () => fired.push('b'))
  clock.after(10, () => fired.push('a'))
  clock.after(30, () => fired.push('late'))
  await clock.advance(25)
  expect(fired).toEqual(['a', 'b'])
  expect(clock.now().toISOString()).toBe('2030-01-01T00:00:00.025Z')
  expect(clock.pendingTimers).toBe(1)
})

test('sleep rejects with the reason of an abort and leaves no timer', async () => {
  const clock = new FakeClock()
  const abort = new AbortController()
  const slept = sleep(clock, 1000, abort.signal)
  abort.abort(new Error('stop'))
  await expect(slept).rejects.toThrow('stop')
  expect(clock.pendingTimers).toBe(0)
})

test.each([
  ['a month', 30 * 86_400_000],
  ['for ever', Number.POSITIVE_INFINITY],
])('the real clock can be asked to wait %s: it does not fire at once', async (_, ms) => {
  let fired = 0
  const cancel = systemClock.after(ms, () => fired++)
  await new Promise((resolve) => setTimeout(resolve, 30))
  cancel()
  expect(fired).toBe(0)
})
