import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startApiServer } from '../../apiserver/server.ts'
import { installCrds } from '../../cli/up/install-crds.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import { programFile } from '../support/built-program.ts'

/** How long a program may take to say what is waited for. */
const PATIENCE_MS = 45_000

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array
}

/** The environment that programs under test get: nothing of whoever runs the tests but what programs need to run at all. */
function environment(env: RunOptions['env'] = {}): NodeJS.ProcessEnv {
  const { PATH, HOME = tmpdir() } = process.env
  return { PATH, HOME: join(HOME, 'nobody-lives-here'), ...env }
}

/** Starts the real program. */
export function start(args: readonly string[], options: RunOptions = {}): ChildProcess {
  return spawn(process.execPath, [programFile(), ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: environment(options.env),
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
}

/** Runs the real program to its end. */
export function weir(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const child = start(args, options)
  child.stdin?.on('error', () => {})
  child.stdin?.end(options.input)
  return finished(child)
}

/** Runs any program to its end. */
export function program(command: string, args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const child = spawn(command, args, {
    cwd: options.cwd ?? tmpdir(),
    env: environment(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => {})
  child.stdin.end(options.input)
  return finished(child)
}

export async function finished(child: ChildProcess): Promise<Result> {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

/** Waits until a running program has written text that matches; what it wrote by then. Rejects when it ends before, or takes too long. */
export function written(child: ChildProcess, stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`${pattern} was not written on ${stream} within ${PATIENCE_MS / 1000} s, but:\n${text}`))
    }, PATIENCE_MS)
    const onData = (chunk: Buffer | string) => {
      text += chunk.toString()
      if (!pattern.test(text)) return
      clearTimeout(timer)
      child[stream]?.off('data', onData)
      resolve(text)
    }
    child[stream]?.on('data', onData)
    child.once('close', () => clearTimeout(timer))
    child.once('close', () => reject(new Error(`the program ended; on ${stream} it had written:\n${text}`)))
  })
}

/** A folder that goes away with the test file. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'weir-cli-'))

  /** Writes a file and gives its path. */
  file(name: string, text: string | Uint8Array): string {
    const path = join(this.path, name)
    writeFileSync(path, text)
    return path
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** An API server with Weir's kinds, and its client. */
export interface TestServer extends AsyncDisposable {
  readonly client: Client
  readonly kubeconfig: string
  readonly url: string
  /** Runs the program against this server. */
  weir(args: readonly string[], options?: RunOptions): Promise<Result>
}

/** The embedded server; `WEIR_TEST_KUBECONFIG` names another to ask instead, such as a real kube-apiserver. */
export async function startTestServer(): Promise<TestServer> {
  const folder = new Folder()
  const other = process.env.WEIR_TEST_KUBECONFIG
  const server = other === undefined ? await startApiServer({ dataDir: folder.path }) : undefined
  const kubeconfig = other ?? server!.kubeconfigPath
  const client = new Client({ access: await loadKubeconfig({ path: kubeconfig }), userAgent: 'weir-test' })
  await installCrds(client, new AbortController().signal)
  return {
    client,
    url: client.server,
    kubeconfig,
    weir: (args, options) => weir(args, { ...options, env: { KUBECONFIG: kubeconfig, ...options?.env } }),
    async [Symbol.asyncDispose]() {
      client.close()
      await server?.close()
      folder[Symbol.dispose]()
    },
  }
}

const assets = process.env.KUBEBUILDER_ASSETS
/** The real kubectl, where the environment has one. */
export const kubectl = assets === undefined ? undefined : join(assets, 'kubectl')
