import { type ChildProcess, fork } from 'node:child_process'
import { get } from 'node:http'
import { fileURLToPath } from 'node:url'
import type { Report } from '../benchmark.ts'
import { fullLoad, pacedLoad, type Questions } from './load.ts'
import type { FromServer, ToServer } from './serve.ts'
import { clientOf, type FleetSize, pathOf } from './world.ts'

const FLEET: FleetSize = { sites: 2000, appliancesPerSite: 4, files: 100_000 }
const CONNECTIONS = 32
const ROUNDS = 7
const ROUND_MS = 1500
const PACED_ROUNDS = 7
const PACED_MS = 1500

/**
 * Questions to steering beside the same questions to a handler of node:http that gives an answer of the same length, in turn on one machine, from the same client:
 * one server process each, which has one core to itself as the client has the other.
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

async function compare(report: Report, method: 'GET' | 'POST', steering: Server, bare: Server): Promise<string[]> {
  const requests = requestsOf(method)
  const servers = [steering, bare]
  const rates: [number[], number[]] = [[], []]
  const costs: [number[], number[]] = [[], []]
  for (const server of servers) await fullLoad(server.port, requests, CONNECTIONS, ROUND_MS)
  for (let round = 0; round < ROUNDS; round++) {
    // The first in a round is not always the same: the machine may be slowing down, or speeding up.
    for (const i of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const server = servers[i]!
      const before = await server.cpuMs()
      const rate = await fullLoad(server.port, requests, CONNECTIONS, ROUND_MS)
      rates[i].push(rate)
      costs[i].push((((await server.cpuMs()) - before) * 1000) / (rate * (ROUND_MS / 1000)))
    }
  }
  const rate = median(rates[0].map((each, round) => each / rates[1][round]!))
  const cost = median(costs[0].map((each, round) => each / costs[1][round]!))
  report.figure({
    ...{
      name: `${method}: answers per second, of those of a bare handler`,
      value: rate,
      unit: '×',
      target: { atLeast: 0.9 },
    },
  })
  await latency(report, method, requests, steering, bare, median(rates[1]) / 2)
  const number = (value: number, digits = 0) => value.toFixed(digits)
  return [
    method,
    ...[number(median(rates[0])), number(median(rates[1])), number(rate, 2)],
    ...[number(median(costs[0]), 1), number(median(costs[1]), 1), number(cost, 2)],
  ]
}

async function latency(
  report: Report,
  method: string,
  requests: Questions,
  steering: Server,
  bare: Server,
  perSecond: number,
): Promise<void> {
  const p99s: [number[], number[]] = [[], []]
  for (let round = 0; round < PACED_ROUNDS; round++) {
    for (const [i, server] of [steering, bare].entries()) {
      const latencies = await pacedLoad(server.port, requests, perSecond, PACED_MS)
      p99s[i === 0 ? 0 : 1].push(latencies[Math.floor(latencies.length * 0.99)]!)
    }
  }
  const [ours, theirs] = [median(p99s[0]), median(p99s[1])]
  const ratio = median(p99s[0].map((each, round) => each / p99s[1][round]!))
  report.note(`${method} at ${Math.round(perSecond)}/s: p99 ${ours.toFixed(2)} ms, bare ${theirs.toFixed(2)} ms`)
  report.figure({
    name: `${method}: p99 at half load, of that of a bare handler`,
    value: ratio,
    unit: '×',
    target: { atMost: 2 },
  })
}

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

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
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
