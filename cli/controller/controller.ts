import { CONTROLLER_CONNECTIONS } from '../../controllers/connections.ts'
import { type Controllers, startControllers } from '../../controllers/main.ts'
import { registerControllers } from '../../controllers/metrics.ts'
import { BRAKE_DEFAULTS } from '../../reconcilers/brake/brake.ts'
import { openBlobStore } from '../../runtime/blob-store.ts'
import { Client } from '../../runtime/client/client.ts'
import { Deposed } from '../../runtime/leader-election/leader-election.ts'
import { ClientMetrics } from '../../runtime/metrics/client-metrics.ts'
import { ControllerMetrics } from '../../runtime/metrics/controller-metrics.ts'
import { Metrics } from '../../runtime/metrics/metrics.ts'
import { startOpsServer } from '../../runtime/ops/ops-server.ts'
import { clusterAccess } from '../cluster-access.ts'
import { apiFailure, type ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { aborted, listenAddress, numberFlag, type ProgramFlags, programLog, required } from '../program-flags.ts'
import { tracingOf } from '../tracing.ts'
import { programVersion } from '../version-number.ts'
import { createLead, type LeadFlags } from './lead.ts'

export interface ControllerFlags extends ProgramFlags, LeadFlags {
  readonly maxDarkShare?: string
  readonly minDark?: string
}

/** `weir controller`: every controller against one API server, until interrupted or deposed. */
export async function runController(io: Io, words: readonly string[], flags: ControllerFlags): Promise<ExitCode> {
  if (words.length > 0) throw usageError(`unexpected argument "${words[0]}"`)
  const folder = required(flags.blobs, '--blobs')
  const listen = listenAddress(flags.metricsListen, '--metrics-listen')
  const brake = {
    maxDarkShare: numberFlag(flags.maxDarkShare ?? `${BRAKE_DEFAULTS.maxDarkShare}`, '--max-dark-share', {
      min: 0,
      max: 1,
    }),
    minDark: numberFlag(flags.minDark ?? `${BRAKE_DEFAULTS.minDark}`, '--min-dark', { min: 0, max: 1e9 }),
  }
  const log = programLog('controller', flags.logLevel)
  const access = await clusterAccess(io, flags)
  const blobs = await openBlobStore(folder, { shared: true }).catch((error: Error) => {
    throw usageError(`--blobs ${folder} cannot be used: ${error.message}`)
  })
  const requests = new ClientMetrics()
  const userAgent = `weir-controller/${programVersion()}`
  const lead = createLead(io, flags, { access, userAgent, log, onAnswer: requests.onAnswer })
  const observer = new ControllerMetrics()
  const tracing = await tracingOf(io, 'weir-controller')
  const client = new Client({
    access,
    userAgent,
    maxConnections: CONTROLLER_CONNECTIONS,
    beforeWrite: lead.assert,
    onAnswer: requests.onAnswer,
  })
  const controllers = startControllers({
    client,
    blobs,
    log,
    observer,
    brake,
    lead: lead.taken,
    assertLead: lead.assert,
    ...(tracing ? { tracing } : {}),
    // The chart has: rights on admission policies would be rights on everything.
    installProtection: false,
  })
  const metrics = new Metrics()
  requests.register(metrics, access.server)
  registerControllers(metrics, observer, controllers, () => lead.leading)
  lead.register(metrics)
  const ops = await startOpsServer({
    listen,
    metrics,
    health: () => ({ lead: lead.stuck }),
    readiness: () => readiness(controllers),
  }).catch((error: Error) => {
    throw usageError(`--metrics-listen ${flags.metricsListen}: ${error.message}`)
  })
  log.info({ url: ops.url, server: access.server, version: programVersion() }, 'the controllers have been started')
  try {
    return await lead.run(io.interrupted, async (signal) => {
      await aborted(signal)
      await controllers.close()
    })
  } catch (error) {
    if (!(error instanceof Deposed)) throw error
    throw apiFailure(`${error.message}; stopping, so that a new process stands for it anew`, error)
  } finally {
    await controllers.close()
    await ops.close()
    client.close()
    lead.close()
    await tracing?.close()
    log.info({}, 'stopped')
  }
}

/** A stand-by is ready once it has read everything: then it can take over. */
function readiness(controllers: Controllers): Record<string, string | undefined> {
  return Object.fromEntries(
    controllers.status.caches.map(({ resource, synced, error }) => [
      `cache ${resource}`,
      synced ? undefined : (error ?? 'not read yet'),
    ]),
  )
}
