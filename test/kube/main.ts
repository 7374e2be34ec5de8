/**
 * `npm run test:kube`: everything that can be asked of any Kubernetes API server, asked of a real one. It is started from KUBEBUILDER_ASSETS (the
 * folder of kube-apiserver and etcd; kube-controller-manager, kubectl and helm too where they are there), or from where envtest keeps those;
 * or else it is the cluster of KUBECONFIG, in which the tests make namespaces and Weir's kinds. Ends with `N passed, N failed, N skipped`.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findAssets } from './assets.ts'
import { type KubeServer, startKubeServer } from './kube-server.ts'
import { suites } from './suites.ts'

const root = join(import.meta.dirname, '../..')

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** Runs the suites against the server of a kubeconfig, one after the other: they share it. */
async function runSuites(kubeconfig: string, assets: string | undefined, results: string): Promise<Counts> {
  const env = {
    ...process.env,
    WEIR_TEST_KUBECONFIG: kubeconfig,
    ...(assets === undefined ? {} : { KUBEBUILDER_ASSETS: assets }),
  }
  const jest = [
    ...['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'],
    ...['--runInBand', '--json', '--outputFile', results, ...suites],
  ]
  await run(jest, env)
  const counts = countsOf(results)
  const kinds = await run(['test/oracle/kinds.ts', kubeconfig], env)
  return kinds === 0 ? { ...counts, passed: counts.passed + 1 } : { ...counts, failed: counts.failed + 1 }
}

/** A run without results has failed, whatever it said. */
function countsOf(results: string): Counts {
  try {
    const r = JSON.parse(readFileSync(results, 'utf8')) as Readonly<Record<string, number>>
    const failed = (r.numFailedTests ?? 0) + (r.numRuntimeErrorTestSuites ?? 0)
    return { passed: r.numPassedTests ?? 0, failed, skipped: (r.numPendingTests ?? 0) + (r.numTodoTests ?? 0) }
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
    child.on('exit', (code) => resolve(code ?? 1))
    child.on('error', () => resolve(1))
  })
}

async function main(): Promise<Counts> {
  const assets = process.env.KUBEBUILDER_ASSETS || !process.env.KUBECONFIG ? findAssets() : undefined
  const folder = mkdtempSync(join(tmpdir(), 'weir-test-kube-'))
  const results = join(folder, 'results.json')
  let server: KubeServer | undefined
  try {
    if (assets !== undefined) {
      console.log(`Starting kube-apiserver and etcd of ${assets}`)
      server = await startKubeServer(assets, join(folder, 'kube'))
      if (!server.hasControllerManager) console.log('There is no kube-controller-manager: nothing is garbage-collected')
      return await runSuites(server.kubeconfigPath, assets, results)
    }
    if (process.env.KUBECONFIG) {
      console.log(`Using the cluster of KUBECONFIG=${process.env.KUBECONFIG}`)
      return await runSuites(process.env.KUBECONFIG, undefined, results)
    }
    console.log(
      'There is no real API server: KUBEBUILDER_ASSETS must name a folder with kube-apiserver and etcd, or KUBECONFIG a cluster',
    )
    return { passed: 0, failed: 0, skipped: suites.length + 1 }
  } finally {
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const { passed, failed, skipped } = await main()
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = failed === 0 ? 0 : 1
