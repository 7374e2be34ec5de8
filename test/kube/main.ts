/**
 * `npm run test:kube`: everything that can be asked of any Kubernetes API server, asked of a real one. It is started from KUBEBUILDER_ASSETS (the
 * folder of kube-apiserver and etcd; kube-controller-manager, kubectl and helm too where they are there), or from where envtest keeps those;
 * or else it is the cluster of KUBECONFIG, in which the tests make namespaces and Weir's kinds. Ends with `N passed, N failed, N skipped`.
 *   npm run test:kube -- [--retry] [FILE…]
 * `--retry`: the files that failed are run once more, against a new server; one that passes then is called FLAKY, and does not count as failed.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { customResourceDefinitions } from '../../crds/load.ts'
import type { CustomResourceDefinition } from '../../runtime/client/resource.ts'
import { findAssets } from './assets.ts'
import { type KubeServer, startKubeServer } from './kube-server.ts'
import { suites } from './suites.ts'

const kinds = customResourceDefinitions() as unknown as readonly CustomResourceDefinition[]
const root = join(import.meta.dirname, '../..')

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/** What came of each file, by its path below the repository's root. */
type Results = ReadonlyMap<string, Counts>

/** Weir's kinds as the server has them: no suite of Jest's. */
const KINDS = 'test/oracle/kinds.ts'

/** Runs files or folders of tests against the server of a kubeconfig, one after the other: they share it. */
async function runFiles(files: readonly string[], kubeconfig: string, assets: string | undefined): Promise<Results> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-test-kube-results-'))
  const env = {
    ...process.env,
    WEIR_TEST_KUBECONFIG: kubeconfig,
    ...(assets === undefined ? {} : { KUBEBUILDER_ASSETS: assets }),
  }
  try {
    const results = new Map<string, Counts>()
    const suites = files.filter((file) => file !== KINDS)
    if (suites.length > 0) {
      const json = join(folder, 'results.json')
      const jest = [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        'node_modules/jest/bin/jest.js',
      ]
      await run([...jest, '--runInBand', '--json', '--outputFile', json, ...suites], env)
      for (const [file, counts] of countsOf(json, suites)) results.set(file, counts)
    }
    if (files.includes(KINDS)) {
      const code = await run([KINDS, kubeconfig], env)
      results.set(KINDS, { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 })
    }
    return results
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A file of Jest's `--json`, as far as it is read. */
interface JestResults {
  readonly testResults: readonly {
    /** The path of the test file. */
    readonly name: string
    /** `failed` also where the file could not be run at all. */
    readonly status: string
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

/** A run without results has failed, whatever it said. */
function countsOf(json: string, suites: readonly string[]): [string, Counts][] {
  try {
    const { testResults } = JSON.parse(readFileSync(json, 'utf8')) as JestResults
    return testResults.map(({ name, status, assertionResults }) => {
      const count = (...statuses: string[]) => assertionResults.filter((test) => statuses.includes(test.status)).length
      const failed = count('failed')
      const counts = {
        passed: count('passed'),
        failed: status === 'failed' ? Math.max(1, failed) : failed,
        skipped: count('pending', 'todo', 'skipped', 'disabled'),
      }
      return [relative(root, name), counts]
    })
  } catch {
    return suites.map((file) => [file, { passed: 0, failed: 1, skipped: 0 }])
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
async function onServer(files: readonly string[], assets: string | undefined): Promise<Results> {
  if (assets === undefined) return await runFiles(files, process.env.KUBECONFIG!, undefined)
  const folder = mkdtempSync(join(tmpdir(), 'weir-test-kube-'))
  let server: KubeServer | undefined
  try {
    server = await startKubeServer(assets, folder, kinds)
    if (!server.hasControllerManager) console.log('There is no kube-controller-manager: nothing is garbage-collected')
    return await runFiles(files, server.kubeconfigPath, assets)
  } finally {
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function main(): Promise<Counts> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { retry: { type: 'boolean' } } })
  const files = positionals.length > 0 ? positionals : [...suites, KINDS]
  const { KUBEBUILDER_ASSETS, KUBECONFIG } = process.env
  const assets = KUBEBUILDER_ASSETS || !KUBECONFIG ? findAssets() : undefined
  if (assets === undefined && !KUBECONFIG) {
    console.log(
      'There is no real API server: KUBEBUILDER_ASSETS must name a folder with kube-apiserver and etcd, or KUBECONFIG a cluster',
    )
    return { passed: 0, failed: 0, skipped: files.length }
  }
  console.log(assets === undefined ? `Using the cluster of ${KUBECONFIG}` : `Starting kube-apiserver of ${assets}`)
  const results = new Map(await onServer(files, assets))
  const failed = [...results].flatMap(([file, counts]) => (counts.failed > 0 ? [file] : []))
  if (values.retry && failed.length > 0) {
    console.log(`Once more: ${failed.join(' ')}`)
    for (const file of failed) results.delete(file)
    for (const [file, counts] of await onServer(failed, assets)) {
      if (counts.failed === 0) console.log(`FLAKY: ${file} passed at the second try`)
      results.set(file, counts)
    }
  }
  const sum = (count: keyof Counts) => [...results.values()].reduce((total, counts) => total + counts[count], 0)
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') }
}

const { passed, failed, skipped } = await main()
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = failed === 0 ? 0 : 1
