import type { Readable, Writable } from 'node:stream'

/** Where a command reads and writes. stdout is data; stderr is progress, warnings and prompts. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly stdin: Readable
  /** Writes data. After the reader has gone (EPIPE) it does nothing. Resolves once the text may be followed by more. */
  out(text: string): Promise<void>
  /** Writes progress, warnings and errors. */
  err(text: string): void
  /** Whether stderr is a terminal on which lines may be redrawn and coloured. */
  readonly errIsTerminal: boolean
  /** Whether stdout is a terminal that may be coloured. */
  readonly outIsTerminal: boolean
  /** Columns of the terminal on stderr. */
  readonly columns: () => number
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly interrupted: AbortSignal
  /** Aborted when nobody reads stdout any more. */
  readonly readerGone: AbortSignal
}

interface Stream extends NodeJS.WritableStream {
  readonly isTTY?: boolean
  readonly columns?: number
}

/** Whether escape sequences may be written: a terminal that is not dumb, and nobody asked for none. */
export function terminalAllowsColour(stream: Stream, env: Io['env']): boolean {
  return stream.isTTY === true && env.TERM !== 'dumb' && env.NO_COLOR === undefined
}

/** The Io of this process. `interrupt` aborts `interrupted`; call it from a signal handler. */
export function processIo(): {
  readonly io: Io
  readonly interrupt: () => void
  readonly flushed: () => Promise<void>
} {
  const interruption = new AbortController()
  const reader = new AbortController()
  const gone = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error
    reader.abort()
  }
  process.stdout.on('error', gone)
  process.stderr.on('error', () => {})
  const io: Io = {
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    out(text) {
      if (reader.signal.aborted || text === '') return Promise.resolve()
      return new Promise((resolve) => process.stdout.write(text, () => resolve()))
    },
    err(text) {
      process.stderr.write(text)
    },
    errIsTerminal: terminalAllowsColour(process.stderr, process.env),
    outIsTerminal: terminalAllowsColour(process.stdout, process.env),
    columns: () => process.stderr.columns || 80,
    interrupted: interruption.signal,
    readerGone: reader.signal,
  }
  const drained = (stream: Writable) =>
    new Promise<void>((resolve) => {
      if (!stream.writable || stream.writableLength === 0) resolve()
      else stream.write('', () => resolve())
    })
  return {
    io,
    interrupt: () => interruption.abort(),
    flushed: async () => {
      await drained(process.stdout)
      await drained(process.stderr)
    },
  }
}
