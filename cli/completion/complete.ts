import type { Command, Option } from 'commander'
import type { KindInfo } from '../../crds/kind.ts'
import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { registry } from '../../crds/registry.gen.ts'
import type { ConnectionFlags } from '../api/connect.ts'
import { ExitCode } from '../exit.ts'
import type { Io } from '../io.ts'
import { createProgram } from '../program.ts'

/** What the shell's script does when there is nothing to offer: complete files, or nothing. */
const FILES = ':0'
const NO_FILES = ':4'

/** Longer than this nobody waits for a completion. */
const SERVER_MS = 1500
const MAX_NAMES = 500

/** Verbs whose words are types and names. */
const TYPED = new Set(['get', 'describe', 'delete', 'wait', 'explain'])

/**
 * Completes a command line: `words` are what stands after the program's name, the last of them unfinished. Prints `word\tmeaning` lines and
 * then a directive, as cobra's `__complete` does, so that kubectl can ask too. Never fails: no answer is an answer.
 */
export async function runComplete(io: Io, words: readonly string[]): Promise<ExitCode> {
  const { candidates, directive } = await complete(io, words).catch(() => ({ candidates: [], directive: NO_FILES }))
  const current = words.at(-1) ?? ''
  const fitting = candidates.filter(({ word }) => word.startsWith(current))
  await io.out(
    `${fitting.map(({ word, meaning }) => (meaning ? `${word}\t${meaning}` : word)).join('\n')}${fitting.length > 0 ? '\n' : ''}${directive}\n`,
  )
  return ExitCode.ok
}

interface Candidate {
  readonly word: string
  readonly meaning?: string
}
interface Completion {
  readonly candidates: readonly Candidate[]
  readonly directive: string
}

const only = (candidates: readonly Candidate[]): Completion => ({ candidates, directive: NO_FILES })
const files: Completion = { candidates: [], directive: FILES }

async function complete(io: Io, words: readonly string[]): Promise<Completion> {
  const program = createProgram(io, () => {})
  const { command, rest } = descend(program, words.slice(0, -1))
  const current = words.at(-1) ?? ''
  const last = rest.at(-1) ?? ''
  const option = command.options.find((o) => takesValue(o) && last !== '' && (o.short === last || o.long === last))
  if (option) return optionValue(io, option, words)
  if (current.startsWith('-')) {
    const flags = [...command.options.filter((o) => o.long !== '--help')].map((o) => ({
      word: o.long ?? o.short ?? '',
      meaning: o.description,
    }))
    return only(flags)
  }
  if (command.commands.length > 0)
    return only(command.commands.map((c) => ({ word: c.name(), meaning: c.description() })))
  if (command.name() === 'completion') return only(['bash', 'zsh', 'fish'].map((word) => ({ word })))
  if (command.name() === 'init') return files
  if (command.name() === 'new' || command.name() === 'schema')
    return only(positionals(command, rest).length === 0 ? await ownKinds(command.name() === 'new') : [])
  if (!TYPED.has(command.name())) return command.options.some((o) => o.long === '--filename') ? files : only([])
  return typesAndNames(io, command.name(), current, positionals(command, rest), words)
}

/** The command that the words lead to, and the words after it. */
function descend(
  program: Command,
  words: readonly string[],
): { readonly command: Command; readonly rest: readonly string[] } {
  let command = program
  let at = 0
  for (; at < words.length; at++) {
    const next = command.commands.find((c) => c.name() === words[at])
    if (!next) break
    command = next
  }
  return { command, rest: words.slice(at) }
}

const takesValue = (option: Option) => option.required || option.optional

function positionals(command: Command, rest: readonly string[]): string[] {
  const found: string[] = []
  for (let at = 0; at < rest.length; at++) {
    const word = rest[at]!
    const option = command.options.find((o) => o.short === word || o.long === word)
    if (option && takesValue(option)) at++
    else if (!word.startsWith('-')) found.push(word)
  }
  return found
}

async function optionValue(io: Io, option: Option, words: readonly string[]): Promise<Completion> {
  switch (option.long) {
    case '--namespace':
      return only((await namesOf(io, words, 'namespaces')).map((word) => ({ word })))
    case '--output':
      return only(['json', 'yaml', 'wide', 'name', 'jsonpath=', 'custom-columns='].map((word) => ({ word })))
    case '--for':
      return only(['condition=Ready', 'condition=', 'delete', 'create', 'jsonpath='].map((word) => ({ word })))
    case '--context':
      return only((await contexts(io, words)).map((word) => ({ word })))
    default:
      return option.argChoices ? only(option.argChoices.map((word) => ({ word }))) : files
  }
}

