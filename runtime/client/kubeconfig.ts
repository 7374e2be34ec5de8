import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path'
import { type Clock, systemClock } from '../clock.ts'
import { type Credential, type Credentials, fixedCredentials, tokenFileCredentials } from './credentials.ts'
import { type ExecConfig, execCredentials } from './exec-credentials.ts'

/** Everything needed to talk to one API server. */
export interface ClusterAccess {
  /** `https://host:port`, without a trailing slash; may have a path. */
  readonly server: string
  /** PEM; the system's own authorities where absent. */
  readonly ca?: string
  /** The name the server's certificate must have, where it is not the host of `server`. */
  readonly tlsServerName?: string
  readonly insecureSkipTlsVerify?: boolean
  readonly proxyUrl?: string
  readonly credentials: Credentials
  /** The context's namespace; `default` is the client's to fill in. */
  readonly namespace?: string
}

export interface KubeconfigOptions {
  /** One file, which must exist. Otherwise `$KUBECONFIG`, `~/.kube/config`, the service account of the pod, in this order. */
  readonly path?: string
  readonly context?: string
  readonly cluster?: string
  readonly user?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly home?: string
  readonly serviceAccountDir?: string
  readonly clock?: Clock
}

interface Named<T> {
  readonly name: string
  readonly value: T
  /** Where it was read; relative paths in it start there. */
  readonly dir: string
}
type Fields = Readonly<Record<string, unknown>>
interface Merged {
  readonly clusters: Map<string, Named<Fields>>
  readonly users: Map<string, Named<Fields>>
  readonly contexts: Map<string, Named<Fields>>
  currentContext: string
}

/**
 * Finds out which server to talk to, and as whom, as kubectl does: of several files the first that says something wins.
 * Throws an Error that names the file or the entry at fault.
 * Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
 */
export async function loadKubeconfig(options: KubeconfigOptions = {}): Promise<ClusterAccess> {
  const { env = process.env, home = homedir() } = options
  const listed = env.KUBECONFIG
    ? env.KUBECONFIG.split(delimiter).filter((path) => path !== '')
    : [join(home, '.kube', 'config')]
  const paths = options.path === undefined ? listed.filter((path) => existsSync(path)) : [options.path]
  if (paths.length === 0) {
    const inCluster = inClusterAccess(options)
    if (inCluster) return inCluster
    throw new Error(`no kubeconfig: looked for ${listed.join(', ')} and for a pod's service account`)
  }
  const merged: Merged = { clusters: new Map(), users: new Map(), contexts: new Map(), currentContext: '' }
  for (const path of paths) merge(merged, path, await readYaml(path))
  return resolveAccess(merged, paths.join(delimiter), options)
}

async function readYaml(path: string): Promise<Fields> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`cannot read kubeconfig ${path}: ${(error as Error).message}`)
  }
  const { parse } = await import('yaml')
  let value: unknown
  try {
    value = parse(text)
  } catch (error) {
    throw new Error(`kubeconfig ${path}: ${(error as Error).message}`)
  }
  if (value === null || value === undefined) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw new Error(`kubeconfig ${path} is not a mapping`)
  return value as Fields
}

function merge(into: Merged, path: string, file: Fields): void {
  const dir = dirname(resolve(path))
  const take = (list: unknown, key: string, target: Map<string, Named<Fields>>) => {
    for (const entry of Array.isArray(list) ? (list as Fields[]) : []) {
      const name = entry.name
      if (typeof name !== 'string' || name === '' || target.has(name)) continue
      target.set(name, { name, value: (entry[key] ?? {}) as Fields, dir })
    }
  }
  take(file.clusters, 'cluster', into.clusters)
  take(file.users, 'user', into.users)
  take(file.contexts, 'context', into.contexts)
  if (into.currentContext === '' && typeof file['current-context'] === 'string')
    into.currentContext = file['current-context']
}

