import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Prober } from '../../steering/failure/prober.ts'
import { openFilesAllowed } from '../../steering/open-files.ts'

// Steering's prober against a fleet of stand-ins: addresses of 127.0.0.0/8 that a few processes answer for, as agents do. How many files it has open, what it
// costs, and how soon it knows of one that hangs or ends is measured, and held against what docs/steering.md says. No appliance that answers may be
// taken for down.
//   node test/drills/steering-probes.ts [APPLIANCES] [THREADS] [SECONDS]        8,000, 1 and 8 unless told
//   (ulimit -n 4096; node test/drills/steering-probes.ts)

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nWeir-Load: requests=3, bytes-per-second=1000000\r\n\r\n'
/** Each has as many connections as a process may have. */
const PROCESSES = 2
const GONE_MS = 2000
const VICTIMS = 40

type Told = { readonly type: 'silent' | 'ended' | 'stalls'; readonly address: string }

/** A stand-in that had to wait for the machine for so long looks dead to anybody. */
const STALL_MS = 200

/** The longest that this process was kept from what it had to do, ms; from then on anew. */
function watchStalls(): () => number {
  let lastMs = performance.now()
  let worstMs = 0
  setInterval(() => {
    const nowMs = performance.now()
    worstMs = Math.max(worstMs, nowMs - lastMs - 20)
    lastMs = nowMs
  }, 20).unref()
  return () => {
    const worst = worstMs
    worstMs = 0
    return worst
  }
}

/** By the same clock in every process. */
function epochMs(): number {
  return performance.timeOrigin + performance.now()
}

/** Answers for every address, but for those that have been told to be silent, or to end. */
function standIn(): void {
  const silent = new Set<string>()
  const ended = new Set<string>()
  const open = new Map<string, Set<Socket>>()
  const stalls = watchStalls()
  const server = createServer({ noDelay: true }, (socket) => {
    const address = socket.localAddress!
    socket.on('error', () => socket.destroy())
    if (ended.has(address)) {
      socket.resetAndDestroy()
      return
    }
    const sockets = open.get(address) ?? new Set()
    open.set(address, sockets.add(socket))
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', () => {
      if (!silent.has(address)) socket.write(ANSWER)
    })
  })
  server.listen({ port: 0, host: '0.0.0.0', backlog: 4096 }, () =>
    process.send!((server.address() as AddressInfo).port),
  )
  process.on('message', ({ type, address }: Told) => {
    if (type === 'stalls') {
      process.send!({ atMs: stalls() })
      return
    }
    if (type === 'silent') silent.add(address)
    else {
      ended.add(address)
      for (const socket of open.get(address) ?? []) socket.destroy()
    }
    process.send!({ address, atMs: epochMs() })
  })
  process.on('disconnect', () => process.exit())
}

