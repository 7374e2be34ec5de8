import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { get } from 'node:http'
import { availableParallelism, cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Report } from '../benchmark.ts'
import { Load, type Questions } from './load.ts'
import type { FromServer, ToServer } from './serve.ts'
import { clientOf, type FleetSize, pathOf } from './world.ts'

const FLEET: FleetSize = { sites: 2000, appliancesPerSite: 4, files: 100_000 }
/** Counted before any is taken from this process. */
const CORES = availableParallelism()
/** Connections that ask without a pause; at half of that load, more may wait for their answer. */
const CONNECTIONS = 32
const PACED_CONNECTIONS = 128
const WARM_UP_MS = 2000
/** Many and short, the one right after the other: what else the machine does meets both alike. */
const ROUNDS = 25
const ROUND_MS = 400
/** Long enough for each server's garbage collector to come by in every one: it does so after some eight thousand answers at the latest. */
const PACED_ROUNDS = 40
const PACED_MS = 500
/**
 * Which of the rounds, by their 99th percentile, speaks for a server. What a server does itself, it does in every round; what else the machine does, or what
 * its host takes from it, meets some. On a machine that others used, a bare handler beside another had 0.6 times its 99th percentile in the middle round, 5 times
 * over all, and 0.86 times in the round that this takes.
 */
const QUIET_ROUNDS = 0.25

/**
 * Questions to steering beside the same questions to a handler of node:http that gives an answer of the same length, in turn on one machine, from the same client:
 * one server process each, both on the same core, which is idle while the other is asked; the client has the others.
 */
export async function compareSteeringHttp(report: Report): Promise<void> {
  const steering = await Server.start({ type: 'steering', fleet: FLEET })
  // The client's own collector of garbage is not to get in the way of who answers.
  if (CORES > 1) keepTo(process.pid, `0-${CORES - 2}`)
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
    keepTo(process.pid, `0-${CORES - 1}`)
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
  const paced: readonly [Float64Array[], Float64Array[]] = [[], []]
  const others = await busyOthers(servers)
  await inTurn(PACED_ROUNDS, async (i) => {
    paced[i].push(await loads[i]!.paced(perSecond, PACED_MS))
  })
  const othersShare = await others()
  for (const load of loads) load.close()
  report.figure({
    ...{ name: `${method}: answers per second, of those of a bare handler`, value: ratio(rates), unit: '×' },
    target: { atLeast: 0.9 },
  })
  report.figure({
    ...{ name: `${method}: CPU time per answer, of that of a bare handler`, value: ratio(costs), unit: '×' },
  })
  const [ours, theirs] = paced.map((rounds) => rounds.map((latencies) => quantile(latencies, 0.99)))
  const both = (of: (rounds: readonly number[], each: readonly Float64Array[]) => number) =>
    `${of(ours!, paced[0]).toFixed(2)} beside ${of(theirs!, paced[1]).toFixed(2)}`
  report.note(
    `${method} at ${Math.round(perSecond)}/s, ${PACED_ROUNDS} rounds of ${paced[0][0]!.length} questions to each: p99 in ms beside that of a bare handler: ` +
      `${both((p99s) => quantile(p99s, QUIET_ROUNDS))} in quiet rounds, ${both(median)} in the middle one, ${both((_, each) => pooled(each, 0.99))} over all`,
  )
  report.note(
    `meanwhile other programs had ${Math.round(othersShare * 100)} % of a core (where that is much, it is their p99)`,
  )
  report.figure({
    name: `${method}: p99 at half load in quiet rounds, of that of a bare handler`,
    value: quantile(ours!, QUIET_ROUNDS) / quantile(theirs!, QUIET_ROUNDS),
    ...{ unit: '×', target: { atMost: 2 } },
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

/** Begins to count what this machine does besides us. Answers how many cores' worth that was until it is asked. */
async function busyOthers(servers: readonly Server[]): Promise<() => Promise<number>> {
  const busyMs = () => cpus().reduce((sum, { times: t }) => sum + t.user + t.nice + t.sys + t.irq, 0)
  const oursMs = async () => {
    const { user, system } = process.cpuUsage()
    const each = await Promise.all(servers.map((server) => server.cpuMs()))
    return each.reduce((sum, ms) => sum + ms, (user + system) / 1000)
  }
  const [startedMs, busy, ours] = [performance.now(), busyMs(), await oursMs()]
  return async () => Math.max(0, (busyMs() - busy - ((await oursMs()) - ours)) / (performance.now() - startedMs))
}

const median = (values: readonly number[]) => quantile(values, 0.5)

function quantile(values: ArrayLike<number>, share: number): number {
  return Float64Array.from(values).sort()[Math.floor(values.length * share)]!
}

/** The quantile over what all rounds measured. */
function pooled(rounds: readonly Float64Array[], share: number): number {
  return quantile(
    rounds.flatMap((each) => [...each]),
    share,
  )
}

/** Has all threads of a process run on these cores only, as `taskset` writes them. False: they run where they will. */
function keepTo(pid: number, cores: string): boolean {
  return spawnSync('taskset', ['-acp', cores, String(pid)]).status === 0
}

class Server {
  readonly #child: ChildProcess
  readonly port: number
  readonly hasOneCore: boolean

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.port = port
    this.hasOneCore = keepTo(child.pid!, String(CORES - 1))
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
