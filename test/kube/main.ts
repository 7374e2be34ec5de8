/**
 * `npm run test:kube`: everything that can be asked of any Kubernetes API server, asked of a real one. It is started from KUBEBUILDER_ASSETS (the
 * folder of kube-apiserver and etcd; kube-controller-manager, kubectl and helm too where they are there), or from where envtest keeps those;
 * or else it is the cluster of KUBECONFIG, in which the tests make namespaces and Weir's kinds. Ends with `N passed, N failed, N skipped`.
 *   npm run test:kube -- [--retry] [FILE…]
 * `--retry`: the files that failed are run once more, against a new server; a test that passes then is called FLAKY, and does not count as failed.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { customResourceDefinitions } from '../../crds/load.ts'
import type { CustomResourceDefinition } from '../../runtime/client/resource.ts'
import {
  afterRetry,
  countsOf,
  failedFiles,
  type Outcome,
  readOutcomes,
  report,
  type Tried,
} from '../support/outcomes.ts'
import { findAssets } from './assets.ts'
import { type KubeServer, startKubeServer } from './kube-server.ts'
import { OWN_SERVER } from './leftovers.ts'
import { suites } from './suites.ts'

const kinds = customResourceDefinitions() as unknown as readonly CustomResourceDefinition[]
const root = join(import.meta.dirname, '../..')

/** Weir's kinds as the server has them: no suite of Jest's. */
const KINDS = 'test/oracle/kinds.ts'

/** Runs files or folders of tests against the server of a kubeconfig, one after the other: they share it. */
async function runFiles(files: readonly string[], kubeconfig: string, assets: string | undefined): Promise<Outcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-test-kube-results-'))
  const env = {
    ...process.env,
    WEIR_TEST_KUBECONFIG: kubeconfig,
    ...(assets === undefined ? {} : { KUBEBUILDER_ASSETS: assets, [OWN_SERVER]: '1' }),
  }
  try {
    const outcomes: Outcome[] = []
    const suites = files.filter((file) => file !== KINDS)
    if (suites.length > 0) {
      const json = join(folder, 'results.json')
      const jest = [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        'node_modules/jest/bin/jest.js',
      ]
      await run([...jest, '--runInBand', '--json', '--outputFile', json, ...suites], env)
      outcomes.push(...outcomesOf(json, suites))
    }
    if (files.includes(KINDS)) {
      const code = await run([KINDS, kubeconfig], env)
      outcomes.push({ file: KINDS, name: undefined, status: code === 0 ? 'passed' : 'failed', message: [] })
    }
    return outcomes
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A run without results has failed, whatever it said. */
function outcomesOf(json: string, suites: readonly string[]): Outcome[] {
  try {
    return readOutcomes(json, root)
  } catch (error) {
    const message = [`Jest wrote no results: ${(error as Error).message}`]
    return suites.map((file) => ({ file, name: undefined, status: 'failed', message }))
  }
}

function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
    child.on('exit', (code) => resolve(code ?? 1))
    child.on('error', () => resolve(1))
  })
}

/** Runs the files against a server of their own, or that of KUBECONFIG where there are no assets. */
async function onServer(files: readonly string[], assets: string | undefined): Promise<Outcome[]> {
  if (assets === undefined) return await runFiles(files, process.env.KUBECONFIG!, undefined)
  const folder = mkdtempSync(join(tmpdir(), 'weir-test-kube-'))
  let server: KubeServer | undefined
  try {
    server = await startKubeServer(assets, join(folder, 'first'), kinds).catch((error) => {
      // One of its ports may have been taken by somebody else since it was found free.
      console.log(`${(error as Error).message}\nOnce more`)
      return startKubeServer(assets, join(folder, 'second'), kinds)
    })
    if (!server.hasControllerManager) console.log('There is no kube-controller-manager: nothing is garbage-collected')
    return await runFiles(files, server.kubeconfigPath, assets)
  } finally {
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function main(): Promise<Tried> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { retry: { type: 'boolean' } } })
  const files = positionals.length > 0 ? positionals : [...suites, KINDS]
  const { KUBEBUILDER_ASSETS, KUBECONFIG } = process.env
  const assets = KUBEBUILDER_ASSETS || !KUBECONFIG ? findAssets() : undefined
  if (assets === undefined && !KUBECONFIG) {
    console.log(
      'There is no real API server: KUBEBUILDER_ASSETS must name a folder with kube-apiserver and etcd, or KUBECONFIG a cluster',
    )
    return { outcomes: files.map((file) => ({ file, name: undefined, status: 'skipped', message: [] })), flaky: [] }
  }
  console.log(assets === undefined ? `Using the cluster of ${KUBECONFIG}` : `Starting kube-apiserver of ${assets}`)
  const outcomes = await onServer(files, assets)
  const failed = failedFiles(outcomes)
  if (!values.retry || failed.length === 0) return { outcomes, flaky: [] }
  console.log(`Once more: ${failed.join(' ')}`)
  return afterRetry(outcomes, await onServer(failed, assets))
}

const tried = await main()
const { passed, failed, skipped } = countsOf(tried.outcomes)
console.log('--- what failed')
for (const line of report(tried)) console.log(line)
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = failed === 0 ? 0 : 1
