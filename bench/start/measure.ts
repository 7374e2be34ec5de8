import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { startApiServer } from '../../apiserver/server.ts'
import { installCrds } from '../../cli/up/install-crds.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import type { Report } from '../benchmark.ts'
import { installPublished } from './published.ts'
import { type Command, timeAlternately } from './timing.ts'

const ROUNDS = 25

/** What it takes to start `weir` as it is published, beside kubectl and beside Node with nothing to do. Every file and cache is warm. */
export async function measureStart(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-start-'))
  const server = await startApiServer({ dataDir: join(folder, 'data') })
  try {
    const client = new Client({ access: await loadKubeconfig({ path: server.kubeconfigPath }) })
    await installCrds(client, new AbortController().signal)
    client.close()
    await compare(report, folder, server.kubeconfigPath)
  } finally {
    await server.close()
    rmSync(folder, { recursive: true })
  }
}

async function compare(report: Report, folder: string, kubeconfig: string): Promise<void> {
  const weir = installPublished(folder)
  const home = join(folder, 'home')
  mkdirSync(home)
  const nothing = join(folder, 'nothing.mjs')
  writeFileSync(nothing, '')
  const assets = process.env.KUBEBUILDER_ASSETS
  // The Node that runs this is the first that `#!/usr/bin/env node` finds.
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    HOME: home,
    TMPDIR: folder,
    KUBECONFIG: kubeconfig,
  }
  const command = (name: string, ...words: string[]): Command => ({ name, words, env })
  const commands = [
    command('node, nothing to do', process.execPath, nothing),
    command('weir --help', weir, '--help'),
    command('weir __complete', weir, '__complete', 'ge'),
    command('weir get sites', weir, 'get', 'sites'),
    ...(assets ? [command('kubectl get sites', join(assets, 'kubectl'), 'get', 'sites')] : []),
  ]
  await timeAlternately(commands, 2)
  const timings = await timeAlternately(commands, ROUNDS)
  const ms = (value: number) => `${value.toFixed(0)} ms`
  report.table([
    ['', 'wall, least', 'wall, median', 'CPU, least', 'CPU, median'],
    ...timings.map(({ name, wall, cpu }) => [name, ms(wall.least), ms(wall.median), ms(cpu.least), ms(cpu.median)]),
  ])
  const of = (name: string) => timings.find((timing) => timing.name.startsWith(name))
  for (const name of ['weir --help', 'weir __complete'])
    report.figure({ name: `${name}, wall`, value: of(name)!.wall.median, unit: 'ms', target: { atMost: 120 } })
  const [get, kubectl] = [of('weir get')!, of('kubectl get')]
  if (!kubectl) return report.note('kubectl was not measured: KUBEBUILDER_ASSETS is not set')
  const target = { atMost: 1.5 }
  report.figure({
    name: 'weir get beside kubectl, wall',
    value: get.wall.least / kubectl.wall.least,
    unit: '×',
    target,
  })
  report.figure({ name: 'weir get beside kubectl, CPU', value: get.cpu.least / kubectl.cpu.least, unit: '×', target })
}
