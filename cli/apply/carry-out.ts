import type { Connection } from '../api/connect.ts'
import { describeFailure, requestFailure } from '../api/failure.ts'
import { scopeOf } from '../applyset/membership.ts'
import type { Orphan } from '../applyset/orphans.ts'
import { type ApplySet, type Scope, union, writeScope } from '../applyset/parent.ts'
import { prune } from '../applyset/prune.ts'
import type { Body, Change } from '../changes/change.ts'
import { migrationOf } from '../changes/migration.ts'
import { inWaves } from '../changes/order.ts'
import { conflictsOf } from '../changes/refusal.ts'
import { sendApply } from '../changes/send.ts'
import { asSeen, sendAsSeen } from '../changes/send-as-seen.ts'
import { Patience } from '../delete/once-unused.ts'
import { CliError, ExitCode, interrupted } from '../exit.ts'
import type { Io } from '../io.ts'
import { objectName } from '../output/format.ts'
import { type AppliedEvent, placeOf, refOf } from './events.ts'
import { madeBySet, type Work } from './examine.ts'
import { type Execution, execute } from './execute.ts'
import { migrate } from './migrate.ts'
import type { ApplyOptions } from './options.ts'
import { changesNothing } from './outcome.ts'
import { shown } from './reporter.ts'
import type { Tally } from './tally.ts'
import { waitUntilServed } from './wait-served.ts'

/** Requests under way at once. */
const CONCURRENCY = 32

/** What is there to wait for afterwards. */
export interface Done {
  readonly applied: readonly { readonly change: Change; readonly object: Body }[]
  readonly pruned: readonly Orphan[]
  /** Whether anything was written at all. */
  readonly changed: boolean
}

/** Applies wave by wave, then prunes the other way round. Throws with what was done and what was not, when it does not get to the end. */
export async function carryOut(
  io: Io,
  connection: Connection,
  work: Work,
  options: ApplyOptions,
  tally: Tally,
): Promise<Done> {
  const inventory = work.applySet && new Inventory(connection, work, work.applySet, options)
  const applied = await applyAll(io, connection, work, options, tally, inventory)
  const { pruned, kept } = await pruneAll(io, connection, work, options, tally, applied)
  if (options.prune) await inventory?.shrink(kept)
  const changed = pruned.length > 0 || applied.some(({ change }) => !changesNothing(change))
  return { applied, pruned, changed }
}

/** The set's parent object: it names the kinds and namespaces of members before there are any, so that none is ever lost. */
class Inventory {
  readonly #connection: Connection
  readonly #work: Work
  readonly #set: ApplySet
  readonly #options: ApplyOptions
  readonly #now: Scope
  #widened = false

