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
/** Of which the first warms up whoever is compiled as it runs. */
const ROUNDS = 4
/** Far more than any step has taken, so that a run that hangs ends and says where. */
const STEP_TIMEOUT_MS = 120_000

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
  /** Makes it ready, and at rest. `origin` is what it will write. */
  prepare(origin: string): Promise<void>
  /** Begins; need not wait for the end. */
  begin(origin: string): Promise<void>
  readonly cpuSeconds: () => number
  /** Changes that were asked for, and by whom; `finish` also stops it. */
  finish(): Promise<{ readonly requests?: number }>
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
    for (const start of [startWeir, ...(assets ? [() => startKube(assets)] : [])]) {
      const server = await start()
      try {
        await measure(server, peer, report)
      } finally {
        await server.stop()
      }
    }
  } finally {
    peer?.remove()
  }
  if (!assets) report.note('kube-apiserver is not measured: KUBEBUILDER_ASSETS is not set')
}

async function measure(server: ServerUnderTest, peer: Peer | undefined, report: Report): Promise<void> {
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
    await Promise.all([own.prepare(''), within(2 * STEP_TIMEOUT_MS, 'the first Assignments', assigned)])
    await own.finish()

    const writers = [own, bare(raw, fleet, server), ...(peer ? [controllerRuntime(peer, fleet, server)] : [])]
    const runs = new Map<string, Run[]>(writers.map(({ name }) => [name, []]))
    for (let round = 0; round < ROUNDS; round++) {
      // To and fro, so that what grows or warms up with time favours nobody.
      for (const writer of round % 2 === 0 ? writers : [...writers].reverse()) {
        const origin = `http://${writer.name.replaceAll(/\W/g, '-')}-${round}.example/`
        const done = await run(writer, origin, observer, server)
        if (round > 0) runs.get(writer.name)!.push(done)
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
  await writer.prepare(origin)
  const before = { writer: writer.cpuSeconds(), server: cpuSeconds(server) }
  const seen = observer.sees(origin, APPLIANCES)
  const started = performance.now()
  await Promise.all([within(STEP_TIMEOUT_MS, `${writer.name}: every Assignment written`, seen), writer.begin(origin)])
  const seconds = (performance.now() - started) / 1000
  const serverCpuSeconds = cpuSeconds(server) - before.server
  await untilQuiet(STEP_TIMEOUT_MS, writer.name, writer.cpuSeconds)
  const writerCpuSeconds = writer.cpuSeconds() - before.writer
  const { mostWrites } = observer
  return { seconds, serverCpuSeconds, writerCpuSeconds, mostWrites, ...(await writer.finish()) }
}

function weir(child: Child, fleet: Fleet, options: StartOptions): Writer {
  return {
    name: 'Weir’s controllers',
    async prepare() {
      await child.ask('start', options, STEP_TIMEOUT_MS)
      await until(2 * STEP_TIMEOUT_MS, 'the controllers’ queues empty', () => child.ask('idle', {}, STEP_TIMEOUT_MS))
      await untilQuiet(STEP_TIMEOUT_MS, 'the controllers', () => child.cpuSeconds)
      await child.ask('answers', {}, STEP_TIMEOUT_MS)
    },
    begin: (origin) => fleet.setOrigin(origin),
    cpuSeconds: () => child.cpuSeconds,
    async finish() {
      const answers = await child.ask<Record<string, number>>('answers', {}, STEP_TIMEOUT_MS)
      const failed = Object.keys(answers).filter((name) => !/ 20[01]$/.test(name))
      if (failed.length > 0) throw new Error(`requests of the controllers failed: ${JSON.stringify(answers)}`)
      await child.ask('stop', {}, STEP_TIMEOUT_MS)
      const writes = Object.entries(answers).filter(([name]) => !name.startsWith('GET '))
      return { requests: writes.reduce((sum, [, count]) => sum + count, 0) }
    },
  }
}

function bare(child: Child, fleet: Fleet, { access }: ServerUnderTest): Writer {
  let last = ''
  return {
    name: 'bare writes',
    async prepare(origin) {
      last = origin
      await child.ask('prepare', { access, origin }, STEP_TIMEOUT_MS)
      await untilQuiet(STEP_TIMEOUT_MS, 'the bare writer', () => child.cpuSeconds)
    },
    begin: () => child.ask('write', {}, STEP_TIMEOUT_MS),
    cpuSeconds: () => child.cpuSeconds,
    async finish() {
      // So that the controllers find everything as it should be when they come back.
      await fleet.setOrigin(last)
      return {}
    },
  }
}

function controllerRuntime(peer: Peer, fleet: Fleet, { access }: ServerUnderTest): Writer {
  let running: Awaited<ReturnType<Peer['start']>> | undefined
  const cpu = () => running?.cpuSeconds ?? 0
  return {
    name: 'controller-runtime',
    async prepare() {
      running = await peer.start(access)
      await untilQuiet(STEP_TIMEOUT_MS, 'controller-runtime', cpu)
    },
    begin: (origin) => fleet.setOrigin(origin),
    cpuSeconds: cpu,
    async finish() {
      await running?.stop()
      running = undefined
      return {}
    },
  }
}

function tell(server: string, runs: ReadonlyMap<string, readonly Run[]>, report: Report): void {
  const of = (name: string, value: (run: Run) => number) => median(runs.get(name)!.map(value))
  const seconds = (name: string) => of(name, (r) => r.seconds)
  const perWrite = (name: string) => (of(name, (r) => r.writerCpuSeconds) / APPLIANCES) * 1000
  const headings = ['s', 'each', '× bare', 'CPU ms/write', '× bare', 'server CPU ms/write']
  report.table([
    [`${APPLIANCES} writes on ${server}`, ...headings],
    ...[...runs.keys()].map((name) => [
      name,
      seconds(name).toFixed(2),
      runs
        .get(name)!
        .map((r) => r.seconds.toFixed(2))
        .join(' '),
      (seconds(name) / seconds('bare writes')).toFixed(2),
      perWrite(name).toFixed(3),
      (perWrite(name) / perWrite('bare writes')).toFixed(2),
      ((of(name, (r) => r.serverCpuSeconds) / APPLIANCES) * 1000).toFixed(3),
    ]),
  ])
  const own = 'Weir’s controllers'
  report.figure({
    name: `converge: time beside the bare writes, on ${server}`,
    value: seconds(own) / seconds('bare writes'),
    unit: '×',
    target: { atMost: 1.2 },
  })
  if (runs.has('controller-runtime')) {
    report.figure({
      name: `converge: time beside an operator on controller-runtime, on ${server}`,
      value: seconds(own) / seconds('controller-runtime'),
      unit: '×',
      target: { atMost: 1 },
    })
    report.figure({
      name: `converge: CPU per write beside an operator on controller-runtime, on ${server}`,
      value: perWrite(own) / perWrite('controller-runtime'),
      unit: '×',
    })
  }
  report.figure({
    name: `converge: the most often that one object was written, on ${server}`,
    value: Math.max(...runs.get(own)!.map((r) => r.mostWrites)),
    unit: 'writes',
    target: { atMost: 1 },
  })
  report.figure({
    name: `converge: requests for changes, of which ${APPLIANCES} for Assignments, on ${server}`,
    value: of(own, (r) => r.requests ?? 0),
    unit: 'requests',
  })
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}
