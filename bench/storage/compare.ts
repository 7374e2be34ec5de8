import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Report } from '../benchmark.ts'
import { journals } from './journals.ts'
import { hasLmdb } from './lmdb-journal.ts'
import type { Measurement } from './measure.ts'

const script = fileURLToPath(new URL('measure.ts', import.meta.url))
const seconds = 3

/** Durable writes of 1 KB objects through the whole store, over each journal, by one writer, 64 and 500. */
export async function compareStorage(report: Report): Promise<void> {
  const names = Object.keys(journals).filter((name) => name !== 'lmdb')
  if (await hasLmdb()) names.splice(2, 0, 'lmdb')
  else report.note('LMDB is left out: npm install --no-save --ignore-scripts lmdb@3.5.6')
  const rows = [
    ['journal', 'writers', 'writes/cpu-s', 'writes/s', 'p50 ms', 'p99 ms', 'loop p99 ms', 'disk MB', 'load ms'],
  ]
  for (const name of names) {
    for (const writers of [1, 64, 500]) {
      const m = await measure(name, writers)
      const numbers = [m.p50Ms.toFixed(2), m.p99Ms.toFixed(2), m.loopP99Ms.toFixed(1), (m.diskBytes / 1e6).toFixed(0)]
      const rates = [m.writesPerCpuSecond, m.writesPerSecond].map((rate) => Math.round(rate).toLocaleString('en'))
      rows.push([journals[name]!.about, String(writers), ...rates, ...numbers, m.loadMs.toFixed(0)])
    }
  }
  report.table(rows)
}

async function measure(journal: string, writers: number): Promise<Measurement> {
  const args = ['--disable-warning=ExperimentalWarning', script, journal, String(writers), String(seconds)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout)
}
