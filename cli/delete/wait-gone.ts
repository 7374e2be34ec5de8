import type { Connection } from '../api/connect.ts'
import { CliError, ExitCode, interrupted } from '../exit.ts'
import { followUntil } from '../health/follow.ts'
import { goneVerdict } from '../health/wait-healthy.ts'
import type { Io } from '../io.ts'
import type { Doomed } from './doomed.ts'

/** An object that was told to go, and its uid, by which a new one of the same name is told apart. */
export interface Deleted extends Doomed {
  readonly uid?: string
}

/** What is held longer than this is said, with what holds it. */
const SAY_AFTER_MS = 1000

/** Waits until objects are gone, telling what holds them. Throws exit code 7 when they are not in time. */
export async function waitUntilGone(
  io: Io,
  connection: Connection,
  deleted: readonly Deleted[],
  timeoutMs: number,
): Promise<void> {
  const held = new Map<Deleted, string>()
  const timer = setInterval(() => {
    for (const [each, message] of held) io.err(`${label(each)}: ${message}\n`)
    held.clear()
  }, SAY_AFTER_MS)
  try {
    const { pending } = await followUntil(connection, deleted, {
      judge: (object, { uid }) => goneVerdict(object, uid),
      timeoutMs,
      signal: io.interrupted,
      onMet: (each) => void held.delete(each),
      onPending: (each, message) => void held.set(each, message),
    })
    if (pending.length === 0) return
    const lines = pending.map(
      ({ followed, message }) => `error: timed out waiting for ${label(followed)} to go (${message})\n`,
    )
    throw new CliError(ExitCode.unhealthy, lines.join(''), { raw: true })
  } catch (error) {
    if (!io.interrupted.aborted) throw error
    throw interrupted('interrupted while waiting: everything was told to go, and may not be gone yet\n')
  } finally {
    clearInterval(timer)
  }
}

const label = ({ resource, name }: Deleted) => `${resource.plural}/${name}`
