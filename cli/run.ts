import { CommanderError } from 'commander'
import { CliError, ExitCode } from './exit.ts'
import type { Io } from './io.ts'
import { createProgram } from './program.ts'

/** Runs one command line (without the program's name) and gives its exit code. Throws CliError. */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  // The shell's completion scripts call this one; it is nobody else's business, and must be quick.
  if (argv[0] === '__complete') return (await import('./completion/complete.ts')).runComplete(io, argv.slice(1))
  let code: ExitCode = ExitCode.ok
  const finish = (result: ExitCode) => {
    code = result
  }
  const program = createProgram(io, finish, argv[0])
  if (argv.length === 0) {
    await io.out(program.helpInformation())
    return ExitCode.ok
  }
  try {
    await program.parseAsync(verbFirst(normalizeFlags(argv, program), program), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Help and version end here too, with exit code 0; commander has printed whatever there was to say.
    if (error.exitCode === 0) return ExitCode.ok
    throw new CliError(ExitCode.usage, '', { cause: error })
  }
  return code
}

interface FlagSource {
  readonly options: readonly {
    readonly short?: string | undefined
    readonly long?: string | undefined
    readonly required: boolean
    readonly optional: boolean
    readonly presetArg?: unknown
    readonly argChoices?: readonly string[] | undefined
  }[]
  readonly commands: readonly FlagSource[]
}

/**
 * kubectl's users write `-o=json`, `--wait=false` and `--dry-run` alone; commander knows `-ojson`, `--no-wait` and `--dry-run=server`.
 * After `--` nothing is touched.
 */
export function normalizeFlags(argv: readonly string[], program: FlagSource): string[] {
  const switches = new Set<string>()
  const presets = new Map<string, { readonly preset: unknown; readonly choices: readonly string[] }>()
  const collect = (command: FlagSource) => {
    for (const { short, long, required, optional, presetArg, argChoices } of command.options) {
      if (long && presetArg !== undefined) presets.set(long, { preset: presetArg, choices: argChoices ?? [] })
      if (!required && !optional) for (const flag of [short, long]) if (flag) switches.add(flag)
    }
    command.commands.forEach(collect)
  }
  collect(program)
  const end = argv.indexOf('--')
  return argv.flatMap((word, index) => {
    if (end >= 0 && index >= end) return [word]
    const short = /^(-[a-zA-Z])=(true|false)$/.exec(word)
    if (short && switches.has(short[1]!)) return short[2] === 'true' ? [short[1]!] : []
    if (/^-[a-zA-Z]=/.test(word)) return [word.slice(0, 2) + word.slice(3)]
    const alone = presets.get(word)
    if (alone && !alone.choices.includes(argv[index + 1] ?? '')) return [`${word}=${alone.preset}`]
    const match = /^--([a-z-]+)=(true|false)$/.exec(word)
    if (!match) return [word]
    const [, name, value] = match
    const [yes, no] = [`--${name}`, `--no-${name}`]
    if (!switches.has(yes) && !switches.has(no)) return [word]
    // What a switch is by default is not said again: only the other way round has a flag.
    if (value === 'true') return switches.has(yes) ? [yes] : []
    return switches.has(no) ? [no] : []
  })
}

/**
 * kubectl's users write `-n prod get sites`; commander knows a verb's flags only after the verb. Flags that no verb has stay where they
 * are, to be refused.
 */
export function verbFirst(argv: readonly string[], program: FlagSource): string[] {
  const options = program.commands.flatMap(({ options }) => options)
  let verb = 0
  for (let word = argv[verb]; word?.startsWith('-'); word = argv[verb]) {
    const name = word.startsWith('--') ? word.replace(/=.*$/s, '') : word.slice(0, 2)
    const option = options.find(({ short, long }) => short === name || long === name)
    if (!option) return [...argv]
    // `-nprod` and `--namespace=prod` bring their value with them.
    verb += option.required && word === name ? 2 : 1
  }
  if (argv[verb] === undefined) return [...argv]
  return [argv[verb]!, ...argv.slice(0, verb), ...argv.slice(verb + 1)]
}
