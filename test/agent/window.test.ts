import { randomBytes } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import { defaultTuning } from '../../agent/tuning.ts'
import { FakeClock } from '../../runtime/clock.ts'
import { Cleanup, contentOf, filled, makeCatalog, Origin, runAgent, TestGateway, until } from './harness.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const files = new Map(Array.from({ length: 20 }, (_, i) => [`file ${i}`, randomBytes(200_000)]))
const catalog = makeCatalog('docs', files)
const berlin = { timeZone: 'Europe/Berlin', windows: [{ start: '02:00', end: '05:00' }] }

/** Times of real life: time that passes fast must not be filled with reports. */
const calm = { ...defaultTuning, heartbeatIntervalMs: 60_000, reserveBytes: 0 }

/** Lets the agent live on a clock that is moved until something is seen. */
async function advanceUntil(clock: FakeClock, stepMs: number, look: () => boolean, what: () => unknown): Promise<void> {
  await until(async () => {
    if (look()) return true
    await clock.advance(stepMs)
    return undefined
  }, what)
}

test('outside of its fill window it fetches nothing and says when it will; inside it does', async () => {
  const clock = new FakeClock(new Date('2030-01-01T00:30:00Z'))
  const origin = await Origin.start(cleanup, files)
  const gateway = await TestGateway.start(cleanup)
  gateway.assign({ entries: [gateway.entry(catalog, origin.url)], fill: berlin })
  const root = cleanup.folder()
  await runAgent(cleanup, gateway, { root, clock, tuning: calm })
  const waiting = () => gateway.status?.content.waitingFor
  await advanceUntil(clock, 200, () => waiting()?.startsWith('fill window') ?? false, waiting)
  expect(waiting()).toBe('fill window of the site, opens at 2030-01-01T02:00+01:00')
  expect(gateway.status?.content).toMatchObject({ generation: 1, filesHeld: 0, bytesToFill: 4_000_000 })
  await clock.advance(25 * 60_000)
  expect(origin.requests).toHaveLength(0)

  await advanceUntil(clock, 10_000, () => gateway.status?.content.filesHeld === 20, waiting)
  expect(clock.now().toISOString() >= '2030-01-01T01:00:00.000Z').toBe(true)
  expect(waiting()).toBeUndefined()
})

test('when the window closes, what is under way is broken off and later continued where it was', async () => {
  const clock = new FakeClock(new Date('2030-01-01T03:59:00Z'))
  const large = new Map([['film', randomBytes(1_000_000)]])
  const origin = await Origin.start(cleanup, large)
  let broken = false
  origin.faults.set('film', (request, response, bytes) => {
    if (request.headers.range) return origin.sendRanged(request, response, bytes)
    // Half of it, and then nothing for so long that the window closes.
    response.writeHead(200, { 'Content-Length': bytes.length })
    response.write(bytes.subarray(0, 500_000))
    response.on('close', () => {
      broken = true
    })
  })
  const gateway = await TestGateway.start(cleanup)
  const fill = { ...berlin, windows: [...berlin.windows, { start: '06:00', end: '07:00' }] }
  gateway.assign({ entries: [gateway.entry(makeCatalog('films', large), origin.url)], fill })
  const root = cleanup.folder()
  await runAgent(cleanup, gateway, { root, clock, tuning: { ...calm, idleTimeoutMs: 3_600_000 } })
  const partial = () => readdirSync(join(root, 'partial')).map((name) => statSync(join(root, 'partial', name)).size)
  await advanceUntil(clock, 100, () => partial()[0] === 500_000, partial)
  expect(broken).toBe(false)
  await advanceUntil(clock, 5000, () => broken, partial)
  expect(clock.now().toISOString() >= '2030-01-01T04:00:00.000Z').toBe(true)
  expect(partial()).toEqual([500_000])
  expect(gateway.status?.content.failures).toEqual([])

  await clock.advance(50 * 60_000)
  expect(origin.requests).toHaveLength(1)
  await advanceUntil(clock, 60_000, () => contentOf(root).size === 1, partial)
  expect(clock.now().toISOString() >= '2030-01-01T05:00:00.000Z').toBe(true)
  expect(origin.requests.map(({ range }) => range)).toEqual([undefined, 'bytes=500000-'])
})

test('windows that cannot be read allow nothing', async () => {
  const origin = await Origin.start(cleanup, files)
  const gateway = await TestGateway.start(cleanup)
  const fill = { timeZone: 'Mars/Olympus', windows: [{ start: '02:00', end: '05:00' }] }
  gateway.assign({ entries: [gateway.entry(catalog, origin.url)], fill })
  await runAgent(cleanup, gateway, { root: cleanup.folder() })
  await until(
    () => (gateway.status?.content.waitingFor === 'fill window of the site, which never opens' ? true : undefined),
    () => gateway.status,
  )
  expect(origin.requests).toHaveLength(0)
})

test('the cap of the window, or of the appliance where that is lower, bounds the rate', async () => {
  const origin = await Origin.start(cleanup, files)
  const gateway = await TestGateway.start(cleanup)
  const everyDay = { start: '00:00', end: '00:00', maxGbps: 1 }
  const fill = { timeZone: 'UTC', windows: [everyDay], maxBytesPerSecond: 4_000_000 }
  gateway.assign({ entries: [gateway.entry(catalog, origin.url)], fill })
  const started = performance.now()
  await runAgent(cleanup, gateway, { root: cleanup.folder() })
  await filled(gateway)
  const seconds = (performance.now() - started) / 1000
  // 4 MB at 4 MB/s, less a quarter of a second's worth at once.
  expect(seconds).toBeGreaterThan(0.7)
  // That it takes longer than a second is the machine's doing.
  expect(seconds).toBeLessThan(30)
})
