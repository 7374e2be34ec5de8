import { join } from 'node:path'
import type { Site } from '../crds/types.gen.ts'
import type { Address } from '../reconcilers/steering/address.ts'
import { clientMap as clientMapOf } from '../reconcilers/steering/client/client-map.ts'
import { geoMap } from '../reconcilers/steering/client/geo-map.ts'
import type { ClientMap } from '../reconcilers/steering/locate.ts'
import { openBlobStore } from '../runtime/blob-store.ts'
import type { ServerCertificate } from '../runtime/certificates/certificate-files.ts'
import type { Client } from '../runtime/client/client.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { type Log, silentLog } from '../runtime/log.ts'
import type { ListenAddress } from '../runtime/ops/listen-address.ts'
import { Counters } from './counters.ts'
import { DnsResponder } from './dns/responder.ts'
import { type DnsServer, listenDns } from './dns/server.ts'
import { Zone } from './dns/zone.ts'
import { Hints } from './failure/hints.ts'
import type { ProbeTimes } from './failure/probe-target.ts'
import { Prober } from './failure/prober.ts'
import { Api } from './http/api.ts'
import { type ForwardingHeader, TrustedProxies } from './http/client-address.ts'
import { Peers } from './http/peers.ts'
import { HTTP_LIMITS, type HttpLimits, listenHttp } from './http/server.ts'
import { DecisionLog, type DecisionLogOptions } from './log/decision-log.ts'
import type { SteeringView } from './metrics.ts'
import { networkOf } from './network-of.ts'
import { openFilesAllowed, shareOpenFiles } from './open-files.ts'
import { randomBits, type Steered, Steerer } from './steerer.ts'
import { BgpFeeds } from './world/bgp-feeds.ts'
import { Blobs, type SharedBlobs } from './world/blobs.ts'
import { CatalogReader } from './world/catalog-reader.ts'
import { regionsOfCountries } from './world/country-regions.ts'
import { coverageFile } from './world/coverage-file.ts'
import { Feed } from './world/feed.ts'
import { geoFile } from './world/geo-file.ts'
import { LocationReader } from './world/location-reader.ts'
import { Model } from './world/model.ts'
import { SiteNetworks } from './world/site-networks.ts'
import { Snapshot } from './world/snapshot.ts'

export interface DnsOptions {
  readonly listen: ListenAddress
  /** `play.example.com` */
  readonly zone: string
  readonly nameServers: readonly string[]
  readonly ttlSeconds: number
  /** Answers per second to one network of resolvers; 0: without bound. */
  readonly perNetwork: number
}

export interface SteeringOptions {
  readonly client: Client
  readonly blobs: SharedBlobs
  readonly listen: ListenAddress
  readonly tls?: ServerCertificate
  readonly dns?: DnsOptions
  /** Folder for the snapshot and copies of blobs. Absent: without the API server, a start waits for it. */
  readonly data?: string
  /** A file that says which site or region clients of a prefix belong to, where no Site announces them. */
  readonly coverage?: string
  /** A folder with the routes that appliances hear by BGP: NAMESPACE/APPLIANCE each. They count before the coverage file, and after what sites announce. */
  readonly bgpFeeds?: string
  /** A database of addresses in MaxMind's format: countries and coordinates of clients that nothing else knows. */
  readonly geoDatabase?: string
  readonly decisionLog?: Pick<DecisionLogOptions, 'path' | 'maxBytes' | 'keep' | 'share'>
  /** CIDR prefixes of proxies that are believed when they say for whom they ask. */
  readonly trustedProxies?: readonly string[]
  readonly forwardingHeader?: ForwardingHeader
  readonly corsOrigins?: readonly string[]
  /** Requests per second of one client; 0: without bound. 200 unless told. */
  readonly perClient?: number
  readonly limits?: HttpLimits
  /** Threads that probe appliances; 0: they are not probed, and the control plane's word counts. 1 unless told. */
  readonly probeThreads?: number
  readonly probesPerSecond?: number
  readonly probeTimes?: ProbeTimes
  readonly snapshotEveryMs?: number
  readonly clock?: Clock
  readonly log?: Log
}

export interface Steering {
  /** `http://host:port`. */
  readonly url: string
  /** `host:port` of DNS; undefined: it does not answer there. */
  readonly dns: string | undefined
  /** Resolves once it can answer: from a snapshot, or with the fleet read. Rejects when it is closed first. */
  readonly ready: Promise<void>
  /** Resolves once everything has been read from the API. */
  readonly synced: Promise<void>
  readonly view: SteeringView
  /** What a restart would help with. Never that the API server is away. */
  readonly health: Readonly<Record<string, string | undefined>>
  readonly readiness: Readonly<Record<string, string | undefined>>
  useCertificate(certificate: ServerCertificate): void
  close(): Promise<void>
}

