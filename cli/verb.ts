import type { Command } from 'commander'
import type { ExitCode } from './exit.ts'
import type { Io } from './io.ts'

/** What a verb does with the words and flags of its command line. `flags` is whatever its own flags say. Throws CliError. */
export type Run = (io: Io, words: readonly string[], flags: never) => Promise<ExitCode>

/** A verb as the command line knows it. Its code is only imported when it runs, so that `--help` and completion answer at once. */
export interface Verb {
  /** Its name, then its arguments: `get TYPE [NAME…] [flags]`. */
  readonly usage: string
  /** One line, for the list of verbs. */
  readonly description: string
  readonly examples: readonly string[]
  readonly flags?: (command: Command) => Command
  readonly load: () => Promise<Run>
}

/** Verbs under a common name: `catalog create`. */
export interface VerbGroup {
  readonly usage: string
  readonly description: string
  readonly verbs: readonly Verb[]
}
