import { sleep, systemClock } from '../../runtime/clock.ts'
import type { Connection } from '../api/connect.ts'
import { discover } from '../api/discovery.ts'
import { resourceOfKind } from '../api/mapping.ts'
import type { Resolved } from '../changes/resolve.ts'
import { CliError, ExitCode } from '../exit.ts'

const LONGEST_MS = 30_000
const BETWEEN_MS = 100

/** Waits until the server serves kinds whose definitions have just been applied. Throws exit code 7 when it does not within 30 s. */
export async function waitUntilServed(
  connection: Connection,
  late: readonly Resolved[],
  signal: AbortSignal,
): Promise<void> {
  const deadline = systemClock.monotonicMs() + LONGEST_MS
  for (;;) {
    const discovery = await discover(connection.client, signal)
    const missing = late.filter(({ object }) => !resourceOfKind(discovery, object.apiVersion, object.kind))
    if (missing.length === 0) return
    if (systemClock.monotonicMs() > deadline) {
      const { apiVersion, kind } = missing[0]!.object
      throw new CliError(
        ExitCode.unhealthy,
        `the server does not serve ${kind} of ${apiVersion} ${LONGEST_MS / 1000} s after its definition was applied`,
      )
    }
    await sleep(systemClock, BETWEEN_MS, signal)
  }
}
