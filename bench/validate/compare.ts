import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Report } from '../benchmark.ts'
import { installPublished } from '../start/published.ts'
import { type Command, timeAlternately } from '../start/timing.ts'
import { fleetManifests } from './fleet.ts'

const KUBECONFORM = 'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0'
const SCHEMAS = fileURLToPath(new URL('../../crds/schemas', import.meta.url))
const SIZES = [10_000, 50_000]
const ROUNDS = 5
/** What kubeconform's README says of itself, of about as many objects as our largest size: 50,714 in 6.7 s. */
const THEIR_RATE = Math.ceil(50_714 / 6.7)

/** `weir validate` of one large file, from start to end, beside kubeconform with our JSON Schemas where there is a Go toolchain. */
export async function compareValidate(report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-validate-'))
  try {
    const weir = installPublished(folder)
    const theirs = installKubeconform(folder, report)
    for (const objects of SIZES) {
      const file = join(folder, `${objects}.yaml`)
      const text = fleetManifests(objects)
      writeFileSync(file, text)
      report.note(`${objects} objects, ${(text.length / 1e6).toFixed(1)} MB:`)
      await compare(report, objects, commandsFor(folder, file, weir, theirs))
    }
    report.note(
      'kubeconform checks types, enums and limits; weir defaults, metadata, CEL rules, references and overlaps too.',
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function commandsFor(folder: string, file: string, weir: string, theirs: string | undefined): Command[] {
  const home = join(folder, 'home')
  mkdirSync(home, { recursive: true })
  // The Node that runs this is the first that `#!/usr/bin/env node` finds.
  const env = { PATH: `${dirname(process.execPath)}:${process.env.PATH}`, HOME: home, TMPDIR: folder }
  const schemas = `${SCHEMAS}/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json`
  return [
    { name: 'weir validate', words: [weir, 'validate', '-f', file], env },
    ...(theirs
      ? [{ name: 'kubeconform', words: [theirs, '-strict', '-n', '4', '-schema-location', schemas, file], env }]
      : []),
  ]
}

async function compare(report: Report, objects: number, commands: readonly Command[]): Promise<void> {
  await timeAlternately(commands, 1)
  const timings = await timeAlternately(commands, ROUNDS)
  const s = (ms: number) => `${(ms / 1000).toFixed(2)} s`
  report.table([
    ['', 'wall, least', 'wall, median', 'CPU, least'],
    ...timings.map(({ name, wall, cpu }) => [name, s(wall.least), s(wall.median), s(cpu.least)]),
  ])
  const [ours, peer] = timings
  const of = `validate ${objects.toLocaleString('en')} objects`
  const seconds = ours!.wall.median / 1000
  report.figure({ name: of, value: seconds, unit: 's', ...(objects === 10_000 ? { target: { atMost: 3 } } : {}) })
  const rate = { name: `${of}, rate`, value: objects / seconds, unit: 'per second' }
  report.figure(objects === SIZES.at(-1) ? { ...rate, target: { atLeast: THEIR_RATE } } : rate)
  if (!peer) return
  const times = (name: string, value: number) => report.figure({ name: `${of}, ${name}`, value, unit: '×' })
  times("rate beside kubeconform's on all cores", peer.wall.median / ours!.wall.median)
  times('objects per CPU-second beside kubeconform', peer.cpu.least / ours!.cpu.least)
}

function installKubeconform(folder: string, report: Report): string | undefined {
  try {
    execFileSync('go', ['install', KUBECONFORM], { env: { ...process.env, GOBIN: folder }, stdio: 'pipe' })
    return join(folder, 'kubeconform')
  } catch (error) {
    report.note(`kubeconform is not compared: it cannot be built here (${(error as Error).message.split('\n')[0]})`)
    return undefined
  }
}
