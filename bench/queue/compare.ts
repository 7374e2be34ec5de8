import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../runtime/clock.ts'
import { Controller } from '../../runtime/controller/controller.ts'
import { silentLog } from '../../runtime/log.ts'
import { Queue } from '../../runtime/queue/queue.ts'
import type { Report } from '../benchmark.ts'

interface Measured {
  readonly operations: number
  readonly cpuSeconds: number
}

/** Keys that wait at a time, and how many times a key goes round in all. */
const ROUNDS = [
  { keys: 1_000, operations: 10_000_000 },
  { keys: 20_000, operations: 10_000_000 },
]
const RECONCILES = 2_000_000
const RECONCILED_KEYS = 5_000

/** The work queue beside client-go's, where there is a Go toolchain; and the loop with a reconcile that does nothing. */
export async function compareQueues(report: Report): Promise<void> {
  const theirs = buildClientGo(report)
  try {
    const rows = [['keys', 'ours /cpu-s', 'client-go /cpu-s', 'ratio']]
    const ratios: number[] = []
    for (const { keys, operations } of ROUNDS) {
      const ours = rate(goRound(keys, operations))
      const peer = theirs && rate(theirs.run(keys, operations))
      if (peer) ratios.push(ours / peer)
      rows.push([String(keys), millions(ours), peer ? millions(peer) : '-', peer ? (ours / peer).toFixed(2) : '-'])
    }
    report.table(rows)
    if (ratios.length > 0) {
      report.figure({
        name: 'queue: add+get+done per CPU-second beside client-go',
        value: Math.min(...ratios),
        unit: '×',
        target: { atLeast: 1.5 },
      })
    }
  } finally {
    theirs?.remove()
  }
  report.figure({
    name: 'loop: reconciles that do nothing',
    value: rate(await dispatch()) / 1e6,
    unit: 'M/cpu-s',
    target: { atLeast: 1 },
  })
}

function goRound(keys: number, operations: number): Measured {
  const names = Array.from({ length: keys }, (_, i) => `namespace-${i % 50}/appliance-${i}`)
  const queue = new Queue({ clock: systemClock, onReady: () => {} })
  const round = () => {
    for (const name of names) queue.add(name)
    for (let i = 0; i < keys; i++) {
      const name = queue.take()!
      queue.forget(name)
      queue.done(name)
    }
  }
  for (let done = 0; done < operations / 10; done += keys) round()
  const started = process.cpuUsage()
  let done = 0
  while (done < operations) {
    round()
    done += keys
  }
  queue.close()
  return { operations: done, cpuSeconds: secondsSince(started) }
}

async function dispatch(): Promise<Measured> {
  let left = RECONCILES
  const finished = Promise.withResolvers<void>()
  const controller: Controller = new Controller({
    name: 'nothing',
    clock: systemClock,
    log: silentLog,
    concurrency: 8,
    async reconcile(key) {
      if (--left <= 0) finished.resolve()
      else controller.enqueue(key)
      return { type: 'done' }
    },
  })
  for (let i = 0; i < RECONCILED_KEYS; i++) controller.enqueue(`namespace-${i % 50}/appliance-${i}`)
  const started = process.cpuUsage()
  controller.start()
  await finished.promise
  const measured = { operations: RECONCILES, cpuSeconds: secondsSince(started) }
  await controller.close()
  return measured
}

function buildClientGo(report: Report) {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-queue-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    cpSync(fileURLToPath(new URL('client-go', import.meta.url)), folder, { recursive: true })
    execFileSync('go', ['mod', 'tidy'], { cwd: folder, stdio: 'ignore' })
    execFileSync('go', ['build', '-o', 'queue', '.'], { cwd: folder, stdio: 'ignore' })
  } catch (error) {
    remove()
    report.note(`client-go is not measured: it could not be built (${(error as Error).message.split('\n')[0]})`)
    return undefined
  }
  report.note('beside client-go 0.36.3, NewTypedRateLimitingQueue, one goroutine')
  return {
    remove,
    run: (keys: number, operations: number) =>
      JSON.parse(
        execFileSync(join(folder, 'queue'), [String(keys), String(operations)], { encoding: 'utf8' }),
      ) as Measured,
  }
}

const rate = ({ operations, cpuSeconds }: Measured) => operations / cpuSeconds
const millions = (value: number) => `${(value / 1e6).toFixed(1)} M`

function secondsSince(started: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1e6
}
