import type { JsonObject, KubeObject, ObjectMeta } from '../../crds/metadata.ts'
import type { Resource } from '../../runtime/client/resource.ts'
import type { WatchEvent } from '../../runtime/client/watch.ts'
import { sleep, systemClock } from '../../runtime/clock.ts'
import { ConnectError, isGone } from '../../runtime/errors.ts'
import type { Connection } from '../api/connect.ts'
import type { ServedResource } from '../api/discovery.ts'
import { AS_JSON, AS_TABLE, type ReadRequest, readOne, readPages } from '../api/request.ts'
import { ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { columnCells } from '../output/custom-columns.ts'
import { type Format, objectName, printObjects } from '../output/format.ts'
import { printJson } from '../output/json.ts'
import { TabWriter } from '../output/tab-writer.ts'
import { type Table, TablePrinter } from '../output/table.ts'
import type { GetFlags } from './options.ts'
import { asTable, tableOptions } from './print-tables.ts'
import { objectsOf, type PlacedTarget, requestFor } from './read.ts'

type Body = KubeObject & JsonObject

/** Between tries to get a watch back that the server broke off. */
const RETRY_MS = 1000

/** Prints what there is, then every change, until interrupted or nobody reads any more. Goes on through 410s and lost connections. */
export async function runWatch(
  io: Io,
  connection: Connection,
  targets: readonly PlacedTarget[],
  flags: GetFlags,
  format: Format,
): Promise<ExitCode> {
  const resources = new Set(targets.map(({ resource }) => resource))
  if (targets.length !== 1 || resources.size !== 1)
    throw usageError('you may only specify a single resource type or name when watching')
  const target = targets[0]!
  const request = watchRequest(connection, target, flags, format)
  const show = printer(io, flags, format, target.resource)
  const signal = AbortSignal.any([io.interrupted, io.readerGone])
  const seen = new Map<string, string>()
  try {
    let from = await first(connection, request, target, flags, show, seen)
    for (;;) from = await follow(io, connection, request, from, show, seen, signal)
  } catch (error) {
    if (signal.aborted) return io.readerGone.aborted ? ExitCode.ok : ExitCode.interrupted
    throw error
  }
}

/** The collection to watch: one object is the collection of that name. */
function watchRequest(connection: Connection, target: PlacedTarget, flags: GetFlags, format: Format): ReadRequest {
  const { name, ...request } = requestFor(connection, target, flags, format.type === 'table' ? AS_TABLE : AS_JSON)
  return name === undefined ? request : { ...request, fieldSelector: `metadata.name=${name}` }
}

type Show = (body: JsonObject, eventType: string) => Promise<void>

/** Lists and shows what there is; gives the resourceVersion to go on from. */
async function first(
  connection: Connection,
  request: ReadRequest,
  target: PlacedTarget,
  flags: GetFlags,
  show: Show,
  seen: Map<string, string>,
): Promise<string> {
  const pages = (await readPages(connection.client, request, Number(flags.chunkSize ?? 500))) as JsonObject[]
  const found = pages.flatMap((page) => metadataOf(page))
  // An object that is not there is an error, as it is without --watch; reading it by name has the server say so.
  if (target.type === 'object' && found.length === 0 && !flags.ignoreNotFound)
    await readOne(connection.client, { ...request, name: target.name })
  for (const metadata of found) remember(seen, metadata)
  if (!flags.watchOnly) for (const page of pages) await show(page, 'ADDED')
  return String((pages.at(-1)?.metadata as ObjectMeta | undefined)?.resourceVersion ?? '')
}

/** Follows one stream to its end; gives the resourceVersion to go on from. */
async function follow(
  io: Io,
  connection: Connection,
  request: ReadRequest,
  from: string,
  show: Show,
  seen: Map<string, string>,
  signal: AbortSignal,
): Promise<string> {
  let version = from
  const { resource, namespace, labelSelector, fieldSelector, accept } = request
  const options = { resourceVersion: from, accept, signal, namespace, labelSelector, fieldSelector }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const started = performance.now()
  try {
    for await (const event of connection.client.watch<Body>(resource as Resource<Body>, given)) {
      version = (await showEvent(event, show, seen)) || version
    }
  } catch (error) {
    if (signal.aborted) throw error
    if (isGone(error)) return relist(connection, request, show, seen)
    if (!(error instanceof ConnectError)) throw error
    io.err(`watch interrupted, trying again: ${error.message}\n`)
    await pause(RETRY_MS, signal)
  }
  if (performance.now() - started < RETRY_MS) await pause(RETRY_MS, signal)
  return version
}

async function showEvent(event: WatchEvent<Body>, show: Show, seen: Map<string, string>): Promise<string> {
  if (event.type === 'BOOKMARK') return event.resourceVersion
  const metadata = metadataOf(event.object)[0]
  if (metadata && event.type === 'DELETED') seen.delete(keyOf(metadata))
  else if (metadata) remember(seen, metadata)
  await show(event.object, event.type)
  return metadata?.resourceVersion ?? ''
}

/** The server has forgotten where we were: list again and show only what is new or changed since. */
async function relist(
  connection: Connection,
  request: ReadRequest,
  show: Show,
  seen: Map<string, string>,
): Promise<string> {
  const pages = (await readPages(connection.client, request, 0)) as JsonObject[]
  for (const page of pages) {
    const changed = (metadata: ObjectMeta | undefined) =>
      metadata !== undefined && seen.get(keyOf(metadata)) !== metadata.resourceVersion
    const kept =
      page.kind === 'Table'
        ? { ...page, rows: ((page as unknown as Table).rows ?? []).filter((row) => changed(row.object?.metadata)) }
        : {
            ...page,
            items: ((page.items ?? []) as unknown as readonly KubeObject[]).filter(({ metadata }) => changed(metadata)),
          }
    for (const metadata of metadataOf(page)) remember(seen, metadata)
    await show(kept as unknown as JsonObject, 'MODIFIED')
  }
  return String((pages.at(-1)?.metadata as ObjectMeta | undefined)?.resourceVersion ?? '')
}

const keyOf = ({ namespace, name, uid }: ObjectMeta) => uid ?? `${namespace}/${name}`
const remember = (seen: Map<string, string>, metadata: ObjectMeta) =>
  seen.set(keyOf(metadata), metadata.resourceVersion ?? '')

/** The metadata of the objects in a table, a list or an object. */
function metadataOf(body: JsonObject): ObjectMeta[] {
  if (body.kind === 'Table') {
    return ((body as unknown as Table).rows ?? []).flatMap(({ object }) => (object?.metadata ? [object.metadata] : []))
  }
  if (Array.isArray(body.items)) return (body.items as unknown as readonly KubeObject[]).map(({ metadata }) => metadata)
  return [(body as Body).metadata]
}

/** Writes each answer as it comes, in the format asked for. */
function printer(io: Io, flags: GetFlags, format: Format, resource: ServedResource): Show {
  const withEvents = flags.outputWatchEvents ?? false
  if (format.type === 'table') {
    const writer = new TabWriter()
    const tables = new TablePrinter(tableOptions(flags, format.wide, resource, false))
    return async (body, eventType) => {
      tables.print(asTable(body), writer, withEvents ? eventType : undefined)
      await io.out(writer.flush())
    }
  }
  if (format.type === 'columns') {
    const writer = new TabWriter()
    if (flags.headers !== false) writer.line(format.columns.map(({ header }) => header))
    return async (body, eventType) => {
      for (const object of objectsOf([{ resource, body }]))
        writer.line(columnCells(format.columns, withEvents ? { type: eventType, object } : object))
      await io.out(writer.flush())
    }
  }
  let printed = 0
  const options = { showManagedFields: flags.showManagedFields ?? false }
  return async (body, eventType) => {
    for (const object of objectsOf([{ resource, body }])) {
      const separator = format.type === 'yaml' && printed++ > 0 ? '---\n' : ''
      if (format.type === 'json' && withEvents) await io.out(`${printJson({ type: eventType, object }, '')}\n`)
      else if (format.type === 'name') await io.out(`${objectName(object)}\n`)
      else await io.out(separator + printObjects(format, [object], true, options))
    }
  }
}

/** Waits, or less when interrupted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(systemClock, ms, signal).catch(() => {})
}
