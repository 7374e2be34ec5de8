import { CliError, ExitCode, interrupted, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { confirm } from './confirm.ts'
import type { Work } from './examine.ts'
import type { ApplyOptions } from './options.ts'
import { plannedEvents, planText } from './planned.ts'
import type { Tally } from './tally.ts'

/**
 * Says what is going to be done, and has it agreed to: by the gates (`judge` throws for those of the fleet), and by whoever sits at the
 * terminal, or by --yes where something is deleted. Throws exit code 5 when a gate refuses, 2 where --yes is missing, 130 when the answer
 * is no.
 */
export async function agree(
  io: Io,
  work: Work,
  options: ApplyOptions,
  tally: Tally,
  judge: () => Promise<void>,
): Promise<void> {
  const planned = plannedEvents(work.changes, work.orphans)
  for (const event of planned) await tally.tell(event)
  const deletions = planned.filter(({ action }) => action === 'prune').length
  const changes = planned.filter(({ action }) => action !== 'unchanged' && action !== 'keep').length
  const ask = io.interactive && !options.stdinTaken && !options.agreed && !options.dryRun && changes > 0
  const text = planText(planned)
  if (deletions > 0 || ask) io.err(text)
  if (deletions > options.maxDeletes)
    throw new CliError(
      ExitCode.gate,
      `${countText(deletions)} would be deleted, and --max-deletes is ${options.maxDeletes}; nothing was applied`,
    )
  await judge()
  if (options.dryRun) return
  if (ask) {
    if (!(await confirm(io, 'Apply this?'))) throw interrupted('nothing was applied\n')
  } else if (deletions > 0 && !options.agreed)
    throw usageError(`${countText(deletions)} would be deleted; pass --yes to agree to that. Nothing was applied`)
}

const countText = (count: number) => (count === 1 ? '1 object' : `${count} objects`)
