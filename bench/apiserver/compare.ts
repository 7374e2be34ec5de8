import type { Report } from '../benchmark.ts'
import { startKube } from './kube-server.ts'
import { type LoadResult, runLoad } from './run-load.ts'
import type { ServerUnderTest } from './server-under-test.ts'
import { startWeir } from './weir-server.ts'

/** Compilers and caches have settled by then. */
const warmUp = { writers: 64, watchers: 0, seconds: 10 }
const putLoad = { writers: 64, watchers: 0, seconds: 8 }
const watchers = 500
/** Writes that come together. */
const bursts = [1, 16, 64, 256]
const burstSeconds = 6

interface Results {
  readonly name: string
  readonly put: LoadResult
  /** One for each of `bursts`. */
  readonly fanOut: readonly LoadResult[]
}

/** Durable PUTs and watch fan-out; with KUBEBUILDER_ASSETS the same load on kube-apiserver and etcd. */
export async function compareApiServers(report: Report): Promise<void> {
  const assets = process.env.KUBEBUILDER_ASSETS
  const starts = [startWeir, ...(assets ? [() => startKube(assets)] : [])]
  const results: Results[] = []
  for (const start of starts) results.push(await measure(await start()))
  report.note(`PUT of a 1 KB ConfigMap, synced before the answer, over ${putLoad.writers} TLS connections:`)
  report.table([
    ['server', 'PUT/cpu-s', 'PUT/s', 'p50 ms', 'p99 ms'],
    ...results.map(({ name, put }) => {
      return [name, count(perCpuSecond(put, 'writes')), count(put.writes / put.seconds), ...latency(put)]
    }),
  ])
  report.note(`Such PUTs in bursts to ${watchers} watchers, each over its own TLS connection:`)
  report.table([
    ['server', 'burst', 'deliveries/cpu-s', 'deliveries/s', 'lost by dropped watchers'],
    ...results.flatMap(({ name, fanOut }) =>
      fanOut.map((load, i) => [
        name,
        String(bursts[i]),
        count(perCpuSecond(load, 'deliveries')),
        count(load.deliveries / load.seconds),
        count(load.lost),
      ]),
    ),
  ])
  const [weir, kube] = results
  if (!weir) return
  if (!kube) {
    report.note('Set KUBEBUILDER_ASSETS to a folder with kube-apiserver and etcd to have them run beside it.')
    return
  }
  const unit = '× kube-apiserver + etcd'
  const put = perCpuSecond(weir.put, 'writes') / perCpuSecond(kube.put, 'writes')
  report.figure({ name: 'durable PUT per CPU-second', value: put, unit, target: { atLeast: 5 } })
  // Kubernetes drops watchers in bursts that it cannot follow: each server is taken where it does best.
  const best = ({ fanOut }: Results) => Math.max(...fanOut.map((load) => perCpuSecond(load, 'deliveries')))
  const name = 'watch deliveries per CPU-second, each at the burst that suits it best'
  report.figure({ name, value: best(weir) / best(kube), unit, target: { atLeast: 10 } })
}

async function measure(server: ServerUnderTest): Promise<Results> {
  try {
    await runLoad(server, warmUp)
    const put = await runLoad(server, putLoad)
    const fanOut: LoadResult[] = []
    for (const burst of bursts) fanOut.push(await runLoad(server, { writers: burst, watchers, seconds: burstSeconds }))
    return { name: server.name, put, fanOut }
  } finally {
    await server.stop()
  }
}

function perCpuSecond(result: LoadResult, what: 'writes' | 'deliveries'): number {
  return result[what] / result.serverCpuSeconds
}

function latency({ p50Ms, p99Ms }: LoadResult): string[] {
  return [p50Ms.toFixed(1), p99Ms.toFixed(1)]
}

function count(n: number): string {
  return Math.round(n).toLocaleString('en')
}
