/** What every verb's exit code means; documented in docs/cli.md. */
export const ExitCode = {
  ok: 0,
  differences: 1,
  usage: 2,
  api: 3,
  conflict: 4,
  gate: 5,
  stalePlan: 6,
  unhealthy: 7,
  interrupted: 130,
} as const

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/**
 * A failure that ends the command with a code of its own. `message` is printed on stderr as it is, after `error: ` unless it
 * is `raw` (already rendered, as manifest problems are) or empty.
 */
export class CliError extends Error {
  readonly code: ExitCode
  readonly raw: boolean
  constructor(code: ExitCode, message: string, options: { readonly raw?: boolean; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'CliError'
    this.code = code
    this.raw = options.raw ?? false
  }
}

/** The command was called wrongly. */
export const usageError = (message: string) => new CliError(ExitCode.usage, message)

/** The API server could not be reached, or answered with an error. */
export const apiFailure = (message: string, cause?: unknown) => new CliError(ExitCode.api, message, { cause })

/** What a refusal means to who wants to apply. Who only looks needs no such word. */
export const NOTHING_APPLIED = '; nothing was applied'

/** Somebody pressed Ctrl-C; `message` says what was and was not done. */
export const interrupted = (message = '') => new CliError(ExitCode.interrupted, message, { raw: true })