function resolveAccess(merged: Merged, origin: string, options: KubeconfigOptions): ClusterAccess {
  const contextName = options.context ?? merged.currentContext
  if (contextName === '') throw new Error(`kubeconfig ${origin} has no current-context`)
  const context = merged.contexts.get(contextName)
  if (!context) throw new Error(`context "${contextName}" does not exist in ${origin}`)
  const clusterName = options.cluster ?? text(context.value, 'cluster')
  const cluster = clusterName === undefined ? undefined : merged.clusters.get(clusterName)
  if (!cluster)
    throw new Error(`cluster "${clusterName ?? ''}" of context "${contextName}" does not exist in ${origin}`)
  const userName = options.user ?? text(context.value, 'user')
  const user = userName === undefined || userName === '' ? undefined : merged.users.get(userName)
  if (userName && !user) throw new Error(`user "${userName}" of context "${contextName}" does not exist in ${origin}`)
  const server = text(cluster.value, 'server')
  if (server === undefined || !URL.canParse(server))
    throw new Error(`cluster "${cluster.name}" in ${origin} has no valid server`)

  const ca = pem(cluster, 'certificate-authority')
  const tlsServerName = text(cluster.value, 'tls-server-name')
  const proxyUrl = text(cluster.value, 'proxy-url')
  const namespace = text(context.value, 'namespace')
  return {
    server: server.replace(/\/+$/, ''),
    ...(ca === undefined ? {} : { ca }),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...(cluster.value['insecure-skip-tls-verify'] === true ? { insecureSkipTlsVerify: true } : {}),
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
    ...(namespace === undefined ? {} : { namespace }),
    credentials: user ? credentialsOf(user, cluster, options.clock ?? systemClock) : fixedCredentials({}),
  }
}

function credentialsOf(user: Named<Fields>, cluster: Named<Fields>, clock: Clock): Credentials {
  const { value } = user
  if (value['auth-provider']) {
    throw new Error(`user "${user.name}": auth-provider was removed from Kubernetes clients; use an exec plugin`)
  }
  const cert = pem(user, 'client-certificate')
  const key = pem(user, 'client-key')
  const headers = impersonation(value)
  const base: Credential = {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
  }
  const exec = value.exec as ExecConfig | undefined
  if (exec) {
    // A command with a slash is relative to the kubeconfig; a bare one is looked up in PATH.
    const command = exec.command.includes('/') ? pathIn(user, exec.command) : exec.command
    const server = text(cluster.value, 'server')
    const ca = pem(cluster, 'certificate-authority')
    const info = {
      server,
      ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
    }
    return execCredentials({ ...exec, command }, info, clock, base)
  }
  const tokenFile = text(value, 'tokenFile')
  if (tokenFile !== undefined) return tokenFileCredentials(pathIn(user, tokenFile), clock, base)
  const token = text(value, 'token')
  if (token !== undefined) return fixedCredentials({ ...base, authorization: `Bearer ${token}` })
  const username = text(value, 'username')
  if (username !== undefined) {
    const basic = Buffer.from(`${username}:${text(value, 'password') ?? ''}`).toString('base64')
    return fixedCredentials({ ...base, authorization: `Basic ${basic}` })
  }
  return fixedCredentials(base)
}

function impersonation(user: Fields): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  const as = text(user, 'as')
  if (as !== undefined) headers['Impersonate-User'] = as
  const uid = text(user, 'as-uid')
  if (uid !== undefined) headers['Impersonate-Uid'] = uid
  if (Array.isArray(user['as-groups'])) headers['Impersonate-Group'] = user['as-groups'] as string[]
  for (const [name, values] of Object.entries((user['as-user-extra'] ?? {}) as Record<string, string[]>)) {
    headers[`Impersonate-Extra-${encodeURIComponent(name)}`] = values
  }
  return headers
}

/** The service account that Kubernetes mounts into every pod; undefined outside of one. */
function inClusterAccess(options: KubeconfigOptions): ClusterAccess | undefined {
  const { env = process.env, clock = systemClock } = options
  const dir = options.serviceAccountDir ?? '/var/run/secrets/kubernetes.io/serviceaccount'
  const host = env.KUBERNETES_SERVICE_HOST
  const port = env.KUBERNETES_SERVICE_PORT
  if (!host || !port || !existsSync(join(dir, 'token'))) return undefined
  const namespaceFile = join(dir, 'namespace')
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: readFileSync(join(dir, 'ca.crt'), 'utf8'),
    credentials: tokenFileCredentials(join(dir, 'token'), clock),
    ...(existsSync(namespaceFile) ? { namespace: readFileSync(namespaceFile, 'utf8').trim() } : {}),
  }
}

function text(fields: Fields, name: string): string | undefined {
  const value = fields[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** `<name>-data` (base64) or the file `<name>`; data wins, as in kubectl. */
function pem(entry: Named<Fields>, name: string): string | undefined {
  const data = text(entry.value, `${name}-data`)
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8')
  const file = text(entry.value, name)
  if (file === undefined) return undefined
  const path = pathIn(entry, file)
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`"${entry.name}": cannot read ${name} ${path}: ${(error as Error).message}`)
  }
}

function pathIn(entry: Named<Fields>, path: string): string {
  return isAbsolute(path) ? path : join(entry.dir, path)
}
