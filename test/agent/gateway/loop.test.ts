import { describe, expect, test } from '@jest/globals'
import { keepDoing, Loop } from '../../../agent/gateway/loop.ts'
import { FakeClock } from '../../../runtime/clock.ts'
import { silentLog } from '../../../runtime/log.ts'

function setUp(intervalMs = 1000) {
  const clock = new FakeClock()
  const start = clock.monotonicMs()
  const ran: number[] = []
  let fail = false
  let hold: Promise<void> | undefined
  const options = { name: 'work', clock, log: silentLog, random: () => 0, backoff: { baseMs: 100, capMs: 1000 } }
  const loop = new Loop(options, intervalMs, async () => {
    ran.push(clock.monotonicMs() - start)
    await hold
    if (fail) throw new Error('no')
  })
  return {
    clock,
    loop,
    ran,
    failing: (yes: boolean) => {
      fail = yes
    },
    holding: (until: Promise<void> | undefined) => {
      hold = until
    },
  }
}

describe('a loop', () => {
  test('works when asked, and not more often than its interval', async () => {
    const { clock, loop, ran } = setUp()
    loop.ask()
    await clock.advance(10)
    loop.ask()
    loop.ask()
    await clock.advance(3000)
    expect(ran).toEqual([0, 1000])
  })

  test('does not wait for its interval when it is urgent', async () => {
    const { clock, loop, ran } = setUp()
    loop.ask()
    await clock.advance(10)
    loop.ask(true)
    await clock.advance(3000)
    expect(ran).toEqual([0, 10])
  })

  test('asked while it works, it works once more', async () => {
    const { clock, loop, ran, holding } = setUp()
    let release = () => {}
    holding(
      new Promise((resolve) => {
        release = resolve
      }),
    )
    loop.ask()
    await clock.advance(2000)
    loop.ask()
    loop.ask()
    await clock.advance(100)
    expect(ran).toEqual([0])
    holding(undefined)
    release()
    await clock.advance(3000)
    expect(ran).toEqual([0, 2100])
  })

  test('tries again after a failure, later and later, urgent or not; once the other side is back, at once', async () => {
    const { clock, loop, ran, failing } = setUp(0)
    failing(true)
    loop.ask()
    await clock.advance(50)
    loop.ask(true)
    await clock.advance(1000)
    expect(ran).toEqual([0, 100, 300, 700])
    failing(false)
    loop.recovered()
    await clock.advance(0)
    expect(ran.at(-1)).toBe(1050)
    await clock.advance(60_000)
    expect(ran).toHaveLength(5)
  })

  test('asked to work in a while, it does so once; closed, it does nothing', async () => {
    const { clock, loop, ran } = setUp(0)
    loop.askIn(500)
    loop.askIn(800)
    await clock.advance(2000)
    expect(ran).toEqual([500])
    loop.askIn(500)
    await loop.close()
    await clock.advance(2000)
    expect(ran).toEqual([500])
    expect(clock.pendingTimers).toBe(0)
  })
})

test('what lasts is begun again when it ends, later and later until it goes well', async () => {
  const clock = new FakeClock()
  const start = clock.monotonicMs()
  const began: number[] = []
  const stop = new AbortController()
  const options = { name: 'stream', clock, log: silentLog, random: () => 0, backoff: { baseMs: 100, capMs: 1000 } }
  const done = keepDoing(options, stop.signal, async (_, wentWell) => {
    began.push(clock.monotonicMs() - start)
    if (began.length === 4) wentWell()
    throw new Error('ended')
  })
  await clock.advance(900)
  expect(began).toEqual([0, 100, 300, 700, 800])
  stop.abort()
  await clock.advance(0)
  await done
})
