import type { Readable, Writable } from 'node:stream'

const isatty = (descriptor: number) => process.getBuiltinModule('node:tty').isatty(descriptor)

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
  /** Whether a person can be asked: stdin and stderr are terminals. */
  readonly interactive: boolean
  /** Columns of the terminal on stderr. */
  readonly columns: () => number
  /** Lines of the terminal on stdout. */
  readonly rows?: () => number
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
export function terminalAllowsColour(stream: Pick<Stream, 'isTTY'>, env: Io['env']): boolean {
  return stream.isTTY === true && env.TERM !== 'dumb' && !env.NO_COLOR
}

/** Makes something when it is first asked for; `made` is what was made by now. */
function once<T>(make: () => T): { (): T; made: T | undefined } {
  const get = () => {
    get.made ??= make()
    return get.made
  }
  get.made = undefined as T | undefined
  return get
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
  // Each stream is made when it is first used: making one takes longer than many a command has to do.
  const stdout = once(() => process.stdout.on('error', gone))
  const stderr = once(() => process.stderr.on('error', () => {}))
  const io: Io = {
    env: process.env,
    cwd: process.cwd(),
    get stdin() {
      return process.stdin
    },
    out(text) {
      if (reader.signal.aborted || text === '') return Promise.resolve()
      return new Promise((resolve) => stdout().write(text, () => resolve()))
    },
    err(text) {
      stderr().write(text)
    },
    get errIsTerminal() {
      return terminalAllowsColour({ isTTY: isatty(2) }, process.env)
    },
    get outIsTerminal() {
      return terminalAllowsColour({ isTTY: isatty(1) }, process.env)
    },
    get interactive() {
      return isatty(0) && isatty(2)
    },
    columns: () => (stderr() as Stream).columns || 80,
    rows: () => (stdout() as NodeJS.WriteStream).rows || 24,
    interrupted: interruption.signal,
    readerGone: reader.signal,
  }
  const drained = (stream: Writable | undefined) =>
    new Promise<void>((resolve) => {
      if (!stream?.writable || stream.writableLength === 0) resolve()
      else stream.write('', () => resolve())
    })
  return {
    io,
    interrupt: () => interruption.abort(),
    flushed: async () => {
      await drained(stdout.made)
      await drained(stderr.made)
    },
  }
}
