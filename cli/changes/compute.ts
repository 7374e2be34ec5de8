import { equalValues } from '../../crds/fieldmanager/value.ts'
import { ApiError, isForbidden, isNotFound } from '../../runtime/errors.ts'
import type { Connection } from '../api/connect.ts'
import { qualifiedName } from '../api/discovery.ts'
import { forgetDiscovery } from '../api/discovery-cache.ts'
import { AS_JSON, readOne } from '../api/request.ts'
import { concurrently } from '../concurrently.ts'
import { NOTHING_APPLIED } from '../exit.ts'
import type { Io } from '../io.ts'
import { Pauses } from '../long-work.ts'
import type { Body, Change, ChangeOptions, ChangeSet } from './change.ts'
import { comparable } from './comparable.ts'
import { fieldChanges } from './field-changes.ts'
import { mergeLocally } from './local-merge.ts'
import { MergeSchemas } from './merge-schema.ts'
import { migrated, migrationOf } from './migration.ts'
import { Permissions } from './permissions.ts'
import { type Refused, refusal } from './refusal.ts'
import type { Resolved } from './resolve.ts'
import { tryElsewhere, waitsForSet } from './send.ts'
import { type Tried, tryAll, tryElsewhereInBatch } from './try.ts'

/** Requests under way at once. */
const CONCURRENCY = 32

/** What one manifest makes of its object, and who says so. */
interface Merged {
  readonly resolved: Resolved
  readonly before: Body | undefined
  readonly after: Body | undefined
  readonly source: Change['source']
  /** Managers whose fields become ours. */
  readonly handedOver?: readonly string[]
}

/**
 * What applying a set of manifests would change, without changing anything. Objects are read and tried in one batch, or with one list per
 * resource and namespace and a dry run each; what cannot be tried yet (its namespace or kind is part of the set) or may not be (no `patch`
 * permission) is merged by this program, and the latter said on stderr.
 * Throws one CliError with all that is refused (2: what the files get wrong, with places; 4: conflicts; 3: the rest), and what the client
 * throws.
 */
export async function computeChanges(
  io: Pick<Io, 'err'>,
  connection: Connection,
  set: readonly Resolved[],
  options: ChangeOptions,
): Promise<ChangeSet> {
  const tried = await tryAll(
    io,
    connection,
    set.filter(({ late }) => !late),
    options,
  )
  const results = new Map(tried.map((one) => [one.resolved, one]))
  const waiting = tried.filter(({ resolved, result }) => 'error' in result && waitsForSet(result.error, resolved, set))
  const elsewhere = await tryElsewhereInBatch(
    io,
    connection,
    waiting.map(({ resolved }) => resolved),
    options,
  )
  const settling = new Settling(connection, set, elsewhere, options)
  const settled = await concurrently(set, CONCURRENCY, (resolved) => settling.settle(resolved, results.get(resolved)))
  settling.report(io)
  if (settling.unserved) {
    await forgetDiscovery(connection)
    io.err('note: the server serves other kinds than it did minutes ago: run this again\n')
  }
  const refused = settled.filter((result): result is Refused => 'error' in result)
  if (refused.length > 0) throw refusal(refused, options.strict ? NOTHING_APPLIED : '')
  const pauses = new Pauses(options.signal)
  const changes: Change[] = []
  for (const merged of settled as Merged[]) {
    if (pauses.areDue) await pauses.take()
    changes.push(changeOf(merged, options))
  }
  return { changes }
}

/** Finds out what becomes of objects that the server could not be made to try. */
class Settling {
  readonly #connection: Connection
  readonly #set: readonly Resolved[]
  readonly #elsewhereTried: ReadonlyMap<Resolved, Body | ApiError>
  readonly #options: ChangeOptions
  readonly #schemas: MergeSchemas
  readonly #permissions: Permissions
  readonly #notPermitted = new Set<string>()
  /** A kind that was thought to be served is not. */
  unserved = false

  constructor(
    connection: Connection,
    set: readonly Resolved[],
    elsewhere: ReadonlyMap<Resolved, Body | ApiError>,
    options: ChangeOptions,
  ) {
    this.#connection = connection
    this.#set = set
    this.#elsewhereTried = elsewhere
    this.#options = options
    this.#schemas = new MergeSchemas(connection.client, set, options.signal)
    this.#permissions = new Permissions(connection.client, options.signal)
  }