  constructor(connection: Connection, work: Work, set: ApplySet, options: ApplyOptions) {
    this.#connection = connection
    this.#work = work
    this.#set = set
    this.#options = options
    this.#now = scopeOf(
      set,
      work.changes.map(({ resolved }) => resolved),
    )
  }

  /** Before anything is applied; where the manifests make the inventory's own namespace, after that. */
  async widen(isFirst: boolean, signal: AbortSignal): Promise<void> {
    if (this.#widened || this.#options.dryRun || (isFirst && madeBySet(this.#work.changes, this.#set))) return
    await writeScope(this.#connection.client, this.#set, union(this.#set.scope, this.#now), { signal })
    this.#widened = true
  }

  /** When everything is done: what is left. Not interrupted, because it is one request and all else is done. */
  async shrink(kept: readonly Orphan[]): Promise<void> {
    if (this.#options.dryRun) return
    const { unserved } = this.#work
    const scope = union(this.#now, scopeOf(this.#set, kept))
    const hidden: Scope = {
      kinds: new Set(unserved),
      namespaces: unserved.length > 0 ? this.#set.scope.namespaces : new Set(),
    }
    await writeScope(this.#connection.client, this.#set, union(scope, hidden), {})
  }
}

async function applyAll(
  io: Io,
  connection: Connection,
  { changes }: Work,
  options: ApplyOptions,
  tally: Tally,
  inventory: Inventory | undefined,
): Promise<Done['applied']> {
  const applied: { change: Change; object: Body }[] = []
  const waves = inWaves(changes, ({ resolved }) => resolved.object)
  const execution = await execute<Change, Body>(waves, {
    concurrency: CONCURRENCY,
    interrupted: io.interrupted,
    prepare: async (wave) => {
      await inventory?.widen(wave === waves[0], io.interrupted)
      const late = wave.flatMap(({ resolved }) => (resolved.late ? [resolved] : []))
      if (late.length > 0 && !options.dryRun) await waitUntilServed(connection, late, io.interrupted)
    },
    send: async (change, signal) =>
      options.dryRun ? wouldBe(change) : await send(io, connection, change, options, signal),
    onDone: async (change, object) => {
      applied.push({ change, object })
      await tally.tell(appliedEvent(change, object, options))
    },
  })
  if (!io.interrupted.aborted && !execution.failure) {
    // The set's own namespace may have been the only wave.
    await inventory?.widen(false, io.interrupted)
    return applied
  }
  const ref = ({ resolved, before }: Change) => refOf(before ?? resolved.object)
  tally.left(execution.pending.map(ref), execution.unknown.map(ref))
  throw stopped(io, execution, (change) => objectName(change.resolved.object), 'applied', options)
}

const wouldBe = ({ resolved, after, before }: Change): Body => after ?? before ?? resolved.object

async function send(
  io: Io,
  { client }: Connection,
  change: Change,
  options: ApplyOptions,
  signal: AbortSignal,
): Promise<Body> {
  const { fieldManager, take } = options
  if (changesNothing(change)) return change.before!
  const how = { fieldManager, take, dryRun: false, signal }
  const { resolved } = change
  const apply = (before: Body | undefined) =>
    options.onlyAsSeen ? sendAsSeen(client, { resolved, before }, how) : sendApply(client, resolved, how)
  const applied = await apply(change.before)
  if (applied.metadata.deletionTimestamp)
    io.err(`Warning: ${objectName(applied)} was applied to, but is being deleted\n`)
  const migration = change.before && migrationOf(applied, fieldManager)
  if (!migration) return applied
  const check = (now: Body | undefined) => (options.onlyAsSeen ? asSeen(now, applied, resolved) : undefined)
  return await migrate(client, resolved, applied, { fieldManager, reapply: apply, check, signal })
}

function appliedEvent(change: Change, object: Body, { dryRun }: ApplyOptions): AppliedEvent {
  const { before, resolved } = change
  const action = before === undefined ? 'created' : change.action === 'update' ? 'configured' : 'unchanged'
  const place = placeOf(resolved.manifest.place)
  return { type: 'applied', action, dryRun: dryRun !== undefined, manifest: place, object: shown(object) }
}

async function pruneAll(
  io: Io,
  connection: Connection,
  { orphans, applySet }: Work,
  options: ApplyOptions,
  tally: Tally,
  applied: Done['applied'],
): Promise<{ readonly pruned: Orphan[]; readonly kept: Orphan[] }> {
  const [pruned, kept]: [Orphan[], Orphan[]] = [[], []]
  const dryRun = options.dryRun !== undefined
  const keep = async (orphan: Orphan, reason: string) => {
    kept.push(orphan)
    await tally.tell({ type: 'pruned', action: 'kept', dryRun, object: refOf(orphan.object), reason })
  }
  for (const orphan of orphans) if (orphan.keep !== undefined) await keep(orphan, orphan.keep)
  const doomed = orphans.filter((orphan) => orphan.keep === undefined)
  let changed = 0
  const patience = new Patience(connection.client, io.interrupted)
  const execution = await execute<Orphan, Awaited<ReturnType<typeof prune>>>(
    inWaves(doomed, ({ object }) => object).reverse(),
    {
      concurrency: CONCURRENCY,
      interrupted: io.interrupted,
      send: async (orphan, signal) => {
        const result = await patience.onceUnused({ ...orphan, signal }, () =>
          prune(connection, applySet, orphan, { dryRun, signal }),
        )
        if (!dryRun && result.type !== 'kept') patience.deleted()
        return result
      },
      onDone: async (orphan, result) => {
        if (result.type === 'kept') {
          changed++
          await keep(orphan, result.reason)
          return
        }
        pruned.push(orphan)
        await tally.tell({ type: 'pruned', action: 'deleted', dryRun, object: refOf(orphan.object) })
      },
    },
  )
  if (io.interrupted.aborted || execution.failure) {
    tally.left(
      execution.pending.map(({ object }) => refOf(object)),
      execution.unknown.map(({ object }) => refOf(object)),
    )
    if (applied.length > 0) io.err(`applied: all ${applied.length} objects of the manifests\n`)
    throw stopped(io, execution, ({ object }) => objectName(object), 'pruned', options)
  }
  if (changed > 0)
    throw new CliError(
      options.onlyAsSeen ? ExitCode.stalePlan : ExitCode.api,
      `not everything was pruned: what changed after it was looked at is kept. ${
        options.onlyAsSeen ? 'Plan again' : 'Running the same command again looks anew'
      }`,
    )
  return { pruned, kept }
}

/** Ends the command half-way: what was done, what not, and of what it is not known. */
function stopped<T>(
  io: Io,
  { done, unknown, pending, failure }: Execution<T>,
  nameOf: (item: T) => string,
  verb: string,
  { onlyAsSeen }: ApplyOptions,
): unknown {
  const list = (what: string, items: readonly T[]) =>
    items.length === 0 ? '' : `${what}: ${items.map(nameOf).join(', ')}\n`
  // What a plan has done is a change since it was made.
  const again = onlyAsSeen ? 'Plan again to go on from here.' : 'Running the same command again goes on from here.'
  const report =
    list(verb, done) +
    list(`sent, but not answered (it may have been ${verb})`, unknown) +
    list(`not ${verb}`, pending) +
    `${again}\n`
  if (io.interrupted.aborted) return interrupted(`interrupted\n${report}`)
  const { item, error } = failure!
  const about = item === undefined ? '' : `${nameOf(item)}: `
  if (error instanceof CliError) return new CliError(error.code, `${report}${about}${error.message}\n`, { raw: true })
  if (requestFailure(error) === error) return error
  const code = conflictsOf(error).length > 0 ? ExitCode.conflict : ExitCode.api
  return new CliError(code, `${report}${describeFailure(error)}${about === '' ? '' : ` (${about.slice(0, -2)})`}\n`, {
    raw: true,
    cause: error,
  })
}
