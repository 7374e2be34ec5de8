import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import { FaultyFileIo } from './faulty-file-io.ts'
import { Cleanup, contentOf, filled, makeCatalog, Origin, runAgent, sha256, TestGateway, until } from './harness.ts'

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

function someFiles(count: number, bytes: number): Map<string, Buffer> {
  return new Map(Array.from({ length: count }, (_, i) => [`file ${i}`, randomBytes(bytes)]))
}

async function setUp(files: ReadonlyMap<string, Buffer>, options: { io?: FaultyFileIo; capacityBytes?: number } = {}) {
  const origin = await Origin.start(cleanup, files)
  const gateway = await TestGateway.start(cleanup)
  gateway.assign({ entries: [gateway.entry(makeCatalog('docs', files), origin.url)] })
  const root = cleanup.folder()
  const { io, capacityBytes } = options
  const agent = await runAgent(cleanup, gateway, {
    root,
    ...(io && { fileIo: io }),
    ...(capacityBytes !== undefined && { capacityBytes }),
  })
  return { origin, gateway, root, agent }
}

const short = (gateway: TestGateway) =>
  until(
    () => (gateway.status?.content.waitingFor?.startsWith('free disk') ? gateway.status : undefined),
    () => gateway.status,
  )

function onlyVerified(root: string): number {
  const content = contentOf(root)
  for (const [name, bytes] of content) expect(sha256(bytes)).toBe(name)
  return content.size
}

describe('a disk that is full', () => {
  test('by its capacity: says by how much, keeps what fits, and takes the rest when there is room', async () => {
    const files = someFiles(10, 1 << 20)
    const { gateway, root, agent } = await setUp(files, { capacityBytes: 5.5 * (1 << 20) })
    const { content } = await short(gateway)
    expect(content.waitingFor).toBe('free disk: 4.5 MiB short')
    await until(
      () => (gateway.status?.content.filesHeld === 5 ? true : undefined),
      () => gateway.status,
    )
    expect(onlyVerified(root)).toBe(5)
    const served = await Promise.all(
      [...files.keys()].map((path) => fetch(`${agent.url}/isp/docs/${encodeURIComponent(path)}`, { method: 'HEAD' })),
    )
    expect(served.filter(({ status }) => status === 200)).toHaveLength(5)
  })

  test('by what the system says is free, while other programs write to it', async () => {
    const io = new FaultyFileIo()
    io.free = 3 * (1 << 20)
    const { gateway, root } = await setUp(someFiles(10, 1 << 20), { io })
    const { content } = await short(gateway)
    expect(content.waitingFor).toMatch(/^free disk: [67](\.\d+)? MiB short$/)
    io.free = 100 * (1 << 20)
    await filled(gateway)
    expect(onlyVerified(root)).toBe(10)
  })

  test('by ENOSPC, as with a quota that nobody tells of: stops, and goes on when writing works again', async () => {
    const io = new FaultyFileIo()
    let written = 0
    io.fault = ({ op, path, bytes = 0 }) => {
      if (op !== 'write' || !path.includes('/partial/')) return undefined
      written += bytes
      return written > 4_500_000 ? 'ENOSPC' : undefined
    }
    const { origin, gateway, root } = await setUp(someFiles(10, 1_000_000), { io })
    const { content } = await short(gateway)
    expect(content.filesFailing).toBe(0)
    expect(onlyVerified(root)).toBeLessThan(5)
    // It does not hammer the origin for bytes that it has no room for.
    const asked = origin.requests.length
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(origin.requests.length - asked).toBeLessThan(15)
    io.fault = () => undefined
    await filled(gateway)
    expect(onlyVerified(root)).toBe(10)
  })

  test('a full disk does not keep the agent from an Assignment that makes room', async () => {
    const io = new FaultyFileIo()
    const files = someFiles(4, 1_000_000)
    const { origin, gateway, root } = await setUp(files, { io })
    await filled(gateway)
    io.fault = ({ op }) => (op === 'write' || op === 'replaceFile' ? 'ENOSPC' : undefined)
    gateway.assign({ entries: [gateway.entry(makeCatalog('docs', files), origin.url, [0])] })
    await until(
      () => (contentOf(root).size === 1 && gateway.status?.content.generation === 2 ? true : undefined),
      () => gateway.status,
    )
  })
})