/** Starts to answer. It listens at once, and is ready when it knows the fleet: from the API, or from its last snapshot. Throws where it cannot listen. */
export async function startSteering(options: SteeringOptions): Promise<Steering> {
  const { client, clock = systemClock, log = silentLog, data, probeThreads = 1 } = options
  const counters = new Counters()
  const { limits = HTTP_LIMITS } = options
  const open = shareOpenFiles(openFilesAllowed(), limits.maxConnections, probeThreads > 0)
  log.info({ ...open }, 'open files are shared out')
  if (open.players < limits.maxConnections)
    log.warn(
      { openFiles: open.allowed, maxConnections: limits.maxConnections, connections: open.players },
      'fewer connections of players than they might have: raise the limit of open files (ulimit -n)',
    )
  const kept = data === undefined ? undefined : await openBlobStore(join(data, 'blobs'))
  const blobs = new Blobs(options.blobs, kept, (error) =>
    log.warn({ error: error.message }, 'a copy of a blob cannot be kept'),
  )
  const reader = new CatalogReader()
  const model = new Model({ blobs, reader, clock, log })
  const { world, health, inventories } = model
  const feed = new Feed({ client, model, clock, log })
  const snapshot =
    data === undefined
      ? undefined
      : new Snapshot({
          ...{ folder: data, model, blobs, clock, log, isTrue: () => feed.following },
          ...(options.snapshotEveryMs === undefined ? {} : { everyMs: options.snapshotEveryMs }),
        })
  const prober =
    probeThreads === 0
      ? undefined
      : new Prober({
          ...{ clock, log, threads: probeThreads, connections: open.probes },
          ...(options.probesPerSecond === undefined ? {} : { perSecond: options.probesPerSecond }),
          ...(options.probeTimes === undefined ? {} : { times: options.probeTimes }),
          onVerdict: (appliance, up, reason) => health.setProbe(appliance, up, reason),
          onLoad: (appliance, load) => model.load(appliance, load),
          onUnknown: (appliance) => health.forgetProbe(appliance),
        })
  const siteOf = (appliance: string) =>
    world.siteKeys[world.applianceSite[world.applianceOrdinals.get(appliance) ?? -1] ?? -1] ?? ''
  const hints = new Hints({
    clock,
    probe: (appliance) => prober?.askNow(appliance),
    onQuarantine(appliance, out) {
      log.warn(
        { appliance, out },
        out ? 'clients say that an appliance fails them; it is left out' : 'an appliance is tried again',
      )
      health.setQuarantined(appliance, out)
    },
    siteOf,
    neighbours(appliance) {
      const site = world.applianceSite[world.applianceOrdinals.get(appliance) ?? -1] ?? -1
      const { start } = world.siteAppliances
      return (start[site + 1] ?? 0) - (start[site] ?? 0)
    },
  })
  const hint = (appliance: string, address: Readonly<Address>) => hints.hint(appliance, networkOf(address))
  const locations = new LocationReader()
  const coverage = options.coverage === undefined ? undefined : coverageFile(options.coverage, locations, clock, log)
  const geo = options.geoDatabase === undefined ? undefined : geoFile(options.geoDatabase, clock, log)
  await coverage?.start()
  await geo?.start()
  const covered: ClientMap = { find: (address) => coverage?.current?.find(address) }
  const bgp =
    options.bgpFeeds === undefined
      ? undefined
      : new BgpFeeds({
          ...{ folder: options.bgpFeeds, reader: locations, clock, log },
          placeOf(appliance) {
            const site = siteOf(appliance)
            const coordinates = model.objects('Site').get(site)?.spec.coordinates
            return site === '' ? undefined : { site, coordinates }
          },
        })
  const networks = new SiteNetworks()
  let followed = Promise.resolve()
  const mapOf = (sites: readonly Site[]) => {
    const regions = geo ? regionsOfCountries(sites) : undefined
    return clientMapOf({
      sites: networks,
      ...(bgp ? { bgp: bgp.routes } : {}),
      ...(coverage ? { coverage: covered } : {}),
      ...(geo
        ? {
            geo: geoMap(
              (address) => geo.current?.lookup(address),
              (country) => regions?.get(country) ?? country,
            ),
          }
        : {}),
    })
  }
  let clientMap = mapOf([])
  const isDown = (appliance: string) => health.whyDown(appliance) !== undefined
  const decisions =
    options.decisionLog && (await DecisionLog.open({ ...options.decisionLog, world, isDown, clock, log, counters }))
  model.listen({
    onAddress(appliance, url) {
      const isProbed = url !== undefined && prober?.set(appliance, url)
      if (isProbed) return
      prober?.remove(appliance)
      health.forgetProbe(appliance)
    },
    onUp: (appliance, up) => decisions?.noteUp(appliance, up),
    onSites(sites) {
      const all = [...sites]
      followed = networks.follow(all)
      clientMap = mapOf(all)
    },
  })
  const random = randomBits(Math.floor(Math.random() * 2 ** 32))
  const steerer = new Steerer({ world, clientMap: () => clientMap, random, onFailed: hint })
  const onDecision = (steered: Steered, address: Readonly<Address>) => decisions?.add(steered, address)

  let closing: Promise<void> | undefined
  const fromSnapshot = (await snapshot?.load()) ?? false
  /** What appliances hold, and where clients are by what sites announce. */
  let hasContent = false
  const healthChecks = () => ({ listener: server.listening ? undefined : 'takes no connections' })
  const readiness = () => {
    const hasFleet = feed.following || fromSnapshot
    return {
      fleet: hasFleet ? undefined : 'has not been read yet',
      content: hasContent ? undefined : 'is being read',
      ...(closing ? { closing: 'stops soon' } : {}),
    }
  }
  const trusted = new TrustedProxies(options.trustedProxies ?? [])
  const peers = new Peers(trusted, options.forwardingHeader ?? 'x-forwarded-for')
  const api = new Api({
    ...{ world, steerer, peers, counters, clock, log },
    perClient: options.perClient ?? 200,
    whyDown: (appliance) => health.whyDown(appliance),
    onHint: hint,
    onDecision,
    health: healthChecks,
    readiness,
  })
  const httpLimits = { ...limits, maxConnections: open.players }
  const server = await listenHttp({
    ...{ listen: options.listen, tls: options.tls, limits: httpLimits },
    ...{ api, peers, clock, corsOrigins: options.corsOrigins ?? ['*'] },
  }).catch(async (error: unknown) => {
    await Promise.all([prober?.close(), reader.close(), locations.close(), decisions?.close()])
    model.close()
    throw error
  })
  let dns: DnsServer | undefined
  const close = async () => {
    await Promise.all([server.close(), dns?.close(), prober?.close()])
    hints.close()
    coverage?.close()
    geo?.close()
    bgp?.close()
    await locations.close()
    await feed.close()
    await snapshot?.close()
    await decisions?.close()
    model.close()
    await reader.close()
  }
  if (options.dns) {
    dns = await openDns(options.dns, { world, steerer, onDecision, counters, clock, log }).catch(
      async (error: unknown) => {
        await close()
        throw error
      },
    )
  }
  const synced = feed.start()
  synced.then(() => snapshot?.start()).catch(() => {})
  // Whoever does not ask is not told.
  const ready = fromSnapshot ? Promise.resolve() : synced
  ready.catch(() => {})
  const contentRead = async () => {
    await inventories.idle()
    // What came last still waits to be packed with others.
    model.tick()
    await followed
    hasContent = true
  }
  ready.then(contentRead).catch(() => {})
  // Routes lead to sites: these must be known.
  ready.then(() => bgp?.start()).catch(() => {})
  return {
    url: server.url,
    dns: dns?.address,
    ready,
    synced,
    get view(): SteeringView {
      return {
        counters,
        caches: feed.caches,
        appliances: model.objects('Appliance').size,
        down: health.down,
        quarantined: hints.quarantined,
        believesProbes: health.believesProbes,
        probes: prober?.probes ?? 0,
        probesUnable: prober?.unable ?? 0,
        probedRarely: prober?.unkept ?? 0,
        hints: hints.received,
        inventoriesPending: inventories.pending,
        inventoriesWithheld: inventories.withheld,
        absurdLoads: world.absurdReports,
        snapshotAgeSeconds: snapshot?.savedAt && (clock.now().getTime() - snapshot.savedAt.getTime()) / 1000,
      }
    },
    get health() {
      return healthChecks()
    },
    get readiness() {
      return readiness()
    },
    useCertificate: (certificate) => server.useCertificate(certificate),
    close() {
      closing ??= close()
      return closing
    },
  }
}

type DnsParts = Pick<
  ConstructorParameters<typeof Api>[0],
  'world' | 'steerer' | 'onDecision' | 'counters' | 'clock' | 'log'
>

async function openDns(options: DnsOptions, parts: DnsParts): Promise<DnsServer> {
  const { world, steerer, onDecision, counters, clock, log } = parts
  const zone = new Zone(world, {
    steer(address, ask) {
      const steered = steerer.steer(address, ask)
      onDecision(steered, address)
      return steered
    },
  })
  const responder = new DnsResponder({
    zone: options.zone,
    nameServers: options.nameServers,
    ttlSeconds: options.ttlSeconds,
    find: (labels, client) => zone.find(labels, client),
    // Any prefix of the policies or the client map may be as long as what was asked: the answer is for just that, and never for more.
    scopeOf: (_, sourceLength) => sourceLength,
    serial: () => Math.floor(clock.now().getTime() / 1000),
  })
  return await listenDns({ listen: options.listen, responder, counters, clock, log, perNetwork: options.perNetwork })
}
