import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Assignment } from '../../crds/types.gen.ts'
import { AssignmentStreams, SLOW_READER_MS } from '../../gateway/streams.ts'
import { FakeClock } from '../../runtime/clock.ts'
import { startServer, until } from '../runtime/http.ts'
import {
  ask,
  assign,
  assignments,
  type ControlPlane,
  eventually,
  makeAppliance,
  makeNamespace,
  open,
  openGateway,
  startControlPlane,
  type TestAppliance,
  TestStream,
} from './harness.ts'

let plane: ControlPlane
let gateway: Awaited<ReturnType<typeof openGateway>>
let namespace: string
const clock = new FakeClock()

async function letIn(name: string): Promise<TestAppliance> {
  const appliance = await makeAppliance(plane, namespace, name)
  const { token, path } = appliance
  await eventually(
    async () => (await ask(`${gateway.url}${path}/sources`, { token, ca: plane.ca })).status === 200,
    name,
  )
  return appliance
}
const stream = (appliance: TestAppliance) => TestStream.open(gateway.url, appliance, plane.ca)

beforeAll(async () => {
  plane = await startControlPlane()
  gateway = await openGateway(plane, { clock })
  namespace = await makeNamespace(plane)
})
afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await plane[Symbol.asyncDispose]()
})

test('tells the assignment at once, then every change of it, and nothing else', async () => {
  const box = await letIn('told')
  await assign(plane, box, 1)
  const waiting = await stream(box)
  await eventually(() => waiting.generations.length === 1, 'the assignment was told')
  // A change of its metadata says nothing to the appliance.
  await plane.client.patch(assignments, box, { type: 'merge', merge: { metadata: { labels: { a: 'b' } } } })
  await assign(plane, box, 2)
  await eventually(() => waiting.generations.length > 1, 'the change was told')
  expect(waiting.generations).toEqual([1, 2])
  expect(waiting.lines[1]).toMatchObject({
    type: 'ASSIGNMENT',
    assignment: { content: { drainSeconds: 30, entries: [] } },
  })
  const { metadata } = await plane.client.get(assignments, box)
  expect(waiting.lines.map(({ uid }) => uid)).toEqual([metadata.uid, metadata.uid])
  expect(waiting.res.headers['content-type']).toBe('application/x-ndjson')
  waiting.close()
})

test('pings every 10 s, also while there is no assignment', async () => {
  const box = await letIn('pinged')
  const open = await stream(box)
  await clock.advance(9_999)
  expect(open.lines).toEqual([])
  for (let pings = 1; pings <= 3; pings++) {
    await clock.advance(pings === 1 ? 1 : 10_000)
    await eventually(() => open.lines.length === pings, `ping ${pings}`)
  }
  expect(open.lines).toEqual([{ type: 'PING' }, { type: 'PING' }, { type: 'PING' }])
  await assign(plane, box, 1)
  await eventually(() => open.generations.length === 1, 'the assignment was told')
  open.close()
})

test('a new stream takes the place of the old one, and an appliance keeps just one', async () => {
  const box = await letIn('twice')
  const first = await stream(box)
  const second = await stream(box)
  await eventually(() => first.ended, 'the first has ended')
  await assign(plane, box, 1)
  await eventually(() => second.generations.length === 1, 'the second was told')
  expect(first.generations).toEqual([])
  second.close()
})

describe('a reader that does not read', () => {
  /** A server that tells an appliance 200 assignments of 40 KB, more than the sockets between can hold; nothing of it is read yet. */
  async function stalled(ownClock: FakeClock) {
    const streams = new AssignmentStreams(ownClock)
    const server = await startServer((_, res) => streams.open('ns/slow', res, undefined))
    const res = await new Promise<IncomingMessage>((resolve, reject) => {
      const req = open(server.url, {}, resolve)
      req.on('error', reject)
      req.end()
      // There is no answer before something is told.
      until(() => streams.size === 1).then(() => streams.tell('ns/slow', big(0)), reject)
    })
    res.pause()
    for (let generation = 1; generation <= 500; generation++) {
      streams.tell('ns/slow', big(generation))
      await new Promise((resolve) => setImmediate(resolve))
    }
    return { res, streams, server }
  }

  test('misses what is no longer true, not what is', async () => {
    const { res, server } = await stalled(new FakeClock())
    await using _ = server
    const told: number[] = []
    const read = new LineReader((line) => told.push(JSON.parse(line).assignment.content.generation))
    res.on('data', (chunk: Buffer) => read.push(chunk))
    res.on('error', () => {})
    res.resume()
    await eventually(() => told.at(-1) === 500, 'the last one arrives')
    expect(told.length).toBeLessThan(400)
    expect(told).toEqual([...told].sort((a, b) => a - b))
  })

  test('is dropped after 30 s', async () => {
    const ownClock = new FakeClock()
    const { res, streams, server } = await stalled(ownClock)
    await using _ = server
    res.on('error', () => {})
    await ownClock.advance(SLOW_READER_MS - 1)
    expect(streams.size).toBe(1)
    await ownClock.advance(1)
    await eventually(() => streams.size === 0, 'it is dropped')
    res.resume()
    await eventually(() => res.destroyed, 'the reader sees it')
    expect(ownClock.pendingTimers).toBe(0)
  })
})

/** An assignment of some 40 KB. */
function big(generation: number): Assignment {
  const digest = `sha256:${'a'.repeat(64)}`
  const entries = Array.from({ length: 30 }, (_, i) => ({
    ...{
      catalog: { namespace: 'ns', name: `catalog-${i}` },
      catalogDigest: digest,
      catalogFiles: 1,
      manifestDigest: digest,
    },
    ...{ originUrl: `http://origin.example/${'x'.repeat(1000)}/`, files: 1, bytes: 1, plans: ['ns/plan'] },
  }))
  const spec = {
    content: { generation, entries, fill: { timeZone: 'UTC', windows: [] }, drainSeconds: 30, serve: true },
  }
  const metadata = { name: 'slow', namespace: 'ns', uid: 'uid-1' }
  return { apiVersion: 'fleet.weir.dev/v1alpha1', kind: 'Assignment', metadata, spec }
}

/** Cuts bytes into lines. */
class LineReader {
  readonly #each: (line: string) => void
  #rest = Buffer.alloc(0)

  constructor(each: (line: string) => void) {
    this.#each = each
  }

  push(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    for (let end = this.#rest.indexOf(10); end >= 0; end = this.#rest.indexOf(10)) {
      this.#each(this.#rest.subarray(0, end).toString('utf8'))
      this.#rest = this.#rest.subarray(end + 1)
    }
  }
}
