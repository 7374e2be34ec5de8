import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startApiServer } from '../../apiserver/server.ts'
import { StoreError } from '../../apiserver/storage/errors.ts'
import { CONTROLLER_CONNECTIONS } from '../../controllers/connections.ts'
import { startControllers } from '../../controllers/main.ts'
import { openDemandStore } from '../../gateway/demand/open.ts'
import { startGateway } from '../../gateway/gateway.ts'
import { type BlobStore, blobFolder, openBlobStore } from '../../runtime/blob-store.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import type { Log } from '../../runtime/log.ts'
import { startSteering } from '../../steering/steering.ts'
import { CliError, ExitCode } from '../exit.ts'
import { programVersion } from '../version-number.ts'
import { installCrds } from './install-crds.ts'

export interface ControlPlaneOptions {
  readonly dir: string
  readonly port: Port
  readonly gatewayPort: Port
  readonly steeringPort: Port
  /** Folders below which `file:` catalogs may lie. */
  readonly fileRoots: readonly string[]
  readonly log: Log
  readonly signal: AbortSignal
  /** Says on which port something listens because the usual one is taken. */
  readonly onOtherPort: (what: string, port: number) => void
}

/** A port to listen on. `mayMove`: nobody asked for this one, so that another will do where it is taken. */
export interface Port {
  readonly number: number
  readonly mayMove: boolean
}

/** API server, controllers, gateway and steering, in this process. */
export interface ControlPlane {
  readonly apiUrl: string
  readonly gatewayUrl: string
  readonly steeringUrl: string
  readonly kubeconfigPath: string
  /** The authority that signs the API server's and the gateway's certificates. */
  readonly caPath: string
  readonly client: Client
  close(): Promise<void>
}

/** Starts the control plane on the data in `dir`; ready when this resolves. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { dir, log, signal } = options
  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    for (const each of closers.splice(0).reverse()) await each()
  }
  try {
    let blobs: BlobStore | undefined
    const api = await listening(options, 'API server', options.port, (port) =>
      startApiServer({
        dataDir: dir,
        port,
        log: log.child({ program: 'apiserver' }),
        version: programVersion(),
        // Opened once the server has the folder to itself: nobody knows a digest before that.
        blobs: {
          stat: async (digest) => blobs?.stat(digest),
          get: async (digest) => blobs?.get(digest),
          stream: (digest) => blobs!.stream(digest),
        },
      }),
    )
    closers.push(() => api.close())
    const client = new Client({
      access: await loadKubeconfig({ path: api.kubeconfigPath }),
      userAgent: 'weir-up',
      maxConnections: CONTROLLER_CONNECTIONS,
    })
    closers.push(async () => client.close())
    // The store's lock on the folder keeps others from these blobs too.
    const store = await openBlobStore(join(dir, 'blobs'))
    blobs = store
    await installCrds(client, signal)
    const controllers = startControllers({
      client,
      blobs: store,
      log: log.child({ program: 'controllers' }),
      catalog: { fileRoots: options.fileRoots },
    })
    closers.push(() => controllers.close())
    const pki = join(dir, 'pki')
    const tls = {
      cert: await readFile(join(pki, 'server.crt'), 'utf8'),
      key: await readFile(join(pki, 'server.key'), 'utf8'),
    }
    const demandAt = join(dir, 'demand.db')
    const demandStore = await openDemandStore(demandAt)
    const gateway = await listening(options, 'gateway', options.gatewayPort, (port) =>
      startGateway({
        client,
        blobStore: store,
        listen: { host: '127.0.0.1', port },
        tls,
        id: 'up',
        demandStore,
        demandAt,
        log: log.child({ program: 'gateway' }),
      }),
    )
    closers.push(() => gateway.close())
    const steering = await listening(options, 'steering', options.steeringPort, (port) =>
      startSteering({
        client,
        blobs: blobFolder(join(dir, 'blobs')),
        listen: { host: '127.0.0.1', port },
        data: join(dir, 'steering'),
        decisionLog: { path: join(dir, 'steering', 'decisions.log'), keep: 2 },
        // Whoever is on this machine may ask for anybody, to try it.
        trustedProxies: ['127.0.0.0/8', '::1'],
        log: log.child({ program: 'steering' }),
      }),
    )
    closers.push(() => steering.close())
    await Promise.all([controllers.started, gateway.ready, steering.ready])
    return {
      apiUrl: api.url,
      gatewayUrl: gateway.url,
      steeringUrl: steering.url,
      kubeconfigPath: api.kubeconfigPath,
      caPath: join(pki, 'ca.crt'),
      client,
      close,
    }
  } catch (error) {
    await close()
    throw friendly(error, dir)
  }
}

/** Listens on the port, or on any other where it is taken and nobody has asked for it. */
async function listening<T>(
  options: ControlPlaneOptions,
  what: string,
  port: Port,
  start: (port: number) => Promise<T & { readonly url: string }>,
): Promise<T & { readonly url: string }> {
  try {
    return await start(port.number)
  } catch (error) {
    if (!isTaken(error)) throw error
    if (!port.mayMove)
      throw new CliError(ExitCode.usage, `port ${port.number} for the ${what} is taken by another program`, {
        cause: error,
      })
    const started = await start(0)
    options.onOtherPort(what, Number(new URL(started.url).port))
    return started
  }
}

export const isTaken = (error: unknown) => (error as NodeJS.ErrnoException | null)?.code === 'EADDRINUSE'

/** What is wrong with the folder, said to whoever named it. */
function friendly(error: unknown, dir: string): unknown {
  if (!(error instanceof StoreError)) return error
  if (error.code === 'Locked') {
    return new CliError(
      ExitCode.usage,
      `another \`weir up\` is running on ${dir}; stop it, or give this one a folder of its own with --dir`,
      { cause: error },
    )
  }
  return new CliError(ExitCode.usage, `${dir} cannot be opened: ${error.message}`, { cause: error })
}
