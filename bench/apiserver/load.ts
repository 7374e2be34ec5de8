import { type Access, Connection } from './connection.ts'
import { Watchers } from './watchers.ts'

// The clients, in a process of their own (see run-load.ts): says `ready`, waits for `go`, works, says how much.

export interface Load {
  readonly access: Access
  /** Connections that write, each its own objects, one request at a time. */
  readonly writers: number
  /**
   * Connections that watch all that is written. With any, writes come in bursts, one of each writer, and the next burst waits until all have
   * been told: no server is driven to drop watchers, and every delivery is counted.
   */
  readonly watchers: number
  readonly seconds: number
}

export interface Done {
  /** Writes that were acknowledged. */
  readonly writes: number
  /** Events that all watchers have received together. */
  readonly deliveries: number
  /** Deliveries that never came: the server dropped the watcher. */
  readonly lost: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export type FromLoad = { readonly type: 'ready' } | { readonly type: 'done'; readonly done: Done }

const collection = '/api/v1/namespaces/default/configmaps'
const objectsPerWriter = 8
/** Makes the object as the client sends it 1 KB. */
const padding = 'x'.repeat(850)

/** A ConfigMap of 1 KB, different every time. */
function body(name: string, count: number): string {
  const data = { count: String(count), padding }
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data })
}

async function openWriters({ access, writers: count }: Load): Promise<Connection[]> {
  const writers = await Promise.all(Array.from({ length: count }, () => Connection.open(access)))
  for (const [w, writer] of writers.entries()) {
    for (let i = 0; i < objectsPerWriter; i++) {
      await expectStatus(writer, 'POST', collection, body(`bench-${w}-${i}`, 0), 201, 409)
    }
  }
  return writers
}

async function expectStatus(connection: Connection, method: string, path: string, text: string, ...expected: number[]) {
  const { status, body: answer } = await connection.request(method, path, text)
  if (!expected.includes(status)) throw new Error(`${method} ${path} was answered ${status}: ${answer}`)
}

async function work(load: Load): Promise<void> {
  const writers = await openWriters(load)
  const watchers = await Watchers.open(load.access, collection, load.watchers)
  send({ type: 'ready' })
  await new Promise((resolve) => process.once('message', resolve))

  const latencies: number[] = []
  const started = performance.now()
  const end = started + load.seconds * 1000
  // Another number than the load before, so that every write changes something.
  const salt = Date.now()
  const put = async (writer: Connection, w: number, round: number) => {
    const name = `bench-${w}-${round % objectsPerWriter}`
    const before = performance.now()
    await expectStatus(writer, 'PUT', `${collection}/${name}`, body(name, salt + round), 200)
    latencies.push(performance.now() - before)
  }
  if (load.watchers === 0) {
    await Promise.all(
      writers.map(async (writer, w) => {
        for (let round = 1; performance.now() < end; round++) await put(writer, w, round)
      }),
    )
  } else {
    for (let round = 1; performance.now() < end; round++) {
      await Promise.all(writers.map((writer, w) => put(writer, w, round)))
      await watchers.settle(latencies.length)
    }
  }
  const seconds = (performance.now() - started) / 1000
  latencies.sort((a, b) => a - b)
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0
  const { received: deliveries, lost } = watchers
  send({ type: 'done', done: { writes: latencies.length, deliveries, lost, seconds, p50Ms: at(0.5), p99Ms: at(0.99) } })
  watchers.close()
  for (const writer of writers) writer.close()
  process.disconnect()
}

function send(message: FromLoad): void {
  process.send?.(message)
}

process.once('disconnect', () => process.exit())
process.once('message', (load: Load) => void work(load))
