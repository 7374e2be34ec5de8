import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './apiserver/free-port.ts'
import { ended } from './apiserver/server-under-test.ts'
import type { Report } from './benchmark.ts'

const starts = 5

/** From starting the process `weir up` to the first 200 of /readyz: with nothing there yet, and over what is there. */
export async function measureColdStart(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-cold-'))
  try {
    const first = await start(folder)
    const later: number[] = []
    for (let i = 0; i < starts; i++) later.push(await start(folder))
    const target = { atMost: 1000 }
    report.figure({ name: 'weir up to a ready API, the very first time', value: first, unit: 'ms' })
    report.figure({
      name: `weir up to a ready API, median of ${starts} more`,
      value: median(later),
      unit: 'ms',
      target,
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Compiled code, too, is kept in the folder: the first start finds none. */
async function start(folder: string): Promise<number> {
  const port = await freePort()
  const main = fileURLToPath(new URL('../cli/main.ts', import.meta.url))
  const args = [main, 'up', '--dir', join(folder, 'data'), '--port', String(port), '--gateway-port', '0']
  const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') }
  const started = performance.now()
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], env })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  try {
    if (!(await untilReady(port, child))) throw new Error(`weir up ended with ${child.exitCode}: ${said}`)
    return performance.now() - started
  } finally {
    await ended(child)
  }
}

/** Resolves with false where the process ends before. */
async function untilReady(port: number, child: ChildProcess): Promise<boolean> {
  while (child.exitCode === null) {
    if ((await status(port)) === 200) return true
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return false
}

/** Anybody may ask whether the server is ready; whom to trust is not known before it has been. */
function status(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    request({ host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false, agent: false }, (res) => {
      res.resume()
      resolve(res.statusCode)
    })
      .on('error', () => resolve(undefined))
      .end()
  })
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
