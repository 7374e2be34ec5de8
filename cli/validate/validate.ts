import { ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { endedBySignals } from '../long-work.ts'
import { checkSet } from '../manifests/check.ts'
import { isDefinition } from '../manifests/kinds.ts'
import { loadManifests, type Manifest } from '../manifests/manifest.ts'
import { type FileFlags, fileArguments } from '../manifests/named-files.ts'
import type { Problem } from '../manifests/problem.ts'
import { didYouMean } from '../manifests/suggest.ts'
import { makeReport, type Report } from './report.ts'
import { allRules } from './rules/rules.ts'

interface ValidateFlags extends FileFlags {
  readonly namespace: string
  readonly output?: string
  readonly crds?: readonly string[]
  readonly ignore?: readonly string[]
  readonly strict?: boolean
}

type Printer = (report: Report, io: Io) => Promise<Iterable<string>>

const PRINTERS: Readonly<Record<string, Printer>> = {
  text: async (report) => (await import('./output/text.ts')).printText(report),
  json: async (report) => (await import('./output/json.ts')).printJsonReport(report),
  junit: async (report) => (await import('./output/junit.ts')).printJunit(report),
  sarif: async (report, io) => {
    const [{ printSarif }, { programVersion }] = await Promise.all([
      import('./output/sarif.ts'),
      import('../version-number.ts'),
    ])
    return printSarif(report, io.cwd, programVersion())
  },
  github: async (report, io) => {
    const { printGithub } = await import('./output/github.ts')
    return printGithub(report, io.cwd, io.env.GITHUB_WORKSPACE ?? io.cwd)
  },
}

/** Text is written in pieces of about this many characters. */
const PIECE = 64 * 1024

/** `weir validate`: everything that can be known to be wrong without a server. What is found goes to stdout, how it went to stderr. */
export async function runValidate(io: Io, words: readonly string[], flags: ValidateFlags): Promise<ExitCode> {
  const print = printerOf(flags.output ?? 'text')
  const ignore = ignored(flags.ignore ?? [])
  const loaded = await loadManifests(fileArguments(io, words, flags))
  const definitions = await definitionsIn(io, flags)
  if (loaded.manifests.length + loaded.problems.length === 0) {
    throw usageError(`there is no object in ${loaded.files.length === 1 ? loaded.files[0] : 'any of the files'}`)
  }
  const options = { namespace: flags.namespace, namespaceGiven: false, signal: io.interrupted }
  const checked = await checkSet(loaded.manifests, { ...options, definitions: definitions.manifests })
  const how = { namespace: flags.namespace, ignore, strict: flags.strict ?? false }
  const report = await endedBySignals(io.interrupted, () => makeReport(loaded, checked, definitions.problems, how))
  let piece = ''
  for (const text of await print(report, io)) {
    piece += text
    if (piece.length < PIECE) continue
    await io.out(piece)
    piece = ''
  }
  await io.out(piece)
  io.err((await import('./output/text.ts')).summary(report))
  return report.counts.error > 0 ? ExitCode.usage : ExitCode.ok
}

function printerOf(output: string): Printer {
  const print = Object.hasOwn(PRINTERS, output) ? PRINTERS[output] : undefined
  if (print) return print
  const names = Object.keys(PRINTERS)
  throw usageError(`there is no output format "${output}" (there are ${names.join(', ')})${didYouMean(output, names)}`)
}

function ignored(names: readonly string[]): ReadonlySet<string> {
  const optional = allRules.filter((rule) => rule.optional).map(({ id }) => id)
  for (const name of names) {
    if (optional.includes(name)) continue
    const why = allRules.some(({ id }) => id === name) ? 'cannot be ignored: it is always an error' : 'is not a rule'
    throw usageError(`"${name}" ${why}${didYouMean(name, optional)}; these can be ignored: ${optional.join(', ')}`)
  }
  return new Set(names)
}

/** The definitions that `--crds` names. What else is in those files is left alone; definitions that are wrong are told. */
async function definitionsIn(
  io: Io,
  { crds = [], namespace }: ValidateFlags,
): Promise<{ readonly manifests: readonly Manifest[]; readonly problems: readonly Problem[] }> {
  if (crds.length === 0) return { manifests: [], problems: [] }
  const { cwd, stdin, interrupted } = io
  const loaded = await loadManifests({ files: crds, recursive: true, cwd, stdin, signal: interrupted })
  const manifests = loaded.manifests.filter(({ object }) => isDefinition(object))
  if (manifests.length === 0 && loaded.problems.length === 0) {
    throw usageError(`there is no CustomResourceDefinition in ${crds.join(', ')}`)
  }
  const checked = await checkSet(manifests, { namespace, namespaceGiven: false })
  return { manifests, problems: [...loaded.problems, ...checked.flatMap(({ problems }) => problems)] }
}
