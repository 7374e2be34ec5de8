import { appliances as applianceKind, sites as siteKind } from '../../controllers/resources.ts'
import type { Appliance, Site } from '../../crds/types.gen.ts'
import { Cache } from '../../runtime/cache/cache.ts'
import { sleep, systemClock } from '../../runtime/clock.ts'
import { type Connection, type ConnectionFlags, connect } from '../api/connect.ts'
import { requestFailure } from '../api/failure.ts'
import { parseDuration } from '../duration.ts'
import { CliError, ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { didYouMean } from '../manifests/suggest.ts'
import { Rates } from './rates.ts'
import { applianceRow, type Row, siteRow } from './rows.ts'
import { checkSortColumn, type TopTable, topTable } from './table.ts'

export interface TopFlags extends ConnectionFlags {
  readonly selector?: string
  readonly fieldSelector?: string
  readonly allNamespaces?: boolean
  readonly sortBy: string
  readonly headers: boolean
  readonly once?: boolean
  readonly watch?: boolean
  readonly interval: string
}

/** `weir top`: what fills, how fast, and how long it takes still. */
export async function runTop(io: Io, words: readonly string[], flags: TopFlags): Promise<ExitCode> {
  const [type = '', ...names] = words
  const of = typeOf(type)
  checkSortColumn(of, flags.sortBy)
  const intervalMs = parseDuration(flags.interval)
  if (!(intervalMs >= 100)) throw usageError(`--interval ${flags.interval} is too short: at least 100ms`)
  if (flags.once && flags.watch) throw usageError('--once and --watch contradict each other')
  const connection = await connect(io, flags)
  const fleet = new Fleet(connection, of, names, flags)
  const signal = AbortSignal.any([io.interrupted, io.readerGone])
  try {
    await fleet.read(signal)
    const live = io.outIsTerminal && !flags.once
    const table = { of, sortBy: flags.sortBy, withNamespace: flags.allNamespaces ?? false, headers: flags.headers }
    if (!live && !flags.watch) return await once(io, connection, fleet, { ...table, bars: io.outIsTerminal }, flags)
    for (let drawn = 0; ; await sleep(systemClock, intervalMs, signal))
      drawn = await draw(io, fleet, table, live, drawn)
  } catch (error) {
    if (io.readerGone.aborted) return ExitCode.ok
    // Live, Ctrl-C is how one leaves.
    if (io.interrupted.aborted) return io.outIsTerminal && !flags.once ? ExitCode.ok : ExitCode.interrupted
    throw requestFailure(error)
  } finally {
    await fleet.close()
    connection.client.close()
  }
}

function typeOf(word: string): TopTable['of'] {
  const known: Readonly<Record<TopTable['of'], readonly string[]>> = {
    sites: [siteKind.plural, 'site'],
    appliances: [applianceKind.plural, 'appliance', 'ap'],
  }
  for (const subject of ['sites', 'appliances'] as const)
    if (known[subject].includes(word.toLowerCase())) return subject
  throw usageError(`top of what? sites or appliances${didYouMean(word, ['sites', 'appliances'])}`)
}

async function once(
  io: Io,
  { namespace }: Connection,
  fleet: Fleet,
  table: TopTable,
  { allNamespaces }: TopFlags,
): Promise<ExitCode> {
  const rows = fleet.rows()
  if (rows.length === 0)
    io.err(allNamespaces ? 'No resources found\n' : `No resources found in ${namespace} namespace.\n`)
  else await io.out(topTable(rows, table))
  return ExitCode.ok
}

/** Shows the table: on a terminal over the one before, of `drawn` lines. Gives how many lines it has. */
async function draw(
  io: Io,
  fleet: Fleet,
  table: Omit<TopTable, 'bars'>,
  live: boolean,
  drawn: number,
): Promise<number> {
  const rows = fleet.rows()
  const text = topTable(rows, { ...table, bars: live })
  if (!live) {
    await io.out(`${drawn > 0 ? '\n' : ''}${text}`)
    return 1
  }
  const note = fleet.trouble === undefined ? '' : `cannot follow the server just now: ${fleet.trouble}\n`
  const lines = `${note}${text}`
    .trimEnd()
    .split('\n')
    .slice(0, Math.max(2, (io.rows?.() ?? 24) - 1))
  const cut = lines.map((line) => [...line].slice(0, io.columns() - 1).join(''))
  const back = drawn > 0 ? `\u001b[${drawn}A` : ''
  await io.out(`${back}${cut.map((line) => `\u001b[2K${line}\n`).join('')}\u001b[J`)
  return cut.length
}

/** The sites and appliances of a command line, followed. */
class Fleet {
  readonly #of: TopTable['of']
  readonly #names: readonly string[]
  readonly #selected: boolean
  readonly #rates = new Rates()
  readonly #appliances: Cache<Appliance>
  readonly #sites: Cache<Site> | undefined

  constructor({ client, namespace }: Connection, of: TopTable['of'], names: readonly string[], flags: TopFlags) {
    this.#of = of
    this.#names = names
    this.#selected = Boolean(flags.selector || flags.fieldSelector)
    if (names.length > 0 && (this.#selected || flags.allNamespaces))
      throw usageError('names cannot be given together with a selector or --all-namespaces')
    const place = flags.allNamespaces ? {} : { namespace }
    const chosen = {
      ...(flags.selector === undefined ? {} : { labelSelector: flags.selector }),
      ...(flags.fieldSelector === undefined ? {} : { fieldSelector: flags.fieldSelector }),
    }
    this.#appliances = new Cache({ client, resource: applianceKind, ...place, ...(of === 'appliances' ? chosen : {}) })
    this.#sites = of === 'sites' ? new Cache({ client, resource: siteKind, ...place, ...chosen }) : undefined
  }

  /** Reads all of it once, or throws why that cannot be; from then on it is followed. */
  async read(signal: AbortSignal): Promise<void> {
    const caches = [this.#appliances, ...(this.#sites ? [this.#sites] : [])]
    for (const cache of caches) cache.start()
    await Promise.all(caches.map((cache) => firstRead(cache, signal)))
    const missing = this.#names.filter((name) => !this.rows().some((row) => row.name === name))
    if (missing.length > 0)
      throw new CliError(
        ExitCode.api,
        `${this.#of} ${missing.map((name) => JSON.stringify(name)).join(', ')} not found`,
      )
  }

  /** Why it cannot be followed just now. */
  get trouble(): string | undefined {
    return (this.#appliances.error ?? this.#sites?.error)?.message
  }

  rows(): Row[] {
    const now = systemClock.monotonicMs()
    const appliances = this.#appliances.list()
    for (const { metadata, status } of appliances)
      this.#rates.note(`${metadata.namespace}/${metadata.name}`, status?.content?.bytesHeld ?? 0, now)
    const wanted = (row: Row) => this.#names.length === 0 || this.#names.includes(row.name)
    if (!this.#sites) return appliances.map((appliance) => applianceRow(appliance, this.#rates)).filter(wanted)
    const at = Map.groupBy(appliances, ({ metadata, spec }) => `${metadata.namespace}/${spec.siteRef.name}`)
    return this.#sites
      .list()
      .map((site) => siteRow(site, at.get(`${site.metadata.namespace}/${site.metadata.name}`) ?? [], this.#rates))
      .filter(wanted)
  }

  async close(): Promise<void> {
    await Promise.all([this.#appliances.close(), this.#sites?.close()])
  }
}

/** Until a cache is filled; throws what keeps it from that, which it would try for ever. */
async function firstRead(cache: Cache<Appliance> | Cache<Site>, signal: AbortSignal): Promise<void> {
  const done = new AbortController()
  const stop = AbortSignal.any([signal, done.signal])
  const failing = (async () => {
    for (;;) {
      if (cache.error) throw cache.error
      await sleep(systemClock, 100, stop)
    }
  })()
  failing.catch(() => {})
  try {
    await Promise.race([cache.waitForSync(stop), failing])
  } finally {
    done.abort()
  }
}
