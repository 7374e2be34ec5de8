import { type ChildProcess, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { KeyPair } from '../../runtime/certificates/issue.ts'
import { type Access, Connection } from './connection.ts'

/** An API server with everything it needs, in processes whose CPU time counts. */
export interface ServerUnderTest {
  readonly name: string
  readonly access: Access
  readonly pids: readonly number[]
  stop(): Promise<void>
}

export function accessOf(url: string, authority: string, client: KeyPair): Access {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port), authority, client }
}

/** CPU seconds, user and system, of all processes of a server so far. */
export function cpuSeconds({ pids }: ServerUnderTest): number {
  return pids.reduce((sum, pid) => sum + processCpuSeconds(pid), 0)
}

/** Ticks of /proc are a hundredth of a second on every Linux that Node runs on. */
const ticksPerSecond = 100

/** CPU seconds, user and system, of one process so far. */
export function processCpuSeconds(pid: number): number {
  if (process.platform === 'linux') {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in brackets, may hold spaces. utime and stime are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  }
  const time = execFileSync('ps', ['-o', 'cputime=', '-p', String(pid)], { encoding: 'utf8' })
  return time
    .trim()
    .split(':')
    .reduce((seconds, part) => seconds * 60 + Number(part), 0)
}

/** Milliseconds from now until /readyz is answered with 200. Rejects when the process ends or after a minute. */
export async function untilReady(access: Access, server: ChildProcess): Promise<number> {
  const started = performance.now()
  while (performance.now() - started < 60_000) {
    if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}`)
    try {
      const connection = await Connection.open(access)
      const { status } = await connection.request('GET', '/readyz')
      connection.close()
      if (status === 200) return performance.now() - started
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error('the server is not ready after a minute')
}

/** Asks a process to end and waits until it has. */
export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
  })
}