  async settle(resolved: Resolved, tried: Tried | undefined): Promise<Merged | Refused> {
    const settled = await this.#settle(resolved, tried)
    return 'error' in settled ? settled : withMigration(settled, this.#options.fieldManager)
  }

  async #settle(resolved: Resolved, tried: Tried | undefined): Promise<Merged | Refused> {
    if (!tried) return this.#locally(resolved, undefined)
    const { before, result } = tried
    if ('after' in result) return this.#asOfOneMoment(resolved, before, result.after)
    const { error } = result
    if (waitsForSet(error, resolved, this.#set)) return this.#elsewhere(resolved)
    if (isForbidden(error) && !this.#options.strict && !(await this.#permissions.mayApply(resolved, before))) {
      const { namespace } = resolved.object.metadata
      const place = resolved.resource.namespaced ? ` in namespace "${namespace}"` : ''
      this.#notPermitted.add(`${qualifiedName(resolved.resource)}${place}`)
      return this.#locally(resolved, before)
    }
    if (isNotFound(error) && error instanceof ApiError && error.details?.name === undefined) this.unserved = true
    // The set changes the definition of the kind: the object may need what is new in it. It was checked against that already.
    const misfit = error instanceof ApiError && [400, 422, 500].includes(error.code)
    if (misfit && this.#schemas.definedInSet(resolved)) return this.#locally(resolved, before)
    return { resolved, error, ...(before ? { before } : {}) }
  }

  /** Says what was merged without the server. */
  report(io: Pick<Io, 'err'>): void {
    if (this.#notPermitted.size === 0) return
    const what = [...this.#notPermitted].sort().join(', ')
    io.err(
      `note: you may not apply ${what}: merged here instead, without the server's admission and defaults of built-in kinds\n`,
    )
  }

  /** Reading and trying are two requests: what changed in between must not look like a change by the file. */
  async #asOfOneMoment(resolved: Resolved, before: Body | undefined, after: Body): Promise<Merged> {
    const moved =
      before !== undefined &&
      after.metadata.resourceVersion !== before.metadata.resourceVersion &&
      !equalValues(comparable(before), comparable(after))
    const { resource, object } = resolved
    const { name = '', namespace } = object.metadata
    const request = {
      resource,
      name,
      accept: AS_JSON,
      signal: this.#options.signal,
      ...(namespace === undefined ? {} : { namespace }),
    }
    const again = moved ? ((await readOne(this.#connection.client, request)) as Body) : before
    return { resolved, before: again, after, source: 'server' }
  }

  async #elsewhere(resolved: Resolved): Promise<Merged | Refused> {
    const known = this.#elsewhereTried.get(resolved)
    if (known instanceof ApiError) return { resolved, error: known }
    try {
      const after = known ?? (await tryElsewhere(this.#connection.client, resolved, this.#options))
      if (after) return { resolved, before: undefined, after, source: 'server' }
    } catch (error) {
      this.#options.signal.throwIfAborted()
      return { resolved, error }
    }
    return this.#locally(resolved, undefined)
  }

  async #locally(resolved: Resolved, before: Body | undefined): Promise<Merged | Refused> {
    try {
      return {
        resolved,
        before,
        after: await mergeLocally(this.#schemas, resolved, before, this.#options),
        source: 'local',
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      return { resolved, error }
    }
  }
}

/** With what client-side apply had set, and the manifest does not have any more, gone: that is applied for it. */
function withMigration(merged: Merged, fieldManager: string): Merged {
  const { before, after } = merged
  const migration = before && after && migrationOf(after, fieldManager)
  if (!migration || migration.removed.length === 0) return merged
  return { ...merged, after: migrated(after, migration), handedOver: migration.managers }
}

function changeOf({ resolved, before, after, source, handedOver = [] }: Merged, options: ChangeOptions): Change {
  const { manifest, object, resource } = resolved
  const fields = after
    ? fieldChanges({
        manifest,
        sent: object,
        before,
        after,
        fieldManager: options.fieldManager,
        handedOver,
        ownStatus: !resource.subresources.includes('status'),
      })
    : []
  const yours = fields.some((field) => field.class === 'yours')
  return {
    resolved,
    action: before === undefined ? 'create' : yours ? 'update' : 'unchanged',
    before,
    after,
    fields,
    source,
  }
}
