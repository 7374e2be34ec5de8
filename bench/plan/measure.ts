import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import type { PlanDocument } from '../../cli/plan/document.ts'
import { openBlobStore } from '../../runtime/blob-store.ts'
import type { Access } from '../apiserver/connection.ts'
import { processCpuSeconds } from '../apiserver/server-under-test.ts'
import { startWeir } from '../apiserver/weir-server.ts'
import type { Report } from '../benchmark.ts'
import { clientOf } from '../controllers/access.ts'
import { type FleetSize, makeFleet, NAMESPACE } from './fleet.ts'

const SIZE: FleetSize = {
  sites: Number(process.env.WEIR_BENCH_SITES ?? 1_000),
  appliancesPerSite: 10,
  files: Number(process.env.WEIR_BENCH_FILES ?? 100_000),
}

const head = (kind: string, name: string, group = 'fleet') =>
  `apiVersion: ${group}.weir.dev/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name}${kind === 'HardwareClass' ? '' : `, namespace: ${NAMESPACE}`} }\n`

/** What is planned, from what moves nothing to what moves everything. */
const CHANGES: readonly { readonly name: string; readonly manifest: string }[] = [
  {
    name: 'the fill window of a site',
    manifest: `${head('Site', 's1')}spec: { country: DE, metro: fra, timeZone: Europe/Berlin, fillWindows: [{ start: '01:00', end: '08:00', maxGbps: 80 }], network: { uplinkGbps: 100 } }\n`,
  },
  {
    name: 'an appliance drained',
    manifest: `${head('Appliance', 'a17')}spec: { siteRef: { name: s17 }, hardwareClassRef: { name: bench-flash }, mode: Draining }\n`,
  },
  {
    name: 'an appliance decommissioned, and the policy planned anew',
    manifest: `${head('Appliance', 'a17')}spec: { siteRef: { name: s17 }, hardwareClassRef: { name: bench-flash }, mode: Decommissioned }\n`,
  },
  {
    name: 'the hardware of all appliances, so that every one changes',
    manifest: `${head('HardwareClass', 'bench-flash')}spec: { storageBytes: ${Math.round((SIZE.files * 2 ** 30) / 6 / SIZE.appliancesPerSite)}, storageMedium: flash, throughputGbps: 100 }\n`,
  },
]

/** How long `weir plan` takes on a large fleet at rest, in a process of its own beside the server, and what of its CPU time is the solver's. */
export async function measurePlan(report: Report): Promise<void> {
  const folder = mkdtempSync(join(process.env.WEIR_BENCH_DIR ?? tmpdir(), 'weir-bench-plan-'))
  process.env.WEIR_BENCH_BLOBS = join(folder, 'blobs')
  const server = await startWeir()
  try {
    const client = clientOf(server.access)
    const started = performance.now()
    await makeFleet(client, await openBlobStore(join(folder, 'blobs'), { shared: true }), SIZE)
    client.close()
    const { sites, appliancesPerSite, files } = SIZE
    report.note(
      `${sites * appliancesPerSite} appliances at ${sites} sites, ${files} files; made in ${seconds(started).toFixed(0)} s`,
    )
    const kubeconfig = writeKubeconfig(folder, server.access)
    const rows: string[][] = []
    for (const { name, manifest } of CHANGES) {
      const file = join(folder, 'change.yaml')
      writeFileSync(file, manifest)
      const before = processCpuSeconds(server.pids[0]!)
      const whole = await timed([WEIR, 'plan', '-f', file, '-o', 'json', '--kubeconfig', kubeconfig], folder)
      const serverSeconds = processCpuSeconds(server.pids[0]!) - before
      const { fleet } = JSON.parse(whole.stdout) as PlanDocument
      const split = JSON.parse((await timed([SPLIT, file, kubeconfig], folder)).stdout) as Split
      rows.push([
        name,
        whole.wall.toFixed(2),
        whole.cpu.toFixed(2),
        split.read.toFixed(2),
        split.solver.toFixed(2),
        split.rest.toFixed(2),
        serverSeconds.toFixed(2),
        String(fleet.totals.appliances),
        fleet.totals.fillBytes.value === null
          ? 'unknown'
          : `${(fleet.totals.fillBytes.value / 2 ** 40).toFixed(2)} TiB`,
      ])
      report.figure({ name: `plan: ${name}`, value: whole.wall, unit: 's', target: { atMost: 10 } })
    }
    report.table([
      ['change', 'wall s', 'CPU s', 'reading', 'solver', 'the rest', 'server CPU s', 'appliances', 'fill'],
      ...rows,
    ])
  } finally {
    delete process.env.WEIR_BENCH_BLOBS
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const seconds = (since: number) => (performance.now() - since) / 1000

const WEIR = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
const SPLIT = fileURLToPath(new URL('split.ts', import.meta.url))

/** Seconds of CPU time. */
export interface Split {
  readonly read: number
  readonly solver: number
  readonly rest: number
}

interface Timed {
  readonly stdout: string
  /** Seconds. */
  readonly wall: number
  readonly cpu: number
}

/** Runs a script in a process of its own. Exit code 1 says that there are differences. */
async function timed(args: readonly string[], home: string): Promise<Timed> {
  const started = performance.now()
  const env = { PATH: process.env.PATH, HOME: home }
  // To look closer: WEIR_BENCH_CHILD_FLAGS="--cpu-prof --cpu-prof-dir=DIR".
  const flags = process.env.WEIR_BENCH_CHILD_FLAGS?.split(' ') ?? []
  const child = spawn(process.execPath, [...flags, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  let cpu = 0
  const watch = setInterval(() => {
    try {
      cpu = processCpuSeconds(child.pid!)
    } catch {
      // It has ended just now.
    }
  }, 20)
  const [code] = (await once(child, 'close')) as [number | null]
  clearInterval(watch)
  if (code !== 0 && code !== 1) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`)
  return { stdout, wall: seconds(started), cpu }
}

function writeKubeconfig(folder: string, { host, port, authority, client }: Access): string {
  const path = join(folder, 'kubeconfig')
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'bench',
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    clusters: [
      {
        name: 'bench',
        cluster: { server: `https://${host}:${port}`, 'certificate-authority-data': base64(authority) },
      },
    ],
    users: [
      {
        name: 'bench',
        user: { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key) },
      },
    ],
  }
  writeFileSync(path, stringify(config), { mode: 0o600 })
  return path
}
