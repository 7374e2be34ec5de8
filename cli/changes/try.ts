import { resourcePath } from '../../runtime/client/resource.ts'
import { ApiError, isNotFound } from '../../runtime/errors.ts'
import { type BatchItem, sendBatches } from '../api/batch.ts'
import type { Connection } from '../api/connect.ts'
import { discovered, forgetDiscovery } from '../api/discovery-cache.ts'
import { concurrently } from '../concurrently.ts'
import type { Io } from '../io.ts'
import type { Body, ChangeOptions } from './change.ts'
import { liveKey, liveObjects } from './live.ts'
import { conflictsOf } from './refusal.ts'
import type { Resolved } from './resolve.ts'
import { fromProbe, isItsOwnFault, probeOf, sendApply } from './send.ts'

/** Requests under way at once. */
const CONCURRENCY = 32

/** An object as it is, and what came of trying to apply it. */
export interface Tried {
  readonly resolved: Resolved
  readonly before: Body | undefined
  readonly result: { readonly after: Body } | { readonly error: unknown }
}

/**
 * Reads and dry-runs objects whose kinds are served: in one batch where the server takes batches, else with one list per resource and
 * namespace and, at the same time, one dry run per object. Throws where reading fails, or when aborted.
 */
export async function tryAll(
  io: Pick<Io, 'err'>,
  connection: Connection,
  set: readonly Resolved[],
  options: ChangeOptions,
): Promise<Tried[]> {
  if (set.length === 0) return []
  const { batchPath } = await discovered(connection, options.signal)
  if (batchPath === undefined) return tryEach(connection, set, options)
  try {
    return await tryInBatch(io, connection, batchPath, set, options)
  } catch (error) {
    if (!isNotFound(error)) throw error
    // Another server than the one that was asked what it serves.
    await forgetDiscovery(connection)
    return tryEach(connection, set, options)
  }
}

async function tryEach(connection: Connection, set: readonly Resolved[], options: ChangeOptions): Promise<Tried[]> {
  const [live, results] = await Promise.all([
    liveObjects(connection, set, options.signal),
    concurrently(set, CONCURRENCY, (resolved) => tryOne(connection, resolved, options)),
  ])
  return set.map((resolved, index) => ({ resolved, before: live.get(liveKey(resolved)), result: results[index]! }))
}

async function tryOne({ client }: Connection, resolved: Resolved, options: ChangeOptions): Promise<Tried['result']> {
  try {
    return { after: await sendApply(client, resolved, { ...options, dryRun: true }) }
  } catch (error) {
    options.signal.throwIfAborted()
    return { error }
  }
}

/** With each object's dry run goes a read of it: together they cost the round trip that a list would. */
async function tryInBatch(
  io: Pick<Io, 'err'>,
  connection: Connection,
  batchPath: string,
  set: readonly Resolved[],
  options: ChangeOptions,
): Promise<Tried[]> {
  const items = set.flatMap((resolved) => [readItem(resolved), dryRunItem(resolved, options)])
  const answers = await sendBatches(connection.client, batchPath, items, optionsOf(io, options))
  return concurrently(set, CONCURRENCY, async (resolved, index) => {
    const [read, applied] = [answers[2 * index]!, answers[2 * index + 1]!]
    if (read instanceof ApiError && !isNotFound(read)) throw read
    const before = read instanceof ApiError ? undefined : (read as Body)
    if (!(applied instanceof ApiError)) return { resolved, before, result: { after: applied as Body } }
    const mayBeTaken = options.take.length > 0 && conflictsOf(applied).length > 0
    return { resolved, before, result: mayBeTaken ? await tryOne(connection, resolved, options) : { error: applied } }
  })
}

/**
 * `tryElsewhere` for many objects, where the server takes batches: of each the object as it would be made, or what is wrong with it. Those of
 * which this cannot be told are left out.
 */
export async function tryElsewhereInBatch(
  io: Pick<Io, 'err'>,
  connection: Connection,
  waiting: readonly Resolved[],
  options: ChangeOptions,
): Promise<ReadonlyMap<Resolved, Body | ApiError>> {
  const { batchPath } = await discovered(connection, options.signal)
  if (batchPath === undefined || waiting.length < 2) return new Map()
  const items = waiting.map((resolved) => probeItem(resolved, options))
  const answers = await sendBatches(connection.client, batchPath, items, optionsOf(io, options))
  return new Map(
    waiting.flatMap((resolved, index): [Resolved, Body | ApiError][] => {
      const answer = answers[index]!
      if (answer instanceof ApiError) return isItsOwnFault(answer) ? [[resolved, answer]] : []
      return [[resolved, fromProbe(resolved, answer as Body)]]
    }),
  )
}

const optionsOf = (io: Pick<Io, 'err'>, { signal }: ChangeOptions) => ({
  signal,
  onWarning: (text: string) => io.err(`Warning: ${text}\n`),
})

function pathOf({ resource, object }: Resolved): string {
  return resourcePath(resource, object.metadata.namespace, object.metadata.name)
}

const readItem = (resolved: Resolved): BatchItem => ({ method: 'GET', path: pathOf(resolved) })

function dryRunItem(resolved: Resolved, { fieldManager }: ChangeOptions): BatchItem {
  const query = new URLSearchParams({ fieldManager, dryRun: 'All', fieldValidation: 'Strict' })
  return {
    method: 'PATCH',
    path: `${pathOf(resolved)}?${query}`,
    contentType: 'application/apply-patch+yaml',
    body: resolved.object,
  }
}

function probeItem(resolved: Resolved, { fieldManager }: ChangeOptions): BatchItem {
  const query = new URLSearchParams({ fieldManager, dryRun: 'All', fieldValidation: 'Strict' })
  const body = probeOf(resolved, true)
  return { method: 'POST', path: `${resourcePath(resolved.resource, body.metadata.namespace)}?${query}`, body }
}
