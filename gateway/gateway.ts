import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BlobStore } from '../runtime/blob-store.ts'
import type { ServerCertificate } from '../runtime/certificates/certificate-files.ts'
import type { Client } from '../runtime/client/client.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import type { ControllerObserver } from '../runtime/controller/controller.ts'
import { type Log, silentLog } from '../runtime/log.ts'
import type { Tracing } from '../runtime/tracing/tracing.ts'
import { CatalogDeltas } from './catalog-deltas.ts'
import { CatalogSizes } from './catalog-sizes.ts'
import type { GatewayContext, GatewayHealth } from './context.ts'
import { Counters } from './counters.ts'
import { Demand } from './demand/demand.ts'
import { DemandPublisher } from './demand/publisher.ts'
import type { DemandStore } from './demand/store.ts'
import { Fleet } from './fleet.ts'
import { Heartbeats } from './heartbeats.ts'
import { HttpProblem } from './http/problem.ts'
import { sendProblem } from './http/reply.ts'
import { type ListenAddress, listenHttps } from './http/server.ts'
import type { GatewayView } from './metrics.ts'
import { Records } from './records.ts'
import { ReportReader } from './report-reader.ts'
import { Reports } from './reports.ts'
import { answer } from './router.ts'
import { AssignmentStreams } from './streams.ts'
import { Tokens } from './tokens.ts'
import { Traces } from './traces.ts'

export const FIELD_MANAGER = 'weir-gateway'

export interface GatewayOptions {
  readonly client: Client
  readonly blobStore: BlobStore
  readonly listen: ListenAddress
  readonly tls: ServerCertificate
  /** Names this gateway among others, and across its restarts: a DNS label of at most 40 characters. */
  readonly id: string
  readonly clock?: Clock
  readonly log?: Log
  /** Appliance.status writes per second over the whole fleet. 500 unless told. */
  readonly statusWritesPerSecond?: number
  /** Where what clients ask for is kept; closed with the gateway. Absent: nowhere, and agents are told so. */
  readonly demandStore?: DemandStore
  /** What names that store, for a thread that opens it itself: then what was counted is published for policies that plan by it. */
  readonly demandAt?: string
  readonly observer?: ControllerObserver
  readonly tracing?: Tracing
}

export interface Gateway {
  /** `https://host:port`. */
  readonly url: string
  /** Resolves once the fleet has been read and appliances are let in; rejects when the gateway is closed first. */
  readonly ready: Promise<void>
  /** How it is, for health and metrics. */
  readonly view: GatewayView
  /** What a restart would help with: by what is looked at, what is wrong with it, or undefined. Never that the API is away. */
  readonly health: GatewayHealth
  /** Shows this certificate to who connects from now on; connections that are open stay. Throws where it cannot be used. */
  useCertificate(certificate: ServerCertificate): void
  close(): Promise<void>
}

/**
 * Opens the appliances' door. It listens at once and answers 503 until it has read the fleet; the API may come up later, or go away and come
 * back. Throws where the address cannot be listened on.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const {
    client,
    blobStore,
    listen,
    tls,
    id,
    clock = systemClock,
    log = silentLog,
    statusWritesPerSecond = 500,
  } = options
  if (!/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/.test(id)) {
    throw new RangeError(`gateway id ${JSON.stringify(id)} is no DNS label of at most 40 characters`)
  }
  const records = new Records()
  const fleet = new Fleet(client, records, clock, log)
  const streams = new AssignmentStreams(clock)
  const counters = new Counters()
  const traces = new Traces(options.tracing)
  const common = { client, fieldManager: FIELD_MANAGER, fleet, records, clock, log }
  const heartbeats = new Heartbeats({ ...common, gateway: id, onListed: (appliance) => reports.changed(appliance) })
  const reports: Reports = new Reports({
    ...common,
    writesPerSecond: statusWritesPerSecond,
    counters,
    traces,
    ...(options.observer ? { observer: options.observer } : {}),
    isListed: (key) => heartbeats.isListed(key),
  })
  const tokens = new Tokens(fleet.secrets, (appliance) => streams.close(appliance))
  const publisher =
    options.demandAt === undefined
      ? undefined
      : new DemandPublisher({
          ...{
            client,
            fieldManager: FIELD_MANAGER,
            blobs: blobStore,
            where: options.demandAt,
            gateway: id,
            clock,
            log,
          },
          ...(options.observer ? { observer: options.observer } : {}),
        })
  const demand = new Demand({
    ...{ store: options.demandStore, fleet, clock, log },
    throughputGbpsOf(appliance) {
      const { spec } = fleet.appliances.get(appliance) ?? {}
      return spec && publisher?.throughputGbps(spec.hardwareClassRef.name)
    },
  })
  const reportReader = await ReportReader.create()
  const health = (): GatewayHealth => ({
    listener: server.listening ? undefined : 'takes no connections',
    heartbeats: heartbeats.stuck,
  })
  const context: GatewayContext = {
    id,
    blobs: blobStore,
    deltas: new CatalogDeltas(blobStore),
    sizes: new CatalogSizes(blobStore),
    clock,
    log,
    fleet,
    records,
    tokens,
    heartbeats,
    reports,
    reportReader,
    streams,
    demand,
    counters,
    health,
  }

  const server = await listenHttps(listen, tls, (req, res) => serve(context, req, res))
  fleet.assignments.onChange(({ type, key, object }) => {
    if (type === 'delete') traces.forget(key)
    else if (streams.tell(key, object)) traces.told(key, object)
  })
  fleet.appliances.onChange(({ type, key }) => {
    if (type === 'delete') streams.close(key)
  })
  fleet.start()
  const stop = new AbortController()
  const ready = fleet.waitForSync(stop.signal).then(() => {
    reports.start()
    heartbeats.start()
    publisher?.start()
    log.info({ url: server.url, appliances: fleet.appliances.size }, 'the gateway is open')
  })
  // Whoever does not ask is not told.
  ready.catch(() => {})

  let closing: Promise<void> | undefined
  const close = async () => {
    stop.abort(new Error('the gateway was closed'))
    streams.closeAll()
    await server.close()
    await Promise.all([heartbeats.close(), reports.close(), demand.close(), publisher?.close(), fleet.close()])
  }
  return {
    url: server.url,
    ready,
    get view() {
      const { caches } = fleet
      return { counters, connected: streams.size, online: heartbeats.listed, caches, reports: reports.load }
    },
    get health() {
      return health()
    },
    useCertificate: (certificate) => server.useCertificate(certificate),
    close() {
      closing ??= close()
      return closing
    },
  }
}

/** Answers one request; nothing that goes wrong with it gets any further. */
function serve(context: GatewayContext, req: IncomingMessage, res: ServerResponse): void {
  res.once('close', () => context.counters.answered(res.statusCode))
  answer(context, req, res).catch((err: unknown) => {
    const gone = req.destroyed && !req.complete
    if (!(err instanceof HttpProblem) && !gone && !res.destroyed) {
      context.log.error({ err, method: req.method, url: req.url }, 'a request failed')
    }
    sendProblem(res, err)
  })
}
