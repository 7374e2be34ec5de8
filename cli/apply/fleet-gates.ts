import type { Connection } from '../api/connect.ts'
import { CliError, ExitCode } from '../exit.ts'
import type { Io } from '../io.ts'
import type { GateFlags } from '../plan/gates.ts'
import type { Work } from './examine.ts'

/** The limits that only the fleet's own decisions can tell to be passed. `--max-deletes` is none of them. */
export const fleetGates = ({ maxFill, maxDrain, maxOffloadLoss }: GateFlags): GateFlags => ({
  ...(maxFill === undefined ? {} : { maxFill }),
  ...(maxDrain === undefined ? {} : { maxDrain }),
  ...(maxOffloadLoss === undefined ? {} : { maxOffloadLoss }),
})

/** Plans what the fleet would do, as `weir plan` does, and throws exit code 5 where a limit is passed or nobody can tell. */
export async function judgeFleet(io: Io, connection: Connection, flags: GateFlags, work: Work): Promise<void> {
  if (Object.keys(flags).length === 0) return
  const [{ readGates }, { planDocument }, { readFleet }, { gateLine }] = await Promise.all([
    import('../plan/gates.ts'),
    import('../plan/plan.ts'),
    import('../plan/snapshot.ts'),
    import('../plan/text.ts'),
  ])
  const gates = readGates(flags)
  const planned = {
    changes: work.changes,
    deletions: work.orphans.filter(({ keep }) => keep === undefined),
    kept: work.orphans.filter(({ keep }) => keep !== undefined),
    absent: [],
  }
  const document = await planDocument(
    io,
    connection,
    {},
    planned,
    await readFleet(connection.client, io.interrupted),
    gates,
  )
  const refused = document.gates.filter(({ verdict }) => verdict !== 'passed')
  if (refused.length === 0) return
  const lines = refused.map((gate) => `error: ${gateLine(gate, document.fleet.sites)}\n`).join('')
  throw new CliError(ExitCode.gate, `${lines}error: nothing was applied; \`weir plan\` shows more\n`, { raw: true })
}
