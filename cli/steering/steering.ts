import { blobFolder } from '../../runtime/blob-store.ts'
import { CertificateFiles } from '../../runtime/certificates/certificate-files.ts'
import { Client } from '../../runtime/client/client.ts'
import { ClientMetrics } from '../../runtime/metrics/client-metrics.ts'
import { Metrics } from '../../runtime/metrics/metrics.ts'
import { startOpsServer } from '../../runtime/ops/ops-server.ts'
import { FORWARDING_HEADERS, TrustedProxies } from '../../steering/http/client-address.ts'
import { HTTP_LIMITS } from '../../steering/http/server.ts'
import { registerSteering } from '../../steering/metrics.ts'
import { type DnsOptions, startSteering } from '../../steering/steering.ts'
import { clusterAccess } from '../cluster-access.ts'
import { ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { aborted, listenAddress, numberFlag, type ProgramFlags, programLog, required } from '../program-flags.ts'
import { programVersion } from '../version-number.ts'

export interface SteeringFlags extends ProgramFlags {
  readonly listen: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly data?: string
  readonly coverage?: string
  readonly bgpFeeds?: string
  readonly geoDatabase?: string
  readonly dnsListen?: string
  readonly dnsZone?: string
  readonly dnsNs?: readonly string[]
  readonly dnsTtl: string
  readonly dnsRate: string
  readonly trustedProxies?: readonly string[]
  readonly forwardingHeader: string
  readonly corsOrigins?: readonly string[]
  readonly rate: string
  readonly maxConnections: string
  readonly probeThreads: string
  readonly probeRate: string
  readonly decisionLog?: string
  readonly decisionLogBytes: string
  readonly decisionLogShare: string
}

/** `weir steering`: answers players, until interrupted. */
export async function runSteering(io: Io, words: readonly string[], flags: SteeringFlags): Promise<ExitCode> {
  if (words.length > 0) throw usageError(`unexpected argument "${words[0]}"`)
  const folder = required(flags.blobs, '--blobs')
  const listen = listenAddress(flags.listen, '--listen')
  const metricsListen = listenAddress(flags.metricsListen, '--metrics-listen')
  const count = (text: string, flag: string, min: number, max: number) =>
    Math.floor(numberFlag(text, flag, { min, max }))
  const dns = dnsOptions(flags, count)
  const forwardingHeader = FORWARDING_HEADERS.find((name) => name === flags.forwardingHeader.toLowerCase())
  if (!forwardingHeader)
    throw usageError(`--forwarding-header must be X-Forwarded-For or Forwarded, not "${flags.forwardingHeader}"`)
  checkPrefixes(flags.trustedProxies ?? [])
  const limits = { ...HTTP_LIMITS, maxConnections: count(flags.maxConnections, '--max-connections', 1, 1_000_000) }
  const perClient = count(flags.rate, '--rate', 0, 1e9)
  const probeThreads = count(flags.probeThreads, '--probe-threads', 0, 64)
  const probesPerSecond = count(flags.probeRate, '--probe-rate', 1, 1e6)
  const decisionLog = flags.decisionLog && {
    path: flags.decisionLog,
    maxBytes: count(flags.decisionLogBytes, '--decision-log-bytes', 4096, 2 ** 40),
    share: numberFlag(flags.decisionLogShare, '--decision-log-share', { min: 1e-6, max: 1 }),
  }
  const log = programLog('steering', flags.logLevel)
  const certificates = await certificatesOf(flags, log)
  const access = await clusterAccess(io, flags)
  const requests = new ClientMetrics()
  const client = new Client({ access, userAgent: `weir-steering/${programVersion()}`, onAnswer: requests.onAnswer })
  const steering = await startSteering({
    client,
    blobs: blobFolder(folder),
    listen,
    log,
    limits,
    perClient,
    probeThreads,
    probesPerSecond,
    forwardingHeader,
    trustedProxies: flags.trustedProxies ?? [],
    ...(flags.corsOrigins ? { corsOrigins: flags.corsOrigins } : {}),
    ...(flags.data === undefined ? {} : { data: flags.data }),
    ...(flags.bgpFeeds === undefined ? {} : { bgpFeeds: flags.bgpFeeds }),
    ...(flags.geoDatabase === undefined ? {} : { geoDatabase: flags.geoDatabase }),
    ...(flags.coverage === undefined ? {} : { coverage: flags.coverage }),
    ...(certificates ? { tls: certificates.current } : {}),
    ...(dns ? { dns } : {}),
    ...(decisionLog ? { decisionLog } : {}),
  }).catch((error: Error) => {
    certificates?.close()
    client.close()
    throw usageError(`steering cannot start: ${error.message}`)
  })
  certificates?.follow((pair) => steering.useCertificate(pair))
  const metrics = new Metrics()
  requests.register(metrics, access.server)
  registerSteering(metrics, () => steering.view)
  try {
    const ops = await startOpsServer({
      listen: metricsListen,
      metrics,
      health: () => steering.health,
      readiness: () => steering.readiness,
    }).catch((error: Error) => {
      throw usageError(`--metrics-listen ${flags.metricsListen}: ${error.message}`)
    })
    log.info({ url: steering.url, dns: steering.dns, metrics: ops.url, version: programVersion() }, 'steering listens')
    steering.ready.then(() => log.info({}, 'steering answers')).catch(() => {})
    await aborted(io.interrupted)
    // Who balances load is told first.
    await ops.close()
  } finally {
    certificates?.close()
    await steering.close()
    client.close()
    log.info({}, 'stopped')
  }
  return ExitCode.ok
}

function dnsOptions(
  flags: SteeringFlags,
  count: (text: string, flag: string, min: number, max: number) => number,
): DnsOptions | undefined {
  if (flags.dnsListen === undefined) {
    if (flags.dnsZone !== undefined) throw usageError('--dns-zone needs --dns-listen')
    return undefined
  }
  const zone = required(flags.dnsZone, '--dns-zone').toLowerCase().replace(/\.$/, '')
  if (!/^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/.test(zone) || zone.length > 200)
    throw usageError(`--dns-zone must be a domain name, not "${flags.dnsZone}"`)
  return {
    listen: listenAddress(flags.dnsListen, '--dns-listen'),
    zone,
    nameServers: flags.dnsNs ?? [`ns.${zone}`],
    ttlSeconds: count(flags.dnsTtl, '--dns-ttl', 1, 86_400),
    perNetwork: count(flags.dnsRate, '--dns-rate', 0, 1e9),
  }
}

function checkPrefixes(prefixes: readonly string[]): void {
  try {
    new TrustedProxies(prefixes)
  } catch (error) {
    throw usageError(`--trusted-proxies: ${(error as Error).message}`)
  }
}

async function certificatesOf(
  { tlsCert, tlsKey }: SteeringFlags,
  log: ReturnType<typeof programLog>,
): Promise<CertificateFiles | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  const paths = { certPath: required(tlsCert, '--tls-cert'), keyPath: required(tlsKey, '--tls-key') }
  return await CertificateFiles.open({ ...paths, log }).catch((error: Error) => {
    throw usageError(`--tls-cert and --tls-key cannot be used: ${error.message}`)
  })
}