async function drill(wanted: number, threads: number, seconds: number): Promise<void> {
  // All but what this process needs for itself; of these some are for connections that are being opened.
  const connections = openFilesAllowed() - 200
  const appliances = wanted || Math.min(8000, Math.floor(connections * 0.9))
  const wrongs: string[] = []
  const standIns = await Promise.all(
    Array.from({ length: PROCESSES }, async () => {
      const child = fork(import.meta.filename, { execArgv: [] })
      const [port] = (await once(child, 'message')) as [number]
      return { child, port }
    }),
  )
  const addressOf = (i: number) => `127.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`
  const stalls = watchStalls()
  const up = new Set<string>()
  const downAtMs = new Map<string, number>()
  let reports = 0
  const log = console as unknown as NonNullable<ConstructorParameters<typeof Prober>[0]['log']>
  const prober = new Prober({
    ...{ threads, connections, log },
    onVerdict(key, isUp) {
      if (isUp) up.add(key)
      else downAtMs.set(key, epochMs())
    },
    onLoad: () => reports++,
  })
  const startedMs = performance.now()
  for (let i = 0; i < appliances; i++) prober.set(String(i), `http://${addressOf(i)}:${standIns[i % PROCESSES]!.port}`)
  while (up.size < appliances && performance.now() - startedMs < 30_000) await sleep(50)
  console.log(`${up.size} of ${appliances} are known to be up after ${Math.round(performance.now() - startedMs)} ms`)
  if (up.size < appliances) wrongs.push(`${appliances - up.size} appliances are not known after 30 s`)

  /** Whether nobody was kept from his work since this was asked last: then who answers must not be taken for down. */
  const isSmooth = async () => {
    const worst = [stalls()]
    for (const { child } of standIns) {
      child.send({ type: 'stalls', address: '' } satisfies Told)
      const [{ atMs }] = (await once(child, 'message')) as [{ readonly atMs: number }]
      worst.push(atMs)
    }
    const ms = Math.round(Math.max(...worst))
    if (ms > STALL_MS) console.log(`this machine stood still for ${ms} ms: mistakes are not judged`)
    return ms <= STALL_MS
  }
  // What it took to start does not count.
  await isSmooth()
  downAtMs.clear()
  const before = { atMs: performance.now(), cpu: process.cpuUsage(), probes: prober.probes, reports }
  await sleep(seconds * 1000)
  const tookS = (performance.now() - before.atMs) / 1000
  const { user, system } = process.cpuUsage(before.cpu)
  const probes = prober.probes - before.probes
  const everyMs = (appliances / probes) * tookS * 1000
  // The stand-ins take as much of the machine as who probes them: where it does not keep up, times say nothing.
  const keepsUp = everyMs < 850 && prober.unkept === 0
  if (!keepsUp) console.log('this machine does not keep up, or has too few open files: times are not judged')
  console.log(
    `${connections} connections are allowed, ${prober.unkept} of ${appliances} appliances have none that is kept`,
  )
  console.log(
    `${Math.round(probes / tookS)} probes a second, each appliance every ${Math.round(everyMs)} ms, with ` +
      `${((user + system) / 1e6 / tookS).toFixed(2)} cores (${((user + system) / probes).toFixed(1)} µs each), ${readdirSync('/proc/self/fd').length} open files and ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`,
  )
  console.log(`${downAtMs.size} that answer were taken for down`)
  if ((await isSmooth()) && downAtMs.size > 0) wrongs.push(`${downAtMs.size} that answer were taken for down`)
  downAtMs.clear()

  for (const type of ['silent', 'ended'] as const) {
    const sinceMs = new Map<string, number>()
    for (let n = 0; n < VICTIMS; n++) {
      const i = Math.floor((appliances / VICTIMS) * (n + (type === 'ended' ? 0.5 : 0)))
      const { child } = standIns[i % PROCESSES]!
      child.send({ type, address: addressOf(i) } satisfies Told)
      const [{ atMs }] = (await once(child, 'message')) as [{ readonly atMs: number }]
      sinceMs.set(String(i), atMs)
      await sleep(37)
    }
    const untilMs = performance.now() + 10_000
    while (performance.now() < untilMs && [...sinceMs.keys()].some((key) => !downAtMs.has(key))) await sleep(20)
    const took = [...sinceMs]
      .map(([key, ms]) => (downAtMs.get(key) ?? Number.POSITIVE_INFINITY) - ms)
      .sort((a, b) => a - b)
    const at = (share: number) => Math.round(took[Math.min(took.length - 1, Math.floor(took.length * share))]!)
    console.log(
      `of ${VICTIMS} that are ${type}: known after ${at(0.5)} ms in the middle, ${at(0.9)} for nine in ten, ${at(1)} at most`,
    )
    if ((await isSmooth()) && keepsUp && at(1) > GONE_MS)
      wrongs.push(`one that is ${type} is known only after ${at(1)} ms`)
    for (const key of sinceMs.keys()) downAtMs.delete(key)
  }
  console.log(`${prober.unable} probes could not be sent`)
  await prober.close()
  for (const { child } of standIns) child.disconnect()
  for (const wrong of wrongs) console.error(`WRONG: ${wrong}`)
  process.exitCode = wrongs.length > 0 ? 1 : 0
}

if (process.send) standIn()
else await drill(Number(process.argv[2] ?? 0), Number(process.argv[3] ?? 1), Number(process.argv[4] ?? 8))
