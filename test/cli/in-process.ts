import { tmpdir } from 'node:os'
import { Readable } from 'node:stream'
import { CliError, type ExitCode } from '../../cli/exit.ts'
import type { Io } from '../../cli/io.ts'
import { run } from '../../cli/run.ts'
import type { Result, RunOptions } from './harness.ts'

/** Runs a command line without a process of its own, which is a hundred times faster: for verbs that ask nothing of their process. */
export async function inProcess(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const { cwd = tmpdir(), env = {}, input } = options
  let stdout = ''
  let stderr = ''
  const io: Io = {
    env: { PATH: process.env.PATH, ...env },
    cwd,
    stdin: Readable.from(input === undefined ? [] : [Buffer.from(input)]),
    out(text) {
      stdout += text
      return Promise.resolve()
    },
    err(text) {
      stderr += text
    },
    errIsTerminal: false,
    outIsTerminal: false,
    interactive: false,
    columns: () => 80,
    interrupted: new AbortController().signal,
    readerGone: new AbortController().signal,
  }
  try {
    return { code: await run(args, io), stdout, stderr }
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    if (error.message !== '') io.err(error.raw ? error.message : `error: ${error.message}\n`)
    return { code: error.code as ExitCode, stdout, stderr }
  }
}
