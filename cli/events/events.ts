import type { JsonObject } from '../../crds/metadata.ts'
import { coreEvents, type Resource } from '../../runtime/client/resource.ts'
import { sleep, systemClock } from '../../runtime/clock.ts'
import { ConnectError, isGone } from '../../runtime/errors.ts'
import { type Connection, type ConnectionFlags, connect } from '../api/connect.ts'
import type { ServedResource } from '../api/discovery.ts'
import { discovered } from '../api/discovery-cache.ts'
import { requestFailure } from '../api/failure.ts'
import { isKnownType, resourceFor } from '../api/mapping.ts'
import { AS_JSON, readPages } from '../api/request.ts'
import { ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { escapeTerminal, visible } from '../output/escape.ts'
import { type Format, parseFormat, printObjects } from '../output/format.ts'
import { TabWriter } from '../output/tab-writer.ts'
import { byTime, type EventObject, eventTime, lastSeen } from './event.ts'

/** Between tries to get a watch back. */
const RETRY_MS = 1000

export interface EventsFlags extends ConnectionFlags {
  readonly output?: string
  readonly allNamespaces?: boolean
  readonly for?: string
  readonly types?: readonly string[]
  readonly watch?: boolean
  readonly headers: boolean
}

type Event = EventObject & JsonObject
const EVENTS = {
  ...coreEvents,
  singular: 'event',
  shortNames: [],
  categories: [],
  verbs: [],
  subresources: [],
} as unknown as ServedResource

/** `weir events`: what happened, oldest first. */
export async function runEvents(io: Io, words: readonly string[], flags: EventsFlags): Promise<ExitCode> {
  if (words.length > 0) throw usageError(`unexpected argument "${words[0]}"; --for names the object`)
  const format = parseFormat(flags.output)
  for (const type of flags.types ?? [])
    if (!/^(normal|warning)$/i.test(type)) throw usageError('valid --types are Normal or Warning')
  const connection = await connect(io, flags)
  try {
    const request = await eventsRequest(io, connection, flags)
    const pages = (await readPages(connection.client, request, 500)) as {
      items?: readonly Event[]
      metadata?: { resourceVersion?: string }
    }[]
    const found = byTime(pages.flatMap(({ items = [] }) => items)).filter(wanted(flags))
    const show = printer(io, flags, format)
    if (found.length === 0 && !flags.watch)
      io.err(flags.allNamespaces ? 'No events found.\n' : `No events found in ${connection.namespace} namespace.\n`)
    else await show(found)
    if (flags.watch) await watch(io, connection, request, flags, show, pages.at(-1)?.metadata?.resourceVersion ?? '')
    return ExitCode.ok
  } catch (error) {
    if (io.readerGone.aborted) return ExitCode.ok
    if (io.interrupted.aborted) return ExitCode.interrupted
    throw requestFailure(error)
  } finally {
    connection.client.close()
  }
}

const wanted = (flags: EventsFlags) => (event: EventObject) =>
  !flags.types?.length || flags.types.some((type) => type.toLowerCase() === event.type?.toLowerCase())

async function eventsRequest(io: Io, connection: Connection, flags: EventsFlags) {
  const place = flags.allNamespaces ? {} : { namespace: connection.namespace }
  const base = { resource: EVENTS, accept: AS_JSON, signal: io.interrupted, ...place }
  if (flags.for === undefined) return base
  const [type = '', name = '', ...more] = flags.for.split('/')
  if (name === '' || more.length > 0) throw usageError('--for must be in resource/name form')
  const { kind, group, version } = resourceFor(
    await discovered(connection, io.interrupted, (kept) => isKnownType(kept, type)),
    type,
  )
  const apiVersion = group === '' ? version : `${group}/${version}`
  return {
    ...base,
    fieldSelector: `involvedObject.kind=${kind},involvedObject.apiVersion=${apiVersion},involvedObject.name=${name}`,
  }
}

async function watch(
  io: Io,
  connection: Connection,
  request: { readonly namespace?: string; readonly fieldSelector?: string },
  flags: EventsFlags,
  show: (events: readonly Event[]) => Promise<void>,
  resourceVersion: string,
): Promise<void> {
  const { namespace, fieldSelector } = request
  const signal = AbortSignal.any([io.interrupted, io.readerGone])
  const selection = {
    signal,
    ...(namespace === undefined ? {} : { namespace }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  }
  const { client } = connection
  let version = resourceVersion
  for (;;) {
    const started = performance.now()
    try {
      const options = { ...selection, resourceVersion: version }
      for await (const change of client.watch(coreEvents as Resource<Event>, options)) {
        version =
          (change.type === 'BOOKMARK' ? change.resourceVersion : change.object.metadata.resourceVersion) || version
        // Servers forget events after a while; that is no news.
        if (change.type !== 'BOOKMARK' && change.type !== 'DELETED' && wanted(flags)(change.object))
          await show([change.object])
      }
    } catch (error) {
      if (signal.aborted) throw error
      if (isGone(error)) version = await catchUp(connection, selection, flags, show, started)
      else if (!(error instanceof ConnectError)) throw error
      else io.err(`watch interrupted, trying again: ${visible(error.message)}\n`)
    }
    if (performance.now() - started < RETRY_MS) await sleep(systemClock, RETRY_MS, signal)
  }
}

/** The server has forgotten where we were: shows what happened since the watch began, and gives where to go on. Some of it may be told twice. */
async function catchUp(
  { client }: Connection,
  selection: { readonly namespace?: string; readonly fieldSelector?: string; readonly signal: AbortSignal },
  flags: EventsFlags,
  show: (events: readonly Event[]) => Promise<void>,
  startedAtMs: number,
): Promise<string> {
  const { items, resourceVersion } = await client.list(coreEvents as Resource<Event>, selection)
  const since = Date.now() - (performance.now() - startedAtMs)
  await show(byTime(items.filter((event) => eventTime(event) >= since && wanted(flags)(event))))
  return resourceVersion
}

function printer(io: Io, flags: EventsFlags, format: Format): (events: readonly Event[]) => Promise<void> {
  if (format.type !== 'table') {
    return (events) =>
      io.out(
        printObjects(
          format,
          events.map((event) => ({ ...event, apiVersion: 'v1', kind: 'Event' }) as Event),
          false,
          { noHeaders: !flags.headers },
        ),
      )
  }
  const writer = new TabWriter()
  let headed = !flags.headers
  return async (events) => {
    if (!headed)
      writer.line([...(flags.allNamespaces ? ['NAMESPACE'] : []), 'LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'])
    headed = true
    for (const event of events)
      writer.line([...(flags.allNamespaces ? [event.metadata.namespace ?? ''] : []), ...cells(event)])
    await io.out(writer.flush())
  }
}

function cells(event: EventObject): string[] {
  const { kind = '', name = '' } = event.involvedObject
  const message = (event.message ?? '').trim().replaceAll('\n', ' ')
  return [
    lastSeen(event, Date.now()),
    ...[event.type ?? '', event.reason ?? '', `${kind}/${name}`, message].map(escapeTerminal),
  ]
}