describe('a disk that fails', () => {
  test.each([
    ['to write', 'write', 'EIO'],
    ['to write all of it', 'write', { code: 'EIO', torn: true }],
    ['to make bytes durable', 'sync', 'EIO'],
    ['to rename', 'rename', 'EIO'],
    ['to open', 'openWrite', 'EMFILE'],
  ] as const)('%s: nothing is published, and it is tried again', async (_, op, fault) => {
    const io = new FaultyFileIo()
    const files = someFiles(20, 10_000)
    const bad = sha256(files.get('file 7')!)
    io.fault = (call) => (call.op === op && call.path.endsWith(bad) ? fault : undefined)
    const { gateway, root, agent } = await setUp(files, { io })
    const { content } = await until(
      () =>
        gateway.status?.content.filesFailing === 1 && gateway.status.content.filesHeld === 19
          ? gateway.status
          : undefined,
      () => gateway.status,
    )
    expect(content.failures[0]).toMatchObject({ path: 'file 7', reason: 'StorageError' })
    expect((await fetch(`${agent.url}/isp/docs/file%207`)).status).toBe(404)
    expect(onlyVerified(root)).toBe(19)
    io.fault = () => undefined
    await filled(gateway)
    expect(onlyVerified(root)).toBe(20)
  })

  test('to make names durable: not advertised before it works', async () => {
    const io = new FaultyFileIo()
    let broken = true
    io.fault = ({ op, path }) =>
      broken && op === 'syncFolder' && /content\/[0-9a-f]{2}$/.test(path) ? 'EIO' : undefined
    const { gateway } = await setUp(someFiles(5, 1000), { io })
    await until(
      () => (gateway.status?.content.filesFailing === 5 ? true : undefined),
      () => gateway.status,
    )
    expect(gateway.inventories.get('isp/docs')).toBeUndefined()
    broken = false
    expect((await filled(gateway)).content.filesHeld).toBe(5)
  })
})

test('bytes are made durable before they get their name, and names before they are told', async () => {
  const io = new FaultyFileIo()
  const { gateway } = await setUp(someFiles(50, 5000), { io })
  let toldAt: number | undefined
  const put = gateway.inventories.set.bind(gateway.inventories)
  gateway.inventories.set = (key, value) => {
    toldAt ??= io.calls.length
    return put(key, value)
  }
  await filled(gateway)
  await until(
    () => toldAt,
    () => 'no inventory',
  )
  const synced = new Set<string>()
  let renamed = 0
  for (const { op, path } of io.calls) {
    const name = path.split('/').at(-1)!
    if (op === 'sync') synced.add(name)
    if (op === 'rename' && path.includes('/content/')) {
      expect(synced.has(name)).toBe(true)
      renamed++
    }
  }
  expect(renamed).toBe(50)
})

test('one agent per folder, and a folder is free again when its agent has ended', async () => {
  const { gateway, root, agent } = await setUp(new Map([['a', Buffer.from('a')]]))
  await expect(runAgent(cleanup, gateway, { root })).rejects.toThrow('in use by another agent')
  await agent.close()
  await runAgent(cleanup, gateway, { root })
})

test('foreign and torn files in its folders do no harm', async () => {
  const files = someFiles(3, 1000)
  const { gateway, root, agent } = await setUp(files)
  await filled(gateway)
  await agent.close()
  writeFileSync(join(root, 'content', sha256(files.get('file 0')!).slice(0, 2), 'notes.txt'), 'hello')
  writeFileSync(join(root, 'content', 'README'), 'hello')
  writeFileSync(join(root, 'partial', 'f'.repeat(64)), 'bytes of a file that nobody wants')
  writeFileSync(join(root, 'state', 'desired.json'), '{"torn')
  writeFileSync(join(root, 'state', 'retiring.json'), '[]')
  writeFileSync(join(root, 'state', 'scrub.json'), 'null')
  gateway.status = undefined
  await runAgent(cleanup, gateway, { root })
  const { content } = await filled(gateway)
  expect(content).toMatchObject({ filesHeld: 3, storageUsedBytes: 3000 })
})
