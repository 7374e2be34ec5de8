import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { get } from 'node:http'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Report } from '../benchmark.ts'
import { Load, type Questions } from './load.ts'
import type { FromServer, ToServer } from './serve.ts'
import { clientOf, type FleetSize, pathOf } from './world.ts'

const FLEET: FleetSize = { sites: 2000, appliancesPerSite: 4, files: 100_000 }
/** Connections that ask without a pause; at half of that load, more may wait for their answer. */
const CONNECTIONS = 32
const PACED_CONNECTIONS = 128
const WARM_UP_MS = 2000
/** Many and short, the one right after the other: what else the machine does meets both alike. */
const ROUNDS = 25
const ROUND_MS = 400
const PACED_ROUNDS = 15
const PACED_MS = 800

/**
 * Questions to steering beside the same questions to a handler of node:http that gives an answer of the same length, in turn on one machine, from the same client:
 * one server process each, both on the same core, which is idle while the other is asked; the client has another.
 */
export async function compareSteeringHttp(report: Report): Promise<void> {
  const steering = await Server.start({ type: 'steering', fleet: FLEET })
  try {
    const body = await sampleFrom(steering.port)
    const { urls } = JSON.parse(body) as { urls: unknown[] }
    const bare = await Server.start({ type: 'bare', body })
    report.note(
      `${FLEET.sites} sites, ${FLEET.sites * FLEET.appliancesPerSite} appliances, ${FLEET.files} files; an answer has ${urls.length} URLs, ${body.length} bytes`,
    )
    if (!(steering.hasOneCore && bare.hasOneCore)) report.note('without taskset: the servers are not kept to one core')
    try {
      const rows = [['', 'answers/s', 'bare', 'ratio', 'µs of CPU', 'bare', 'ratio']]
      for (const method of ['GET', 'POST'] as const) rows.push(await compare(report, method, steering, bare))
      report.table(rows)
    } finally {
      bare.close()
    }
  } finally {
    steering.close()
  }
}

/** What was measured of steering, and of the bare handler, in each round. */
type Pair = readonly [ours: number[], theirs: number[]]

async function compare(report: Report, method: 'GET' | 'POST', steering: Server, bare: Server): Promise<string[]> {
  const questions = requestsOf(method)
  const servers = [steering, bare] as const
  const loads: Load[] = []
  for (const { port } of servers) {
    const load = await Load.open(port, questions, PACED_CONNECTIONS)
    await load.full(PACED_CONNECTIONS, WARM_UP_MS)
    loads.push(load)
  }
  const rates: Pair = [[], []]
  const costs: Pair = [[], []]
  await inTurn(ROUNDS, async (i) => {
    const before = await servers[i].cpuMs()
    const { answers, seconds } = await loads[i]!.full(CONNECTIONS, ROUND_MS)
    rates[i].push(answers / seconds)
    costs[i].push((((await servers[i].cpuMs()) - before) * 1000) / answers)
  })
  const perSecond = median(rates[1]) / 2
  const p99s: Pair = [[], []]
  await inTurn(PACED_ROUNDS, async (i) => {
    const latencies = await loads[i]!.paced(perSecond, PACED_MS)
    p99s[i].push(latencies[Math.floor(latencies.length * 0.99)]!)
  })
  for (const load of loads) load.close()
  report.figure({
    ...{ name: `${method}: answers per second, of those of a bare handler`, value: ratio(rates), unit: '×' },
    target: { atLeast: 0.9 },
  })
  report.figure({
    ...{ name: `${method}: CPU time per answer, of that of a bare handler`, value: ratio(costs), unit: '×' },
  })
  const [ours, theirs] = p99s.map((each) => median(each).toFixed(2))
  report.note(`${method} at ${Math.round(perSecond)}/s: p99 ${ours} ms, bare ${theirs} ms`)
  report.figure({
    ...{ name: `${method}: p99 at half load, of that of a bare handler`, value: ratio(p99s), unit: '×' },
    target: { atMost: 2 },
  })
  const told = (pair: Pair, digits: number) => [
    ...[median(pair[0]).toFixed(digits), median(pair[1]).toFixed(digits), ratio(pair).toFixed(2)],
  ]
  return [method, ...told(rates, 0), ...told(costs, 1)]
}

/** Measures one and the other, round by round. The first in a round is not always the same: the machine may be slowing down, or speeding up. */
async function inTurn(rounds: number, measure: (which: 0 | 1) => Promise<void>): Promise<void> {
  for (let round = 0; round < rounds; round++)
    for (const which of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) await measure(which)
}

/** The median of what each round says. */
const ratio = ([ours, theirs]: Pair) => median(ours.map((each, round) => each / theirs[round]!))

/** Of many clients for many files. */
function requestsOf(method: 'GET' | 'POST'): Questions {
  const requests = Array.from({ length: 512 }, (_, i) => {
    const file = `bench/films/${pathOf((i * 7919) % FLEET.files)}`
    const head = 'Host: steering\r\n'
    if (method === 'GET') return Buffer.from(`GET /v1/steer?file=${file}&purpose=vod HTTP/1.1\r\n${head}\r\n`)
    const body = JSON.stringify({ files: [file], purpose: 'vod' })
    return Buffer.from(
      `POST /v1/steer HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
  })
  return { requests, from: Array.from({ length: 128 }, (_, i) => clientOf((i * 31) % FLEET.sites)) }
}

/** An answer as the clients of the load get it. */
function sampleFrom(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const path = `/v1/steer?file=bench/films/${pathOf(1)}`
    get({ host: '127.0.0.1', port, path, localAddress: clientOf(1) }, (res) => {
      let body = ''
      res.setEncoding('utf8')
      res.on('data', (chunk: string) => {
        body += chunk
      })
      res.on('end', () => resolve(body))
    }).on('error', reject)
  })
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}

class Server {
  readonly #child: ChildProcess
  readonly port: number
  readonly hasOneCore: boolean

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
    const core = String(availableParallelism() - 1)
    this.hasOneCore = spawnSync('taskset', ['-acp', core, String(child.pid)]).status === 0
  }

  static async start(message: ToServer): Promise<Server> {
    const child = fork(fileURLToPath(new URL('serve.ts', import.meta.url)))
    const listening = answerOf(child, 'listening')
    child.send(message)
    return new Server(child, (await listening).port)
  }

  async cpuMs(): Promise<number> {
    const told = answerOf(this.#child, 'cpu')
    this.#child.send({ type: 'cpu' } satisfies ToServer)
    return (await told).ms
  }

  close(): void {
    this.#child.kill()
  }
}

function answerOf<T extends FromServer['type']>(
  child: ChildProcess,
  type: T,
): Promise<Extract<FromServer, { type: T }>> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: FromServer) => {
      if (message.type !== type) return
      child.off('message', onMessage)
      child.off('exit', onExit)
      resolve(message as Extract<FromServer, { type: T }>)
    }
    const onExit = (code: number | null) => reject(new Error(`the server ended with ${code}`))
    child.on('message', onMessage)
    child.once('exit', onExit)
  })
}
