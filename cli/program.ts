import { Command } from 'commander'
import type { ExitCode } from './exit.ts'
import type { Io } from './io.ts'
import type { Verb, VerbGroup } from './verb.ts'
import { verbs } from './verbs.ts'

/**
 * The command tree: verbs with their flags, as commander reads and explains them; of all verbs, or of the one called `only`, which is quicker.
 * `finish` receives the exit code.
 */
export function createProgram(io: Io, finish: (code: ExitCode) => void, only?: string): Command {
  const program = new Command('weir')
    .description('Fleets of content-delivery appliances from YAML: what they hold, run and serve.')
    .usage('<verb> [flags]')
    .configureOutput({
      writeOut: (text) => void io.out(text),
      writeErr: (text) => io.err(text),
      getOutHelpWidth: () => (io.outIsTerminal ? io.columns() : 120),
      getErrHelpWidth: () => (io.errIsTerminal ? io.columns() : 120),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride()
    .helpCommand('help [verb]', 'show the flags of a verb, and examples')
    .configureHelp({ subcommandTerm: (command) => command.name() })
  const one = verbs.find((verb) => nameOf(verb) === only)
  for (const verb of one ? [one] : verbs) define(program, 'weir', verb, io, finish)
  return program
}

const nameOf = ({ usage }: Verb | VerbGroup) => usage.split(' ', 1)[0]!

function define(
  parent: Command,
  path: string,
  verb: Verb | VerbGroup,
  io: Io,
  finish: (code: ExitCode) => void,
): Command {
  const name = nameOf(verb)
  const command = parent
    .command(name)
    .usage(verb.usage.slice(name.length + 1))
    .description(verb.description)
  if ('verbs' in verb) {
    for (const each of verb.verbs) define(command, `${path} ${name}`, each, io, finish)
    return command
  }
  const { examples, flags, load } = verb
  command
    .argument('[words...]')
    .showHelpAfterError(`Run \`${path} ${name} --help\` for its flags.`)
    .configureHelp({ visibleArguments: () => [] })
    .addHelpText('after', examples.length === 0 ? '' : `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`)
    .action(async (words: string[], given: unknown) => {
      const run = await load()
      finish(await run(io, words, given as never))
    })
  return flags ? flags(command) : command
}
