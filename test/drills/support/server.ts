import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { findAssets } from '../../kube/assets.ts'
import { startKubeServer } from '../../kube/kube-server.ts'

/** `embedded`: Weir's own API server. `real`: kube-apiserver with etcd, from KUBEBUILDER_ASSETS. */
export type ServerKind = 'embedded' | 'real'

/** An API server as processes of its own, that a drill may do to what it likes. */
export interface DrillServer extends AsyncDisposable {
  readonly kind: ServerKind
  readonly kubeconfigPath: string
  /** A folder for the drill's own files. */
  readonly dir: string
  /**
   * Ends it with SIGKILL, runs `during`, and starts it again on the same port with the same data. What it had in memory is gone; with `forgets` so is
   * the history on disk: versions of before are answered with 410 from then on.
   */
  crash(during: () => Promise<void>, forgets?: boolean): Promise<void>
}

/** What a drill is told on its command line: `[NUMBER] [--server=embedded|real]`. */
export function drillArguments(): { readonly server: ServerKind; readonly number: number | undefined } {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { server: { type: 'string' } } })
  const server = values.server ?? 'embedded'
  if (server !== 'embedded' && server !== 'real') throw new Error(`--server=${server}: must be embedded or real`)
  return { server, number: positionals[0] === undefined ? undefined : Number(positionals[0]) }
}

export async function startDrillServer(kind: ServerKind): Promise<DrillServer> {
  const dir = mkdtempSync(join(tmpdir(), 'weir-drill-'))
  try {
    return kind === 'real' ? await real(dir) : await embedded(dir)
  } catch (error) {
    rmSync(dir, { recursive: true, force: true })
    throw error
  }
}

async function real(dir: string): Promise<DrillServer> {
  const assets = findAssets()
  if (assets === undefined) throw new Error('there is no kube-apiserver: KUBEBUILDER_ASSETS must name its folder')
  const kube = await startKubeServer(assets, join(dir, 'kube'))
  return {
    kind: 'real',
    kubeconfigPath: kube.kubeconfigPath,
    dir,
    crash: (during, forgets = false) =>
      kube.restart('SIGKILL', async () => {
        await during()
        if (forgets) await kube.compact()
      }),
    async [Symbol.asyncDispose]() {
      await kube.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const SCRIPT = fileURLToPath(new URL('api-process.ts', import.meta.url))

async function embedded(dir: string): Promise<DrillServer> {
  const start = async (port: string) => {
    const child = spawn(process.execPath, [SCRIPT, join(dir, 'api'), port], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
    const [url, kubeconfigPath] = [(await lines.next()).value, (await lines.next()).value]
    if (url === undefined || kubeconfigPath === undefined) throw new Error('the API server did not start')
    return { child, port: new URL(url).port, kubeconfigPath }
  }
  let { child, port, kubeconfigPath } = await start('0')
  return {
    kind: 'embedded',
    kubeconfigPath,
    dir,
    // It keeps its history in memory only: every crash forgets it.
    async crash(during) {
      await killed(child, 'SIGKILL')
      await during()
      child = (await start(port)).child
    },
    async [Symbol.asyncDispose]() {
      await killed(child, 'SIGTERM')
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

async function killed(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}
