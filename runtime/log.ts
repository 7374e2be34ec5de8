import pino from 'pino'

/** What code that logs may ask for: pino's shape, fields first. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** A log whose every line carries `fields` too. */
  child(fields: object): Log
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface LogOptions {
  readonly level?: LogLevel
  /** Said on every line as `program`. */
  readonly program?: string
  /** Where lines go; standard error unless told. Stdout is for data. */
  readonly destination?: { write(line: string): void }
}

/** JSON lines: `level` as a word, `time` in RFC 3339, `err` as `{type, message, stack}`. */
export function createLog({ level = 'info', program, destination }: LogOptions = {}): Log {
  return pino(
    {
      level,
      base: program === undefined ? null : { program },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Synchronous: the line that says why a process died must not be lost with it.
    destination ?? pino.destination({ fd: 2, sync: true }),
  )
}

/** Says nothing. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
}
