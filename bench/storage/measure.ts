import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { JournaledStore } from '../../apiserver/storage/journaled-store.ts'
import type { Store } from '../../apiserver/storage/store.ts'
import { journals } from './journals.ts'

// One measurement in a process of its own, so that its CPU time is its own:
//   node bench/storage/measure.ts JOURNAL CONCURRENCY SECONDS
// Prints a Measurement as JSON. WEIR_BENCH_DIR chooses the disk (default: the system's temporary folder).

export interface Measurement {
  readonly writesPerSecond: number
  readonly writesPerCpuSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** How long the event loop was kept from running. */
  readonly loopP99Ms: number
  readonly diskBytes: number
  readonly loadMs: number
}

const objects = 10_000
const text = 'x'.repeat(800)

async function measure(journal: string, concurrency: number, seconds: number): Promise<Measurement> {
  const folder = mkdtempSync(join(process.env.WEIR_BENCH_DIR ?? tmpdir(), 'weir-bench-'))
  try {
    const open = async () => JournaledStore.open(await journals[journal]!.open(folder))
    let store = await open()
    // Every object exists, as in the steady state; this also warms up.
    for (let i = 0; i < objects; i += 1000)
      await Promise.all(Array.from({ length: 1000 }, (_, n) => write(store, i + n)))
    const written = await writeFor(store, concurrency, seconds)
    await store.close()
    const diskBytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
    const started = performance.now()
    store = await open()
    const loadMs = performance.now() - started
    await store.close()
    return { ...written, diskBytes, loadMs }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function writeFor(store: Store, concurrency: number, seconds: number) {
  const latencies: number[] = []
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  const cpuBefore = process.cpuUsage()
  const started = performance.now()
  const end = started + seconds * 1000
  const writer = async () => {
    for (let now = performance.now(); now < end; ) {
      await write(store, Math.floor(Math.random() * objects))
      const after = performance.now()
      latencies.push(after - now)
      now = after
    }
  }
  await Promise.all(Array.from({ length: concurrency }, writer))
  const elapsed = (performance.now() - started) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  loop.disable()
  latencies.sort((a, b) => a - b)
  return {
    writesPerSecond: latencies.length / elapsed,
    writesPerCpuSecond: latencies.length / ((cpu.user + cpu.system) / 1e6),
    p50Ms: latencies[Math.floor(latencies.length / 2)]!,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)]!,
    // The histogram counts its own resolution in.
    loopP99Ms: Math.max(0, loop.percentile(99) / 1e6 - 1),
  }
}

function write(store: Store, n: number): Promise<unknown> {
  const name = `object-${n}`
  return store.transact((tx) =>
    tx.put(`/core/configmaps/default/${name}`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'default', uid: '00000000-0000-4000-8000-000000000000' },
      ...{ data: { text } },
    }),
  )
}

const [, , journal = 'sqlite', concurrency = '64', seconds = '3'] = process.argv
console.log(JSON.stringify(await measure(journal, Number(concurrency), Number(seconds))))