async function typesAndNames(
  io: Io,
  verb: string,
  current: string,
  before: readonly string[],
  words: readonly string[],
): Promise<Completion> {
  const slash = current.indexOf('/')
  if (slash > 0 && verb !== 'explain') {
    const type = current.slice(0, slash)
    return only((await namesOf(io, words, type)).map((name) => ({ word: `${type}/${name}` })))
  }
  if (before.length === 0) return only(await types(io, words))
  return verb === 'explain' || before[0]!.includes('/')
    ? only([])
    : only((await namesOf(io, words, before[0]!)).map((word) => ({ word })))
}

/** Weir's kinds, or those of them that people write. */
async function ownKinds(authored: boolean): Promise<Candidate[]> {
  const { writtenBy } = await import('../../crds/written-by.ts')
  return Object.values<KindInfo>(registry)
    .filter(({ kind }) => !authored || !(kind in writtenBy))
    .map(({ singular, summary }) => ({ word: singular, meaning: summary }))
}

/** Weir's kinds, and whatever else the server has. */
async function types(io: Io, words: readonly string[]): Promise<Candidate[]> {
  const own = Object.values<KindInfo>(registry).map(({ plural, summary }) => ({ word: plural, meaning: summary }))
  const served = await withServer(io, words, async (connection, signal) => {
    const { discovered } = await import('../api/discovery-cache.ts')
    return (await discovered(connection, signal)).resources
      .filter((r) => r.verbs.includes('list'))
      .map((r) => ({ word: r.plural }))
  })
  return [...new Map([...(served ?? []), ...own].map((candidate) => [candidate.word, candidate])).values()]
}

async function namesOf(io: Io, words: readonly string[], type: string): Promise<string[]> {
  const names = await withServer(io, words, async (connection, signal) => {
    const [{ discovered }, { isKnownType, resourcesFor }, { AS_JSON, readOne }] = await Promise.all([
      import('../api/discovery-cache.ts'),
      import('../api/mapping.ts'),
      import('../api/request.ts'),
    ])
    const resources = resourcesFor(await discovered(connection, signal, (kept) => isKnownType(kept, type)), type)
    const lists = await Promise.all(
      resources.map((resource) =>
        readOne(connection.client, { resource, namespace: connection.namespace, accept: AS_JSON, signal }),
      ),
    )
    const objects = lists.flatMap((list) => (list as { items?: readonly (KubeObject & JsonObject)[] }).items ?? [])
    return objects.map(({ metadata }) => metadata.name ?? '').slice(0, MAX_NAMES)
  })
  return names ?? []
}

/** Asks the server that the command line names; undefined where it does not answer at once. */
async function withServer<T>(
  io: Io,
  words: readonly string[],
  ask: (connection: Awaited<ReturnType<typeof import('../api/connect.ts').connect>>, signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const { connect } = await import('../api/connect.ts')
  const quiet = Object.create(io, { err: { value: () => {} } }) as Io
  try {
    const connection = await connect(quiet, connectionFlagsIn(words))
    return await ask(connection, AbortSignal.timeout(SERVER_MS)).finally(() => connection.client.close())
  } catch {
    return undefined
  }
}

/** `-n x`, `--namespace=x` and the like, wherever they stand. */
function connectionFlagsIn(words: readonly string[]): ConnectionFlags {
  const value = (...flags: string[]) => {
    for (const [index, word] of words.slice(0, -1).entries()) {
      if (flags.includes(word)) return words[index + 1]
      const joined = flags.find((flag) => word.startsWith(`${flag}=`))
      if (joined) return word.slice(joined.length + 1)
    }
    return undefined
  }
  const found = {
    namespace: value('-n', '--namespace'),
    kubeconfig: value('--kubeconfig'),
    context: value('--context'),
    cluster: value('--cluster'),
    user: value('--user'),
    server: value('-s', '--server'),
  }
  return Object.fromEntries(Object.entries(found).filter(([, text]) => text !== undefined && text !== ''))
}

async function contexts(io: Io, words: readonly string[]): Promise<string[]> {
  const [{ readFile }, { parse }, { chosenKubeconfig }, { homedir }, { delimiter, join }] = await Promise.all([
    import('node:fs/promises'),
    import('yaml'),
    import('../api/connect.ts'),
    import('node:os'),
    import('node:path'),
  ])
  const chosen = chosenKubeconfig(io, connectionFlagsIn(words))
  const paths =
    chosen === undefined ? (io.env.KUBECONFIG?.split(delimiter) ?? [join(homedir(), '.kube', 'config')]) : [chosen]
  const found: string[] = []
  for (const path of paths) {
    const config = parse(await readFile(path, 'utf8').catch(() => '')) as {
      contexts?: readonly { name?: string }[]
    } | null
    for (const { name } of config?.contexts ?? []) if (name) found.push(name)
  }
  return found
}
