import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startKube } from '../apiserver/kube-server.ts'
import { cpuSeconds, type ServerUnderTest } from '../apiserver/server-under-test.ts'
import { startWeir } from '../apiserver/weir-server.ts'
import type { Report } from '../benchmark.ts'
import { clientOf } from './access.ts'
import { Child } from './child.ts'
import type { StartOptions } from './controllers-process.ts'
import { Fleet } from './fleet.ts'
import { Observer } from './observer.ts'
import { buildPeer, type Peer } from './peer.ts'
import { until, untilQuiet, within } from './within.ts'

const APPLIANCES = Number(process.env.WEIR_BENCH_APPLIANCES ?? 5_000)
/** In each of them everybody has a turn. */
const ROUNDS = { embedded: 5, kube: 3 }
/** Far more than any step has taken, so that a run that hangs ends and says where. */
const STEP_TIMEOUT_MS = 120_000

const OWN = 'Weir’s controllers'
const BARE = 'bare writes'
const PEER = 'controller-runtime'

/** One change, from when it is made until the API has told of every write of it. */
interface Run {
  readonly seconds: number
  /** Of whoever wrote, until it was at rest again. */
  readonly writerCpuSeconds: number
  readonly serverCpuSeconds: number
  /** The most often that one object was written. */
  readonly mostWrites: number
  /** Requests that changed something, where they were counted. */
  readonly requests?: number
}

/** Somebody who makes the change happen. */
interface Writer {
  readonly name: string
  /** Brings it up, until it is at rest. */
  start(): Promise<void>
  /** Tells it beforehand what it will write, if it can know. */
  prepare?(origin: string): Promise<void>
  /** Begins; need not wait for the end. */
  begin(origin: string): Promise<void>
  readonly cpuSeconds: () => number
  /** Requests for changes since it was asked last, where they are counted. */
  requests?(): Promise<number>
  stop(): Promise<void>
}

/**
 * A change that touches every one of 5,000 appliances (the origin of the catalog that they all hold), against the same writes made by a client that
 * knows them beforehand and does nothing else, and against an operator on controller-runtime. They take turns, several times, each in a process of its
 * own; the median counts.
 */
export async function compareConvergence(report: Report): Promise<void> {
  const assets = process.env.KUBEBUILDER_ASSETS
  const peer = buildPeer(report)
  try {
    const kube = assets ? [{ start: () => startKube(assets), rounds: ROUNDS.kube }] : []
    for (const { start, rounds } of [{ start: startWeir, rounds: ROUNDS.embedded }, ...kube]) {
      const server = await start()
      try {
        await measure(server, rounds, peer, report)
      } finally {
        await server.stop()
      }
    }
  } finally {
    peer?.remove()
  }
  if (!assets) report.note('kube-apiserver is not measured: KUBEBUILDER_ASSETS is not set')
}

