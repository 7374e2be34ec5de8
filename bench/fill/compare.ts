import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { urlPathOf } from '../../runtime/http-files/folder.ts'
import { Cleanup, makeCatalogOf, TestGateway, until } from '../../test/agent/harness.ts'
import type { Report } from '../benchmark.ts'
import { type FileTree, makeDocs, makeFilms } from './files.ts'

const ROUNDS = 3
const TARGET = 1.3

/**
 * Fill and verify against `curl -o` and then `sha256sum` of the same files, from the same origin on loopback, in turns. The agent does more
 * in that time: every file is durable, and under its final name, before it counts.
 */
export async function compareFill(report: Report): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'weir-bench-fill-'))
  try {
    report.note('curl: one process for all files, over one connection; sha256sum: one process for all files.')
    report.note(`Times are medians of ${ROUNDS} rounds, in turns. Takes 8 GiB below ${tmpdir()} for a while.`)
    for (const [name, make] of [
      ['films', makeFilms],
      ['docs', makeDocs],
    ] as const) {
      const folder = join(root, name)
      mkdirSync(folder)
      // Only removed at the end: ext4 looks long for new inodes right after many were given back.
      await compareTree(report, folder, make(join(folder, 'origin')))
      rmSync(folder, { recursive: true })
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

async function compareTree(report: Report, root: string, tree: FileTree): Promise<void> {
  const cleanup = new Cleanup()
  try {
    const origin = await startScript(cleanup, 'origin.ts', [tree.folder])
    const originUrl = `http://127.0.0.1:${origin.line}`
    // The first pass warms the origin's page cache, for both.
    runCurl(join(root, 'warm-up'), tree, originUrl)
    const curl: { fetchMs: number; sumMs: number }[] = []
    const fills: { ms: number; cpuSeconds: number }[] = []
    for (let round = 0; round < ROUNDS; round++) {
      curl.push(runCurl(join(root, `curl-${round}`), tree, originUrl))
      fills.push(await runAgent(join(root, `agent-${round}`), tree, originUrl))
    }
    const curlMs = median(curl.map(({ fetchMs, sumMs }) => fetchMs + sumMs))
    const fillMs = median(fills.map(({ ms }) => ms))
    const row = (who: string, ms: number, more: string) => [
      who,
      rate(tree.bytes, ms),
      `${(ms / 1000).toFixed(2)} s`,
      more,
    ]
    report.table([
      [tree.name, 'MB/s', 'time', ''],
      row(
        'curl, then sha256sum',
        curlMs,
        `curl alone ${(median(curl.map(({ fetchMs }) => fetchMs)) / 1000).toFixed(2)} s`,
      ),
      row('weir agent', fillMs, `${median(fills.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2)} s of CPU`),
    ])
    report.figure({
      name: `fill + verify over curl + sha256sum, ${tree.name}`,
      value: curlMs / fillMs,
      unit: '×',
      target: { atLeast: TARGET },
    })
  } finally {
    await cleanup.run()
  }
}

function runCurl(folder: string, tree: FileTree, originUrl: string): { fetchMs: number; sumMs: number } {
  const out = join(folder, 'out')
  mkdirSync(out, { recursive: true })
  const config = tree.files.map(
    ({ path, sha256 }) => `url="${originUrl}/${urlPathOf(path)}"\noutput="${join(out, sha256)}"\n`,
  )
  const sums = tree.files.map(({ sha256 }) => `${sha256}  ${join(out, sha256)}\n`)
  writeFileSync(join(folder, 'curl.config'), config.join(''))
  writeFileSync(join(folder, 'sums'), sums.join(''))
  const start = performance.now()
  execFileSync('curl', ['-s', '-S', '-f', '-K', join(folder, 'curl.config')])
  const fetched = performance.now()
  execFileSync('sha256sum', ['--quiet', '-c', join(folder, 'sums')])
  const summed = performance.now()
  return { fetchMs: fetched - start, sumMs: summed - fetched }
}

async function runAgent(
  folder: string,
  tree: FileTree,
  originUrl: string,
): Promise<{ ms: number; cpuSeconds: number }> {
  const cleanup = new Cleanup()
  mkdirSync(folder)
  try {
    const gateway = await TestGateway.start(cleanup)
    const { child } = await startScript(cleanup, 'agent.ts', [gateway.url, folder])
    await until(
      () => (gateway.streams === 1 ? true : undefined),
      () => 'the agent does not connect',
    )
    const start = performance.now()
    gateway.assign({ entries: [gateway.entry(makeCatalogOf('bench', tree.files), originUrl)] })
    await until(
      () => (gateway.status?.content.filesHeld === tree.files.length ? true : undefined),
      () => gateway.status,
      600_000,
    )
    const ms = performance.now() - start
    child.send('cpu')
    const [cpuSeconds] = (await once(child, 'message')) as [number]
    return { ms, cpuSeconds }
  } finally {
    await cleanup.run()
  }
}

/** Starts one of the scripts beside this one and waits for its first line. */
async function startScript(
  cleanup: Cleanup,
  script: string,
  args: string[],
): Promise<{ child: ChildProcess; line: string }> {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  cleanup.add(async () => {
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  })
  for await (const line of createInterface({ input: child.stdout! })) return { child, line }
  throw new Error(`${script} ended before it was ready`)
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
}

function rate(bytes: number, ms: number): string {
  return (bytes / 1e6 / (ms / 1000)).toFixed(0)
}
