import { hostname } from 'node:os'
import { openBlobDoor } from '../../gateway/blob-door.ts'
import { openDemandStore } from '../../gateway/demand/open.ts'
import { startGateway } from '../../gateway/gateway.ts'
import { registerGateway } from '../../gateway/metrics.ts'
import { openBlobStore } from '../../runtime/blob-store.ts'
import { CertificateFiles } from '../../runtime/certificates/certificate-files.ts'
import { Client } from '../../runtime/client/client.ts'
import { ClientMetrics } from '../../runtime/metrics/client-metrics.ts'
import { ControllerMetrics } from '../../runtime/metrics/controller-metrics.ts'
import { Metrics } from '../../runtime/metrics/metrics.ts'
import { startOpsServer } from '../../runtime/ops/ops-server.ts'
import { clusterAccess } from '../cluster-access.ts'
import { ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { aborted, listenAddress, type ProgramFlags, programLog, required } from '../program-flags.ts'
import { tracingOf } from '../tracing.ts'
import { programVersion } from '../version-number.ts'

export interface GatewayFlags extends ProgramFlags {
  readonly listen: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly id?: string
  readonly blobsListen?: string
  readonly demand?: string
}

/** `weir gateway`: the appliances' door, until interrupted. */
export async function runGateway(io: Io, words: readonly string[], flags: GatewayFlags): Promise<ExitCode> {
  if (words.length > 0) throw usageError(`unexpected argument "${words[0]}"`)
  const folder = required(flags.blobs, '--blobs')
  const tlsPaths = { certPath: required(flags.tlsCert, '--tls-cert'), keyPath: required(flags.tlsKey, '--tls-key') }
  const listen = listenAddress(flags.listen, '--listen')
  const metricsListen = listenAddress(flags.metricsListen, '--metrics-listen')
  const blobsListen = flags.blobsListen === undefined ? undefined : listenAddress(flags.blobsListen, '--blobs-listen')
  const id = gatewayId(flags.id ?? io.env.POD_NAME ?? hostname())
  const log = programLog('gateway', flags.logLevel)
  const certificates = await CertificateFiles.open({ ...tlsPaths, log }).catch((error: Error) => {
    throw usageError(`--tls-cert and --tls-key cannot be used: ${error.message}`)
  })
  const access = await clusterAccess(io, flags)
  const blobStore = await openBlobStore(folder, { shared: true }).catch((error: Error) => {
    throw usageError(`--blobs ${folder} cannot be used: ${error.message}`)
  })
  // A URL with a password is better kept out of the arguments, which others on the machine can read.
  const demandAt = flags.demand ?? (io.env.WEIR_DEMAND || undefined)
  const demandStore =
    demandAt === undefined
      ? undefined
      : await openDemandStore(demandAt).catch((error: Error) => {
          throw usageError(
            `${flags.demand === undefined ? '$WEIR_DEMAND' : '--demand'} cannot be used: ${error.message}`,
          )
        })
  const requests = new ClientMetrics()
  const observer = new ControllerMetrics()
  const userAgent = `weir-gateway/${programVersion()}`
  const client = new Client({ access, userAgent, onAnswer: requests.onAnswer })
  const tracing = await tracingOf(io, 'weir-gateway')
  const gateway = await startGateway({
    client,
    blobStore,
    listen,
    tls: certificates.current,
    id,
    log,
    observer,
    ...(demandStore && demandAt !== undefined ? { demandStore, demandAt } : {}),
    ...(tracing ? { tracing } : {}),
  }).catch(async (error: Error) => {
    client.close()
    await demandStore?.close()
    throw usageError(`the gateway cannot start: ${error.message}`)
  })
  const door =
    blobsListen &&
    (await openBlobDoor({ blobStore, listen: blobsListen, tls: certificates.current, log }).catch(
      async (error: Error) => {
        await gateway.close()
        client.close()
        throw usageError(`--blobs-listen ${flags.blobsListen}: ${error.message}`)
      },
    ))
  certificates.follow((pair) => {
    gateway.useCertificate(pair)
    door?.useCertificate(pair)
  })
  const metrics = new Metrics()
  requests.register(metrics, access.server)
  registerGateway(metrics, observer, () => gateway.view)
  registerCertificate(metrics, certificates)
  try {
    const ops = await startOpsServer({
      listen: metricsListen,
      metrics,
      health: () => gateway.health,
      readiness: () => readiness(gateway.view.caches),
    }).catch((error: Error) => {
      throw usageError(`--metrics-listen ${flags.metricsListen}: ${error.message}`)
    })
    log.info(
      { url: gateway.url, blobs: door?.url, metrics: ops.url, id, version: programVersion() },
      'the gateway listens',
    )
    await aborted(io.interrupted)
    // Who balances load is told first, and appliances find the door closed last.
    await ops.close()
  } finally {
    certificates.close()
    await door?.close()
    await gateway.close()
    client.close()
    await tracing?.close()
    log.info({}, 'stopped')
  }
  return ExitCode.ok
}

function readiness(
  caches: readonly { readonly resource: string; readonly synced: boolean; readonly error?: string }[],
) {
  return Object.fromEntries(
    caches.map(({ resource, synced, error }) => [`cache ${resource}`, synced ? undefined : (error ?? 'not read yet')]),
  )
}

/** A DNS label of at most 40 characters: of a longer name, such as a pod's, the end tells it from others. */
function gatewayId(name: string): string {
  const id = name
    .toLowerCase()
    .slice(-40)
    .replace(/^[^a-z0-9]+/, '')
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(id)) throw usageError(`--id "${name}" must be a DNS label`)
  return id
}

function registerCertificate(metrics: Metrics, certificates: CertificateFiles): void {
  const name = 'weir_gateway_certificate_expiration_timestamp_seconds'
  const help = 'When the certificate that is shown to appliances runs out.'
  metrics.gauge({ name, help }, () => [{ value: certificates.expiresAt.getTime() / 1000 }])
}
