import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { DEFAULT_CIPHERS } from 'node:tls'
import type { BundledBlobs } from '../runtime/blob-bundle.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { type Log, silentLog } from '../runtime/log.ts'
import { Admission } from './admission/admission.ts'
import { namespaceLifecycle } from './admission/namespace-lifecycle.ts'
import { Policies } from './admission/policy/policies.ts'
import { rbacEscalation } from './admission/rbac-escalation.ts'
import type { Api } from './api.ts'
import { Authenticator } from './auth/authenticate.ts'
import { RbacAuthorizer } from './auth/rbac.ts'
import { builtInResources } from './builtin/all.ts'
import { reviewResources } from './builtin/reviews.ts'
import { type Certificates, ensureCertificates } from './certificates/certificates.ts'
import { writeKubeconfig } from './certificates/kubeconfig.ts'
import { bootstrap } from './controllers/bootstrap.ts'
import { Controllers } from './controllers/controllers.ts'
import { healthChecks } from './http/checks.ts'
import { Router } from './http/router.ts'
import { WatchServer } from './http/watch.ts'
import { Registry } from './registry.ts'
import { openStore } from './storage/open.ts'
import type { Store } from './storage/store.ts'

export interface ApiServerOptions {
  /** Holds everything that must survive: the store, certificates, the kubeconfig. Created where it is not there. */
  readonly dataDir: string
  /** 127.0.0.1 unless told. */
  readonly host?: string
  /** 0 (the default): one that is free. */
  readonly port?: number
  readonly clock?: Clock
  readonly log?: Log
  /** Bearer tokens that are accepted, besides client certificates. The value is the user's name and groups. */
  readonly tokens?: ReadonlyMap<string, { readonly name: string; readonly groups: readonly string[] }>
  /** A store to use instead of the one in `dataDir`; closed with the server. */
  readonly store?: Store
  /** Told by `/version`. */
  readonly version?: string
  readonly limits?: Partial<Limits>
  /** Blobs to hand out at `/weir/v1/blobs` to whoever may read that path. */
  readonly blobs?: BundledBlobs
}

export interface Limits {
  /** Requests under way, watches aside. */
  readonly maxInFlight: number
  readonly maxWatches: number
  readonly maxConnections: number
}

const defaultLimits: Limits = { maxInFlight: 800, maxWatches: 20_000, maxConnections: 25_000 }

export interface ApiServer {
  /** `https://host:port` */
  readonly url: string
  /** A kubeconfig of the administrator, mode 0600. */
  readonly kubeconfigPath: string
  /** Ends watches, waits for requests under way and the last write. */
  close(): Promise<void>
}

/** Starts the embedded control plane; it is ready when this resolves. Rejects with a StoreError where the data cannot be opened. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { dataDir, host = '127.0.0.1', port = 0, clock = systemClock, log = silentLog } = options
  const limits = { ...defaultLimits, ...options.limits }
  // Opening the store locks the folder: certificates are issued by one process only.
  const store = options.store ?? (await openStore(dataDir))
  try {
    const certificates = await ensureCertificates({ folder: join(dataDir, 'pki'), names: [host], now: clock.now() })
    return await start(store, certificates, { ...options, host, port, clock, log, limits })
  } catch (err) {
    await store.close()
    throw err
  }
}

interface Ready extends ApiServerOptions {
  readonly host: string
  readonly port: number
  readonly clock: Clock
  readonly log: Log
  readonly limits: Limits
}

async function start(store: Store, certificates: Certificates, options: Ready): Promise<ApiServer> {
  const { clock, log, limits } = options
  const authorizer = new RbacAuthorizer(store)
  const authenticator = new Authenticator(
    new Map([...(options.tokens ?? [])].map(([t, u]) => [t, { ...u, groups: [...u.groups, 'system:authenticated'] }])),
  )
  const registry = new Registry([...builtInResources(), ...reviewResources(authorizer, authenticator)])
  const policies = new Policies(store, registry)
  const admission = new Admission({
    first: [namespaceLifecycle, rbacEscalation(authorizer)],
    last: [policies.gate],
  })
  const api: Api = { store, registry, clock, admission }
  const controllers = new Controllers(api, policies, certificates.authority, log)
  const watches = new WatchServer(api, { maxWatches: limits.maxWatches })
  await bootstrap(api)
  await controllers.start()
  const progress = { started: true, closing: false }

  const router = new Router({
    api,
    authenticator,
    authorizer,
    watches,
    settled: () => controllers.crds.settled(),
    checks: healthChecks(store, () => progress),
    ...(options.blobs ? { blobs: options.blobs } : {}),
    log,
    maxInFlight: limits.maxInFlight,
    weirVersion: options.version ?? '0.1.0',
  })
  const server = listener(certificates, router, limits)
  const url = await listen(server, options.host, options.port)
  const kubeconfigPath = join(options.dataDir, 'kubeconfig')
  await writeKubeconfig(kubeconfigPath, { server: url, authority: certificates.authority, client: certificates.admin })
  log.info({ url }, 'API server is ready')

  let closing: Promise<void> | undefined
  const close = async () => {
    progress.closing = true
    await stopListening(server, clock, () => watches.closeAll())
    await controllers.close()
    await store.close()
  }
  return {
    url,
    kubeconfigPath,
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

/** As Go's servers prefer them: AES-128-GCM is the fastest of the three where processors help with it, and watches are mostly encryption. */
const ciphers = [...new Set(['TLS_AES_128_GCM_SHA256', ...DEFAULT_CIPHERS.split(':')])].join(':')

function listener(certificates: Certificates, router: Router, limits: Limits) {
  const server = createServer(
    {
      cert: certificates.server.certificate,
      key: certificates.server.key,
      ca: certificates.authority,
      requestCert: true,
      // Who has no certificate may have a token.
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      ciphers,
      ALPNProtocols: ['http/1.1'],
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
      noDelay: true,
      headersTimeout: 60_000,
      requestTimeout: 60_000,
      keepAliveTimeout: 120_000,
      maxHeaderSize: 64 * 1024,
    },
    router.handle,
  )
  server.maxConnections = limits.maxConnections
  server.on('clientError', (err: NodeJS.ErrnoException, socket: Socket) => {
    // A request that never was one is told so; a connection on which nothing came in time is just hung up.
    if (socket.writable && err.code?.startsWith('HPE_'))
      socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    else socket.destroy()
  })
  server.on('tlsClientError', (_err, socket) => socket.destroy())
  return server
}

/** Takes no new connection, lets requests under way end, and hangs up on the rest; a client that holds on is cut off after five seconds. */
async function stopListening(server: Server, clock: Clock, endWatches: () => void): Promise<void> {
  let open = true
  const closed = new Promise<void>((resolve) => server.close(() => resolve())).then(() => {
    open = false
  })
  endWatches()
  const cancel = clock.after(5000, () => server.closeAllConnections())
  // A connection is idle only once its last answer has been flushed.
  const hangUp = () => {
    if (!open) return
    server.closeIdleConnections()
    setTimeout(hangUp, 10)
  }
  hangUp()
  await closed
  cancel()
}

function listen(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const { port: bound } = server.address() as AddressInfo
      resolve(`https://${host.includes(':') ? `[${host}]` : host}:${bound}`)
    })
  })
}
