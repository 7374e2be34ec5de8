import { createInterface } from 'node:readline/promises'
import type { Io } from '../io.ts'

/** Asks on the terminal; only `y` and `yes` mean it. Rejects with the signal's reason when interrupted. */
export async function confirm(io: Io, question: string): Promise<boolean> {
  io.err(`${question} [y/N] `)
  // Not a terminal interface: it would catch Ctrl-C, which is to reach the program.
  const lines = createInterface({ input: io.stdin, terminal: false })
  const ended = Promise.withResolvers<string>()
  lines.once('line', ended.resolve)
  lines.once('close', () => ended.resolve(''))
  const onAbort = () => ended.reject(io.interrupted.reason)
  io.interrupted.addEventListener('abort', onAbort, { once: true })
  if (io.interrupted.aborted) onAbort()
  try {
    return /^y(es)?$/i.test((await ended.promise).trim())
  } finally {
    io.interrupted.removeEventListener('abort', onAbort)
    lines.close()
  }
}
