import { type Access, Connection } from './connection.ts'

// The clients, in a process of their own (see run-load.ts): says `ready`, waits for `go`, works, says how much.

export interface Load {
  readonly access: Access
  /** Connections that write, each its own objects, one request at a time. */
  readonly writers: number
  /** Connections that watch all that is written. */
  readonly watchers: number
  readonly seconds: number
}

export interface Done {
  /** Writes that were acknowledged. */
  readonly writes: number
  /** Events that all watchers have received together: each write, by each watcher. */
  readonly deliveries: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export type FromLoad = { readonly type: 'ready' } | { readonly type: 'done'; readonly done: Done }

const collection = '/api/v1/namespaces/default/configmaps'
const objectsPerWriter = 8
/** The whole object is 1 KB as the client sends it. */
const padding = 'x'.repeat(850)
const eventMark = Buffer.from('"type":"MODIFIED"')

/** A ConfigMap of 1 KB, different every time. */
function body(name: string, count: number): string {
  const data = { count: String(count), padding }
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data })
}

async function prepare(load: Load): Promise<{ writers: Connection[]; received: () => number; close: () => void }> {
  const open = (count: number) => Promise.all(Array.from({ length: count }, () => Connection.open(load.access)))
  const writers = await open(load.writers)
  for (const [w, writer] of writers.entries()) {
    for (let i = 0; i < objectsPerWriter; i++)
      await expectStatus(writer, 'POST', collection, body(`bench-${w}-${i}`, 0), 201, 409)
  }
  const { body: list } = await writers[0]!.request('GET', `${collection}?limit=1`)
  const revision = /"resourceVersion":"(\d+)"/.exec(list)?.[1]
  const watchers = await open(load.watchers)
  let events = 0
  let heads = 0
  for (const watcher of watchers) {
    const count = counter(eventMark)
    let started = false
    watcher.watch(`${collection}?watch=true&resourceVersion=${revision}`, (data) => {
      if (!started) heads++
      started = true
      events += count(data)
    })
  }
  while (heads < watchers.length) await new Promise((resolve) => setTimeout(resolve, 10))
  const close = () => {
    for (const connection of [...writers, ...watchers]) connection.close()
  }
  return { writers, received: () => events, close }
}

/** Counts a mark in a stream, also where it is cut in two. */
function counter(mark: Buffer): (data: Buffer) => number {
  let tail: Buffer = Buffer.alloc(0)
  return (data) => {
    let count = 0
    if (tail.length > 0) {
      const seam = Buffer.concat([tail, data.subarray(0, mark.length - 1)])
      if (seam.indexOf(mark) >= 0) count++
    }
    for (let at = data.indexOf(mark); at >= 0; at = data.indexOf(mark, at + mark.length)) count++
    tail = Buffer.from(data.subarray(Math.max(0, data.length - mark.length + 1)))
    return count
  }
}

async function expectStatus(connection: Connection, method: string, path: string, text: string, ...expected: number[]) {
  const { status, body: answer } = await connection.request(method, path, text)
  if (!expected.includes(status)) throw new Error(`${method} ${path} was answered ${status}: ${answer}`)
}

async function work(load: Load): Promise<void> {
  const { writers, received, close } = await prepare(load)
  process.send?.({ type: 'ready' } satisfies FromLoad)
  await new Promise((resolve) => process.once('message', resolve))

  const latencies: number[] = []
  const started = performance.now()
  const end = started + load.seconds * 1000
  const put = async (w: number, round: number) => {
    const name = `bench-${w}-${round % objectsPerWriter}`
    const before = performance.now()
    await expectStatus(writers[w]!, 'PUT', `${collection}/${name}`, body(name, round), 200)
    latencies.push(performance.now() - before)
  }
  if (load.watchers === 0) {
    await Promise.all(
      writers.map(async (_, w) => {
        for (let round = 1; performance.now() < end; round++) await put(w, round)
      }),
    )
  } else {
    // Round by round: no watcher is so far behind that a server may drop it, and every delivery is counted.
    for (let round = 1; performance.now() < end; round++) {
      await Promise.all(writers.map((_, w) => put(w, round)))
      while (received() < latencies.length * load.watchers) await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
  const writes = latencies.length
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor(writes * share)] ?? 0
  const seconds = (performance.now() - started) / 1000
  process.send?.({
    type: 'done',
    done: { writes, deliveries: received(), seconds, p50Ms: at(0.5), p99Ms: at(0.99) },
  } satisfies FromLoad)
  close()
  process.disconnect()
}

process.once('disconnect', () => process.exit())
process.once('message', (load: Load) => void work(load))
