import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '../../runtime/client/client.ts'
import { type ClusterAccess, type ClusterOverrides, loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import { parseDuration } from '../duration.ts'
import { CliError, ExitCode } from '../exit.ts'
import type { Io } from '../io.ts'
import { readPlainYaml } from '../manifests/plain/plain-yaml.ts'
import { DiscoveryCache } from './discovery-cache.ts'

/** The flags by which every verb that talks to a server finds it; named as kubectl's. */
export interface ConnectionFlags extends ClusterOverrides {
  readonly kubeconfig?: string
  readonly context?: string
  readonly cluster?: string
  readonly user?: string
  readonly namespace?: string
  readonly cacheDir?: string
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
    discoveryCache: DiscoveryCache.of(io, access, flags.cacheDir),
  }
}

/** The kubeconfig that `flags` and the environment choose; undefined means kubectl's own search. */
export function chosenKubeconfig(io: Io, flags: Pick<ConnectionFlags, 'kubeconfig'>): string | undefined {
  if (flags.kubeconfig !== undefined) return flags.kubeconfig
  const local = join(io.cwd, LOCAL_KUBECONFIG)
  return !io.env.KUBECONFIG && existsSync(local) ? local : undefined
}

async function clusterAccess(io: Io, flags: ConnectionFlags): Promise<ClusterAccess> {
  const path = chosenKubeconfig(io, flags)
  try {
    return await loadKubeconfig({ ...flags, ...(path === undefined ? {} : { path }), env: io.env, parseYaml })
  } catch (error) {
    throw new CliError(ExitCode.api, (error as Error).message, { cause: error })
  }
}

/** Most kubeconfigs are plain enough to be read without the YAML library, which takes longer to load than the rest of a command. */
async function parseYaml(text: string): Promise<unknown> {
  const plain = readPlainYaml(text, 0, text.length)
  return plain.ok ? plain.value : (await import('yaml')).parse(text)
}
