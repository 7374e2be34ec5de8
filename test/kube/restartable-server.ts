import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startApiServer } from '../../apiserver/server.ts'
import { findAssets } from './assets.ts'
import { startKubeServer } from './kube-server.ts'

/** An API server that can be taken away and brought back. */
export interface RestartableServer extends AsyncDisposable {
  readonly kubeconfigPath: string
  /** A folder for the test's own files. */
  readonly dir: string
  /** Ends it, runs `while`, and starts it again, on the same port with the same data; undefined where that is not ours to do. */
  readonly restart: ((during: () => Promise<void>) => Promise<void>) | undefined
}

/**
 * The embedded server; where `WEIR_TEST_KUBECONFIG` asks for another one, a real one of its own from KUBEBUILDER_ASSETS, or the one that it names.
 */
export async function startRestartableServer(): Promise<RestartableServer> {
  const dir = mkdtempSync(join(tmpdir(), 'weir-restartable-'))
  const remove = () => rmSync(dir, { recursive: true, force: true })
  const given = process.env.WEIR_TEST_KUBECONFIG
  if (given === undefined) return embedded(dir, remove)
  const assets = findAssets()
  if (assets === undefined) {
    return { kubeconfigPath: given, dir, restart: undefined, [Symbol.asyncDispose]: async () => remove() }
  }
  const kube = await startKubeServer(assets, join(dir, 'kube'))
  return {
    kubeconfigPath: kube.kubeconfigPath,
    dir,
    restart: (during) => kube.restart('SIGKILL', during),
    async [Symbol.asyncDispose]() {
      await kube.stop()
      remove()
    },
  }
}

async function embedded(dir: string, remove: () => void): Promise<RestartableServer> {
  const dataDir = join(dir, 'api')
  let api = await startApiServer({ dataDir })
  const port = Number(new URL(api.url).port)
  return {
    kubeconfigPath: api.kubeconfigPath,
    dir,
    async restart(during) {
      await api.close()
      await during()
      api = await startApiServer({ dataDir, port })
    },
    async [Symbol.asyncDispose]() {
      await api.close()
      remove()
    },
  }
}
