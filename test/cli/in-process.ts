import { tmpdir } from 'node:os'
import { Readable } from 'node:stream'
import { CliError, ExitCode } from '../../cli/exit.ts'
import type { Io } from '../../cli/io.ts'
import { run } from '../../cli/run.ts'
import type { Result, RunOptions } from './harness.ts'

/**
 * Runs a command line as the program does, in this process: for the tenth variant of something that the program itself was seen to do.
 * Bugs reject.
 */
export async function inProcess(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  let [stdout, stderr] = ['', '']
  const never = new AbortController().signal
  const io: Io = {
    env: options.env ?? {},
    cwd: options.cwd ?? tmpdir(),
    stdin: Readable.from(options.input === undefined ? [] : [Buffer.from(options.input)]),
    out: async (text) => {
      stdout += text
    },
    err: (text) => {
      stderr += text
    },
    errIsTerminal: false,
    outIsTerminal: false,
    interactive: false,
    columns: () => 80,
    interrupted: never,
    readerGone: never,
  }
  try {
    return { code: await run(args, io), stdout, stderr }
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    const message = error.message === '' || error.raw ? error.message : `error: ${error.message}\n`
    return { code: error.code ?? ExitCode.api, stdout, stderr: stderr + message }
  }
}
