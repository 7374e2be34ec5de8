import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InstanceSize } from '../../cli/bench/placement/instance.ts'
import type { Report } from '../benchmark.ts'
import { Child } from '../controllers/child.ts'
import type { Decided, Place } from './decide-process.ts'

const TIMEOUT_MS = 540_000
const MIB = 2 ** 20

/** The second is large: about a gigabyte of manifests a day. */
const sizes: readonly InstanceSize[] = [
  { appliances: 1_000, files: 100_000, classes: 4, seed: 1 },
  { appliances: 10_000, files: 1_000_000, classes: 4, seed: 1 },
]

/**
 * What controllers do when a policy must be planned: read catalog and demand, solve on two threads, encode, store and fsync every manifest, decide every Assignment.
 * A day when nothing is in force, and the day after, when every manifest in force counts. Each day in a process of its own, whose peak is told.
 */
export async function measurePlacement(report: Report): Promise<void> {
  const only = process.env.WEIR_BENCH_APPLIANCES
  for (const size of sizes) {
    if (only !== undefined && Number(only) !== size.appliances) continue
    report.note(`${size.appliances} appliances, ${size.files} files, seed ${size.seed}`)
    const root = mkdtempSync(join(tmpdir(), 'weir-bench-placement-'))
    const place: Place = { blobs: join(root, 'blobs'), objects: join(root, 'objects.json') }
    mkdirSync(place.blobs)
    try {
      const rows = [
        [
          '',
          'read and pose',
          'solve and store',
          'write plan',
          'assign',
          'cpu',
          'peak',
          'manifests',
          'value/bound',
          'to fill',
        ],
      ]
      for (const [day, name] of ['first day', 'day after'].entries()) {
        await inChild((child) => child.ask('make', { place, size, day }, TIMEOUT_MS))
        const told = await inChild((child) => child.ask<Decided>('decide', place, TIMEOUT_MS))
        rows.push(rowOf(name, told))
        tell(report, `${size.appliances} × ${size.files}, ${name}`, told, size.files >= 1_000_000)
      }
      report.table(rows)
    } finally {
      rmSync(root, { recursive: true })
    }
  }
}

async function inChild<T>(work: (child: Child) => Promise<T>): Promise<T> {
  const child = new Child('../placement/decide-process.ts')
  try {
    return await work(child)
  } finally {
    await child.stop()
  }
}

function rowOf(name: string, { posed, solved, written, assigned, cpu, ...rest }: Decided): string[] {
  const seconds = (value: number) => `${value.toFixed(1)} s`
  return [
    ...[name, seconds(posed), seconds(solved), seconds(written), seconds(assigned), seconds(cpu)],
    `${Math.round(rest.peakBytes / MIB)} MiB`,
    `${Math.round(rest.manifestBytes / MIB)} MiB`,
    (rest.offload.expectedPercent / rest.offload.boundPercent).toFixed(4),
    `${((100 * rest.fillBytes) / rest.bytes).toFixed(1)} %`,
  ]
}

function tell(report: Report, name: string, told: Decided, large: boolean): void {
  const { posed, solved, written, assigned, peakBytes } = told
  report.figure({
    name: `${name}: all of it`,
    value: posed + solved + written + assigned,
    unit: 's',
    target: { atMost: large ? 120 : 10 },
  })
  report.figure({
    name: `${name}: peak memory`,
    value: peakBytes / MIB,
    unit: 'MiB',
    target: { atMost: large ? 2048 : 512 },
  })
}