async function measure(server: ServerUnderTest, rounds: number, peer: Peer | undefined, report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-converge-'))
  const client = clientOf(server.access)
  const controllers = new Child('controllers-process.ts')
  const raw = new Child('raw-writes-process.ts')
  let observer: Observer | undefined
  try {
    const fleet = new Fleet(client, APPLIANCES, folder)
    await within(2 * STEP_TIMEOUT_MS, 'the fleet set up', fleet.setUp('http://before.example/'))
    observer = await Observer.start(server.access)
    const assigned = observer.sees('http://before.example/', APPLIANCES)
    const own = weir(controllers, fleet, { access: server.access, blobs: join(folder, 'blobs'), root: folder })
    // This makes everything that comes with a new fleet: plans, tokens, statuses.
    await Promise.all([own.start(), within(2 * STEP_TIMEOUT_MS, 'the first Assignments', assigned)])
    await own.stop()

    const writers = [own, bare(raw, fleet, server), ...(peer ? [controllerRuntime(peer, fleet, server)] : [])]
    const runs = new Map<string, Run[]>(writers.map(({ name }) => [name, []]))
    for (let round = 0; round < rounds; round++) {
      // To and fro, so that what grows with time favours nobody.
      for (const writer of round % 2 === 0 ? writers : [...writers].reverse()) {
        const origin = `http://${writer.name.replaceAll(/\W/g, '-')}-${round}.example/`
        await writer.start()
        // The first change opens connections and is compiled as it runs; controllers run for days.
        await run(writer, `${origin}first/`, observer, server)
        runs.get(writer.name)!.push(await run(writer, `${origin}second/`, observer, server))
        await writer.stop()
      }
    }
    tell(server.name, runs, report)
  } finally {
    await Promise.all([controllers.stop(), raw.stop(), observer?.close()])
    client.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function run(writer: Writer, origin: string, observer: Observer, server: ServerUnderTest): Promise<Run> {
  await writer.prepare?.(origin)
  await writer.requests?.()
  const before = { writer: writer.cpuSeconds(), server: cpuSeconds(server) }
  const seen = observer.sees(origin, APPLIANCES)
  const started = performance.now()
  await Promise.all([within(STEP_TIMEOUT_MS, `${writer.name}: every Assignment written`, seen), writer.begin(origin)])
  const seconds = (performance.now() - started) / 1000
  const serverCpuSeconds = cpuSeconds(server) - before.server
  await untilQuiet(STEP_TIMEOUT_MS, writer.name, writer.cpuSeconds)
  const writerCpuSeconds = writer.cpuSeconds() - before.writer
  const requests = await writer.requests?.()
  const { mostWrites } = observer
  return { seconds, serverCpuSeconds, writerCpuSeconds, mostWrites, ...(requests === undefined ? {} : { requests }) }
}

function weir(child: Child, fleet: Fleet, options: StartOptions): Writer {
  return {
    name: OWN,
    async start() {
      await child.ask('start', options, STEP_TIMEOUT_MS)
      await until(2 * STEP_TIMEOUT_MS, 'the controllers’ queues empty', () => child.ask('idle', {}, STEP_TIMEOUT_MS))
      await untilQuiet(STEP_TIMEOUT_MS, 'the controllers', () => child.cpuSeconds)
    },
    begin: (origin) => fleet.setOrigin(origin),
    cpuSeconds: () => child.cpuSeconds,
    async requests() {
      const answers = Object.entries(await child.ask<Record<string, number>>('answers', {}, STEP_TIMEOUT_MS))
      return answers.reduce((sum, [name, count]) => (name.startsWith('GET ') ? sum : sum + count), 0)
    },
    stop: () => child.ask('stop', {}, STEP_TIMEOUT_MS),
  }
}

function bare(child: Child, fleet: Fleet, { access }: ServerUnderTest): Writer {
  let last = ''
  return {
    name: BARE,
    async start() {},
    async prepare(origin) {
      last = origin
      await child.ask('prepare', { access, origin }, STEP_TIMEOUT_MS)
      await untilQuiet(STEP_TIMEOUT_MS, 'the bare writer', () => child.cpuSeconds)
    },
    begin: () => child.ask('write', {}, STEP_TIMEOUT_MS),
    cpuSeconds: () => child.cpuSeconds,
    async stop() {
      await child.ask('stop', {}, STEP_TIMEOUT_MS)
      // So that the controllers find everything as it should be when they come back.
      await fleet.setOrigin(last)
    },
  }
}

function controllerRuntime(peer: Peer, fleet: Fleet, { access }: ServerUnderTest): Writer {
  let running: Awaited<ReturnType<Peer['start']>> | undefined
  const cpu = () => running?.cpuSeconds ?? 0
  return {
    name: PEER,
    async start() {
      running = await peer.start(access)
      await untilQuiet(STEP_TIMEOUT_MS, 'controller-runtime', cpu)
    },
    begin: (origin) => fleet.setOrigin(origin),
    cpuSeconds: cpu,
    async stop() {
      await running?.stop()
      running = undefined
    },
  }
}

function tell(server: string, runs: ReadonlyMap<string, readonly Run[]>, report: Report): void {
  const of = (name: string, value: (run: Run) => number) => median(runs.get(name)!.map(value))
  // Within a round: what else the machine does weighs on its runs alike.
  const beside = (name: string, other: string, value: (run: Run) => number) =>
    median(runs.get(name)!.map((run, i) => value(run) / value(runs.get(other)![i]!)))
  const seconds = (run: Run) => run.seconds
  const cpuMs = (run: Run) => (run.writerCpuSeconds / APPLIANCES) * 1000
  const serverCpuMs = (run: Run) => (run.serverCpuSeconds / APPLIANCES) * 1000
  const allCpuMs = (run: Run) => cpuMs(run) + serverCpuMs(run)
  report.table([
    [`${APPLIANCES} writes on ${server}`, 's', 'each', '× bare', 'CPU ms/write', '× bare', 'with server’s', '× bare'],
    ...[...runs].map(([name, each]) => [
      name,
      of(name, seconds).toFixed(2),
      each.map((run) => run.seconds.toFixed(2)).join(' '),
      beside(name, BARE, seconds).toFixed(2),
      of(name, cpuMs).toFixed(3),
      beside(name, BARE, cpuMs).toFixed(2),
      of(name, allCpuMs).toFixed(3),
      beside(name, BARE, allCpuMs).toFixed(2),
    ]),
  ])
  const figure = (what: string, value: number, unit: string, atMost?: number) =>
    report.figure({
      name: `converge: ${what}, on ${server}`,
      value,
      unit,
      ...(atMost === undefined ? {} : { target: { atMost } }),
    })
  figure('time beside the bare writes', beside(OWN, BARE, seconds), '×', 1.2)
  if (runs.has(PEER)) {
    figure('time beside an operator on controller-runtime', beside(OWN, PEER, seconds), '×', 1)
    figure('CPU per write beside an operator on controller-runtime', beside(OWN, PEER, cpuMs), '×')
  }
  figure(
    'the most often that one object was written',
    Math.max(...runs.get(OWN)!.map((r) => r.mostWrites)),
    'writes',
    1,
  )
  const requests = of(OWN, (r) => r.requests ?? 0)
  figure(`requests for changes, of which ${APPLIANCES} for Assignments`, requests, 'requests')
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}
