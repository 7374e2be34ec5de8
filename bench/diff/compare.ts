import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeKubeconfig } from '../../apiserver/certificates/kubeconfig.ts'
import { installCrds } from '../../cli/up/install-crds.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import { startKube } from '../apiserver/kube-server.ts'
import type { ServerUnderTest } from '../apiserver/server-under-test.ts'
import { startWeir } from '../apiserver/weir-server.ts'
import type { Report } from '../benchmark.ts'
import { changed, fleetYaml, objects } from './fleet.ts'
import { startLatencyProxy } from './latency-proxy.ts'

const roundTripMs = 20
/** Runs of `weir diff`, after one that remembers nothing. */
const runs = 5

/** `weir diff` and `kubectl diff --server-side` of the same file, one after the other, 20 ms away from the same server. */
export async function compareDiff(report: Report): Promise<void> {
  const assets = process.env.KUBEBUILDER_ASSETS
  await on(report, await startWeir(), assets, { atMost: 1.5 })
  if (!assets) {
    report.note('Set KUBEBUILDER_ASSETS to a folder with kubectl (and kube-apiserver and etcd) to have it run beside.')
    return
  }
  if (existsSync(join(assets, 'kube-apiserver'))) await on(report, await startKube(assets), assets, undefined)
}

async function on(
  report: Report,
  server: ServerUnderTest,
  assets: string | undefined,
  target: { readonly atMost: number } | undefined,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-diff-'))
  const proxy = await startLatencyProxy(server.access, roundTripMs)
  try {
    const kubeconfig = join(folder, 'kubeconfig')
    const near = join(folder, 'near')
    const { authority, client } = server.access
    await writeKubeconfig(kubeconfig, { server: `https://127.0.0.1:${proxy.port}`, authority, client })
    await writeKubeconfig(near, { server: `https://127.0.0.1:${server.access.port}`, authority, client })
    await prepare(near, folder, assets)
    const file = join(folder, 'edited.yaml')
    writeFileSync(file, fleetYaml(true))
    report.note(
      `${objects} objects in one file, ${changed} of them changed; ${server.name}, ${roundTripMs} ms per round trip:`,
    )

    const run = (of: Command) => timed(of, { file, kubeconfig, folder, assets })
    const first = await run(weir)
    const later: number[] = []
    for (let i = 0; i < runs; i++) later.push(await run(weir))
    const seconds = median(later)
    const suffix = `on ${server.name}`
    report.figure({ name: `weir diff, the very first ${suffix}`, value: first, unit: 's' })
    report.figure({
      name: `weir diff, median of ${runs} ${suffix}`,
      value: seconds,
      unit: 's',
      ...(target && { target }),
    })
    if (!assets) return
    const kubectlSeconds = Math.min(await run(kubectl), await run(kubectl))
    report.figure({ name: `kubectl diff --server-side, the better of 2 ${suffix}`, value: kubectlSeconds, unit: 's' })
    report.figure({
      name: `weir diff ${suffix}`,
      value: kubectlSeconds / seconds,
      unit: '× as fast as kubectl',
      ...(target && { target: { atLeast: 8 } }),
    })
  } finally {
    await proxy.close()
    await server.stop()
    rmSync(folder, { recursive: true })
  }
}

/** Both are asked as one field manager, so that neither sees conflicts with the other. */
const manager = 'kubectl'

/** The fleet as it is before the file changes it. */
async function prepare(kubeconfig: string, folder: string, assets: string | undefined): Promise<void> {
  const client = new Client({ access: await loadKubeconfig({ path: kubeconfig }), userAgent: 'weir-bench' })
  await installCrds(client, new AbortController().signal)
  client.close()
  const file = join(folder, 'fleet.yaml')
  writeFileSync(file, fleetYaml(false))
  await timed(apply, { file, kubeconfig, folder, assets })
}

interface Context {
  readonly file: string
  readonly kubeconfig: string
  readonly folder: string
  readonly assets: string | undefined
}

/** A program, its arguments, and how it has to end. */
type Command = (context: Context) => { readonly words: readonly [string, ...string[]]; readonly code: number }

const main = fileURLToPath(new URL('../../cli/bin.js', import.meta.url))
const weir: Command = ({ file }) => ({
  words: [process.execPath, main, 'diff', '-f', file, '--field-manager', manager],
  code: 1,
})
const kubectl: Command = ({ file, assets = '' }) => ({
  words: [join(assets, 'kubectl'), 'diff', '--server-side', '-f', file],
  code: 1,
})
const apply: Command = ({ file }) => ({
  words: [process.execPath, main, 'apply', '--yes', '--no-wait', '-f', file, '--field-manager', manager],
  code: 0,
})

/** Wall time of a command in seconds. Rejects where it does not end as it has to. */
function timed(command: Command, context: Context): Promise<number> {
  const { words, code } = command(context)
  const [program, ...args] = words
  const home = join(context.folder, 'home')
  mkdirSync(home, { recursive: true })
  const env = {
    PATH: `${context.assets ?? ''}${delimiter}${process.env.PATH}`,
    HOME: home,
    KUBECONFIG: context.kubeconfig,
  }
  const started = performance.now()
  return new Promise((resolve, reject) => {
    execFile(program, args, { env, cwd: context.folder, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const seconds = (performance.now() - started) / 1000
      const ended = error ? error.code : 0
      const shown = stdout.match(/^\+\+\+ /gm)?.length ?? 0
      if (ended !== code) reject(new Error(`${words.join(' ')} ended with ${ended}: ${stderr}`))
      else if (code === 1 && shown !== changed) reject(new Error(`${words.join(' ')} shows ${shown} changes`))
      else resolve(seconds)
    })
  })
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
