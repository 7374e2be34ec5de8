import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { FaultyFileIo } from './faulty-file-io.ts'
import { Cleanup, contentOf, filled, makeCatalog, Origin, runAgent, sha256, TestGateway, until } from './harness.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const files = new Map(Array.from({ length: 20 }, (_, i) => [`file ${i}`, randomBytes(50_000)]))
const victim = sha256(files.get('file 3')!)

async function setUp(scrubIntervalMs: number, io?: FaultyFileIo) {
  const origin = await Origin.start(cleanup, files)
  const gateway = await TestGateway.start(cleanup)
  gateway.assign({ entries: [gateway.entry(makeCatalog('docs', files), origin.url)] })
  const root = cleanup.folder()
  const agent = await runAgent(cleanup, gateway, { root, tuning: { scrubIntervalMs }, ...(io && { fileIo: io }) })
  await filled(gateway)
  await inventory(gateway, 20)
  const path = join(root, 'content', victim.slice(0, 2), victim)
  return { origin, gateway, root, agent, path }
}

const inventory = (gateway: TestGateway, size: number) =>
  until(
    () => (gateway.inventories.get('isp/docs')?.set.size === size ? true : undefined),
    () => gateway.told,
  )

const wrong = (path: string) => {
  const bytes = readFileSync(path)
  bytes[40_000]! ^= 0x10
  writeFileSync(path, bytes)
}

describe('a file that rots on disk is found, withdrawn, moved away, told and fetched again', () => {
  test.each<[string, (path: string) => void, RegExp]>([
    ['one bit', wrong, /no longer match/],
    ['its end', (path) => truncateSync(path, 10), /no longer match/],
    ['all of it', (path) => truncateSync(path, 0), /no longer match/],
    ['more than there was', (path) => writeFileSync(path, 'x', { flag: 'a' }), /no longer match/],
    ['its name', (path) => rmSync(path), /are gone/],
  ])('%s', async (_, rot, message) => {
    const { origin, gateway, root, agent, path } = await setUp(100)
    // It cannot be repaired at once, so that what happens in between can be seen.
    origin.faults.set('file 3', (_request, response) => response.writeHead(503).end())
    rot(path)
    const { content } = await until(
      () => (gateway.status?.content.filesFailing === 1 ? gateway.status : undefined),
      () => gateway.status,
    )
    expect(content).toMatchObject({ filesHeld: 19 })
    expect(['Rotted', 'HTTP503']).toContain(content.failures[0]?.reason)
    if (content.failures[0]?.reason === 'Rotted') expect(content.failures[0].message).toMatch(message)
    await inventory(gateway, 19)
    expect((await fetch(`${agent.url}/isp/docs/file%203`)).status).toBe(404)
    expect((await fetch(`${agent.url}/.weir/sha256/${victim}`)).status).toBe(404)
    expect(existsSync(path)).toBe(false)

    origin.faults.clear()
    await filled(gateway)
    await inventory(gateway, 20)
    expect(readFileSync(path).equals(files.get('file 3')!)).toBe(true)
    expect(await (await fetch(`${agent.url}/metrics`)).text()).toContain('weir_agent_rotted_files_total 1\n')
    if (message.source.includes('match')) expect(readdirSync(join(root, 'rotten'))).toEqual([victim])
  })
})

test('a sector that cannot be read is noticed by the scrubber', async () => {
  const io = new FaultyFileIo()
  const { origin, gateway, path } = await setUp(100, io)
  io.fault = (call) => (call.op === 'read' && call.path === path ? 'EIO' : undefined)
  origin.faults.set('file 3', (_request, response) => response.writeHead(503).end())
  await inventory(gateway, 19)
  io.fault = () => undefined
  origin.faults.clear()
  await filled(gateway)
})

test('a file that is gone is noticed by the first client that asks for it', async () => {
  const { gateway, agent, path } = await setUp(3_600_000)
  rmSync(path)
  expect((await fetch(`${agent.url}/isp/docs/file%203`)).status).toBe(404)
  // It is on disk again before it is served, and a status of before it was gone says the same as one of afterwards.
  await until(
    async () => ((await fetch(`${agent.url}/isp/docs/file%203`)).status === 200 ? true : undefined),
    () => gateway.status,
  )
  expect(readFileSync(path).equals(files.get('file 3')!)).toBe(true)
  await filled(gateway)
})

test('reads all files in each pass, slowly, and goes on where it was after a restart', async () => {
  const io = new FaultyFileIo()
  const { gateway, root, agent } = await setUp(3_600_000, io)
  // 20 files of 50 kB at 200 kB/s: five seconds for a pass.
  await agent.close()
  const order = [...contentOf(root).keys()].sort()
  writeFileSync(join(root, 'state', 'scrub.json'), JSON.stringify({ after: order[9], startedAtMs: Date.now() }))
  io.calls.length = 0
  const started = performance.now()
  await runAgent(cleanup, gateway, {
    root,
    fileIo: io,
    tuning: { scrubBytesPerSecond: 200_000, scrubIntervalMs: 60_000 },
  })
  const read = () => [
    ...new Set(
      io.calls.flatMap(({ op, path }) => (op === 'read' && path.includes('content') ? [path.split('/').at(-1)] : [])),
    ),
  ]
  await until(
    () => (read().length >= 4 ? true : undefined),
    () => read(),
  )
  expect(performance.now() - started).toBeGreaterThan(400)
  expect(read()).toEqual(order.slice(10, 10 + read().length))
})
