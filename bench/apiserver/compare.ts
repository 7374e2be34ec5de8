import type { Report } from '../benchmark.ts'
import { startKube } from './kube-server.ts'
import { type LoadResult, runLoad } from './run-load.ts'
import type { ServerUnderTest } from './server-under-test.ts'
import { startWeir } from './weir-server.ts'

const putLoad = { writers: 64, watchers: 0, seconds: 8 }
const watchLoad = { writers: 64, watchers: 500, seconds: 5 }
/** Compilers and caches have settled by then. */
const warmUp = { writers: 64, watchers: 0, seconds: 4 }

interface Results {
  readonly name: string
  readonly put: LoadResult
  readonly watch: LoadResult
}

/** Durable PUTs and watch fan-out; with KUBEBUILDER_ASSETS the same load on kube-apiserver and etcd. */
export async function compareApiServers(report: Report): Promise<void> {
  const assets = process.env.KUBEBUILDER_ASSETS
  const starts = [startWeir, ...(assets ? [() => startKube(assets)] : [])]
  const results: Results[] = []
  for (const start of starts) results.push(await measure(await start()))
  report.note(
    `PUT of a 1 KB ConfigMap, synced before the answer, over ${putLoad.writers} TLS connections; then the same with ${watchLoad.watchers} watchers.`,
  )
  report.table([
    ['server', 'PUT/cpu-s', 'PUT/s', 'p50 ms', 'p99 ms', 'deliveries/cpu-s', 'deliveries/s'],
    ...results.map(({ name, put, watch }) => [
      name,
      count(perCpuSecond(put, 'writes')),
      count(put.writes / put.seconds),
      put.p50Ms.toFixed(1),
      put.p99Ms.toFixed(1),
      count(perCpuSecond(watch, 'deliveries')),
      count(watch.deliveries / watch.seconds),
    ]),
  ])
  const [weir, kube] = results
  if (!weir) return
  if (!kube) {
    report.note('Set KUBEBUILDER_ASSETS to a folder with kube-apiserver and etcd to have them run beside it.')
    return
  }
  const ratio = (load: 'put' | 'watch', what: 'writes' | 'deliveries') =>
    perCpuSecond(weir[load], what) / perCpuSecond(kube[load], what)
  const unit = '× kube-apiserver + etcd'
  report.figure({ name: 'durable PUT per CPU-second', value: ratio('put', 'writes'), unit, target: { atLeast: 5 } })
  report.figure({
    name: 'watch deliveries per CPU-second',
    value: ratio('watch', 'deliveries'),
    unit,
    target: { atLeast: 10 },
  })
}

async function measure(server: ServerUnderTest): Promise<Results> {
  try {
    await runLoad(server, warmUp)
    const put = await runLoad(server, putLoad)
    const watch = await runLoad(server, watchLoad)
    return { name: server.name, put, watch }
  } finally {
    await server.stop()
  }
}

function perCpuSecond(result: LoadResult, what: 'writes' | 'deliveries'): number {
  return result[what] / result.serverCpuSeconds
}

function count(n: number): string {
  return Math.round(n).toLocaleString('en')
}
