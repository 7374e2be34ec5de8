import { CliError, ExitCode } from './exit.ts'
import { processIo } from './io.ts'
import { run } from './run.ts'

const { io, interrupt, flushed } = processIo()

/** A terminal sends Ctrl-C to npm, to the shim and to us, and the first two pass it on: within this time it is one Ctrl-C. */
const SAME_INTERRUPT_MS = 500
let interruptedAt: number | undefined
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The first asks the command to stop and say what it left undone; the second does not wait for that.
    if (interruptedAt !== undefined && performance.now() - interruptedAt > SAME_INTERRUPT_MS)
      process.exit(ExitCode.interrupted)
    interruptedAt ??= performance.now()
    interrupt()
  })
}

async function exitCode(): Promise<number> {
  try {
    return await run(process.argv.slice(2), io)
  } catch (error) {
    if (error instanceof CliError) {
      if (error.message !== '') io.err(error.raw ? error.message : `error: ${error.message}\n`)
      return error.code
    }
    if (io.interrupted.aborted) return ExitCode.interrupted
    io.err(
      `error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\nThis is a bug in weir.\n`,
    )
    return ExitCode.api
  }
}

// Not awaited here: what this file is a part of, as published, is imported by the verbs that it runs.
void exitCode().then(async (code) => {
  await flushed()
  process.exit(code)
})
