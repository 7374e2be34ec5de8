import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../../runtime/client/client.ts'
import { bearerCredentials } from '../../runtime/client/credentials.ts'
import type { ClusterAccess } from '../../runtime/client/kubeconfig.ts'
import { parseDuration } from '../duration.ts'
import { CliError, ExitCode, usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { DiscoveryCache } from './discovery-cache.ts'

/** The flags by which every verb that talks to a server finds it; named as kubectl's. */
export interface ConnectionFlags {
  readonly kubeconfig?: string
  readonly context?: string
  readonly cluster?: string
  readonly user?: string
  readonly namespace?: string
  readonly server?: string
  readonly token?: string
  readonly certificateAuthority?: string
  readonly insecureSkipTlsVerify?: boolean
  readonly requestTimeout?: string
}

/** A server to talk to, and the namespace meant where a command names none. */
export interface Connection {
  readonly client: Client
  readonly namespace: string
  /** Whether `-n` was given; a manifest that says otherwise is then an error. */
  readonly namespaceGiven: boolean
  /** Where it is remembered what the server serves. */
  readonly discoveryCache?: DiscoveryCache | undefined
}

/** Where `weir up` keeps the kubeconfig of its own control plane, unless told otherwise. */
export const LOCAL_KUBECONFIG = join('.weir', 'kubeconfig')

/** As many requests as apply and diff have under way at once. */
const MAX_CONNECTIONS = 32

/** Reads the kubeconfig and makes the client. Sends nothing yet. */
export async function connect(io: Io, flags: ConnectionFlags): Promise<Connection> {
  const { Client } = await import('../../runtime/client/client.ts')
  const access = await clusterAccess(io, flags)
  const timeout =
    flags.requestTimeout === undefined || flags.requestTimeout === '0' ? undefined : parseDuration(flags.requestTimeout)
  const client = new Client({
    access,
    userAgent: 'weir',
    maxConnections: MAX_CONNECTIONS,
    onWarning: (text) => io.err(`Warning: ${text}\n`),
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  })
  return {
    client,
    namespace: flags.namespace ?? access.namespace ?? 'default',
    namespaceGiven: flags.namespace !== undefined,
    discoveryCache: DiscoveryCache.of(io, access),
  }
}

/** The kubeconfig that `flags` and the environment choose; undefined means kubectl's own search. */
export function chosenKubeconfig(io: Io, flags: Pick<ConnectionFlags, 'kubeconfig'>): string | undefined {
  if (flags.kubeconfig !== undefined) return flags.kubeconfig
  const local = join(io.cwd, LOCAL_KUBECONFIG)
  return !io.env.KUBECONFIG && existsSync(local) ? local : undefined
}

async function clusterAccess(io: Io, flags: ConnectionFlags): Promise<ClusterAccess> {
  const { loadKubeconfig } = await import('../../runtime/client/kubeconfig.ts')
  const path = chosenKubeconfig(io, flags)
  let access: ClusterAccess
  try {
    access = await loadKubeconfig({
      env: io.env,
      ...(path === undefined ? {} : { path }),
      ...(flags.context === undefined ? {} : { context: flags.context }),
      ...(flags.cluster === undefined ? {} : { cluster: flags.cluster }),
      ...(flags.user === undefined ? {} : { user: flags.user }),
    })
  } catch (error) {
    // A server given in full needs no kubeconfig.
    if (flags.server === undefined || flags.kubeconfig !== undefined) {
      throw new CliError(ExitCode.api, (error as Error).message, { cause: error })
    }
    access = { server: flags.server, credentials: bearerCredentials(flags.token ?? '') }
  }
  return { ...access, ...overrides(flags) }
}

function overrides(flags: ConnectionFlags): Partial<ClusterAccess> {
  if (flags.server !== undefined && !URL.canParse(flags.server))
    throw usageError(`--server ${flags.server} is not a URL`)
  return {
    ...(flags.server === undefined ? {} : { server: flags.server.replace(/\/+$/, '') }),
    ...(flags.token === undefined ? {} : { credentials: bearerCredentials(flags.token) }),
    ...(flags.insecureSkipTlsVerify ? { insecureSkipTlsVerify: true } : {}),
    ...(flags.certificateAuthority === undefined ? {} : { ca: readCa(flags.certificateAuthority) }),
  }
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw usageError(`cannot read --certificate-authority ${path}: ${(error as Error).message}`)
  }
}
