import type { Connection } from '../api/connect.ts'
import { type CliError, ExitCode, interrupted } from '../exit.ts'
import { type Expected, waitHealthy } from '../health/wait-healthy.ts'
import type { Io } from '../io.ts'
import { visibleLine } from '../output/escape.ts'
import type { Done } from './carry-out.ts'
import { type ObjectRef, refOf } from './events.ts'
import { refName } from './reporter.ts'
import type { Tally } from './tally.ts'

/** Waits until everything applied is healthy and everything pruned is gone. Gives 0, or 7 when it is not so in time. */
export async function awaitHealth(
  io: Io,
  connection: Connection,
  done: Done,
  timeoutMs: number,
  tally: Tally,
): Promise<ExitCode> {
  const refs = new Map<Expected, ObjectRef>()
  for (const { change, object } of done.applied) {
    const { resource } = change.resolved
    refs.set({ resource, ...keyOf(resource.namespaced, object.metadata) }, refOf(object))
  }
  for (const { resource, object } of done.pruned) {
    const { uid = '' } = object.metadata
    refs.set({ resource, ...keyOf(resource.namespaced, object.metadata), gone: uid }, refOf(object))
  }
  const refOfExpected = (expected: Expected) => refs.get(expected)!
  try {
    const unhealthy = await waitHealthy(
      connection,
      [...refs.keys()],
      timeoutMs,
      {
        onHealthy: (expected) =>
          void tally.tell({
            type: 'healthy',
            object: refOfExpected(expected),
            ...(expected.gone === undefined ? {} : { gone: true as const }),
          }),
        onWaiting: (expected, message) =>
          void tally.tell({ type: 'waiting', object: refOfExpected(expected), message }),
      },
      { changed: done.changed, signal: io.interrupted },
    )
    if (unhealthy.length === 0) return ExitCode.ok
    for (const { expected, message, stalled } of unhealthy) {
      const object = refOfExpected(expected)
      const what = expected.gone !== undefined ? 'is not gone' : stalled ? 'failed' : 'is not healthy'
      io.err(`error: ${refName(object)} ${what}: ${visibleLine(message)}\n`)
      await tally.tell({ type: 'failed', exitCode: ExitCode.unhealthy, object, message })
    }
    return ExitCode.unhealthy
  } catch (error) {
    throw io.interrupted.aborted ? stoppedWaiting() : error
  }
}

const stoppedWaiting = (): CliError =>
  interrupted('interrupted while waiting: everything was applied, and may not be healthy yet\n')

function keyOf(namespaced: boolean, { name = '', namespace }: { readonly name?: string; readonly namespace?: string }) {
  return { name, ...(namespaced && namespace ? { namespace } : {}) }
}
