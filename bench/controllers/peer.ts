import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Access } from '../apiserver/connection.ts'
import { ended, processCpuSeconds } from '../apiserver/server-under-test.ts'
import type { Report } from '../benchmark.ts'
import { CONCURRENCY } from './access.ts'
import { within } from './within.ts'

/** The first build compiles client-go; the Go build cache has it from then on. */
const BUILD_TIMEOUT_MS = 600_000

/** An operator on controller-runtime, built; see peer/main.go. */
export interface Peer {
  /** Runs it against a server, until `stop`. Resolves once it has read everything. */
  start(access: Access): Promise<RunningPeer>
  remove(): void
}

export interface RunningPeer {
  readonly cpuSeconds: number
  stop(): Promise<void>
}

/** Undefined, and the report says why, where there is no Go or it cannot be built. */
export function buildPeer(report: Report): Peer | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-peer-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const program = join(folder, 'peer')
  try {
    cpSync(fileURLToPath(new URL('peer', import.meta.url)), join(folder, 'source'), { recursive: true })
    execFileSync('go', ['build', '-o', program, '.'], {
      cwd: join(folder, 'source'),
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: BUILD_TIMEOUT_MS,
    })
  } catch (error) {
    remove()
    const why = (error as Error).message.trim().split('\n').slice(0, 3).join('; ')
    report.note(`controller-runtime is not measured: it could not be built (${why})`)
    return undefined
  }
  return { start: (access) => run(program, folder, access), remove }
}

async function run(program: string, folder: string, access: Access): Promise<RunningPeer> {
  const pki = join(folder, 'pki')
  mkdirSync(pki, { recursive: true })
  writeFileSync(join(pki, 'ca.crt'), access.authority)
  writeFileSync(join(pki, 'client.crt'), access.client.certificate)
  writeFileSync(join(pki, 'client.key'), access.client.key, { mode: 0o600 })
  const server = `https://${access.host}:${access.port}`
  const child = spawn(program, [server, pki, String(CONCURRENCY)], { stdio: ['pipe', 'pipe', 'inherit'] })
  try {
    await within(60_000, 'the peer’s caches', ready(child))
  } catch (error) {
    await ended(child)
    throw error
  }
  return {
    get cpuSeconds() {
      return processCpuSeconds(child.pid!)
    },
    stop: () => ended(child),
  }
}

async function ready(child: ChildProcess): Promise<void> {
  const left = once(child, 'exit').then(([code]) => {
    throw new Error(`the peer ended with ${code}`)
  })
  await Promise.race([once(child.stdout!, 'data'), left])
  left.catch(() => {})
}
