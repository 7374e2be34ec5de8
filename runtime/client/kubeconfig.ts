import { readFileSync } from 'node:fs'
import { type Clock, systemClock } from '../clock.ts'
import type { ExecCluster } from './exec-credentials.ts'
import type { ClusterAccess } from './kubeconfig/access.ts'
import {
  type Entries,
  type Entry,
  kubeconfigPaths,
  type ParseYaml,
  pem,
  readEntries,
  text,
} from './kubeconfig/entries.ts'
import { inClusterAccess } from './kubeconfig/in-cluster.ts'
import { proxyFromEnvironment } from './kubeconfig/proxy.ts'
import { credentialsOf, type UserOverrides } from './kubeconfig/user.ts'

export type { ClusterAccess }

/** What is said beside the kubeconfig, and wins; named as the flags of kubectl. */
export interface ClusterOverrides extends UserOverrides {
  readonly server?: string | undefined
  /** A file, from the working folder. */
  readonly certificateAuthority?: string | undefined
  readonly insecureSkipTlsVerify?: boolean | undefined
  readonly tlsServerName?: string | undefined
}

export interface KubeconfigOptions extends ClusterOverrides {
  /** One file, which must exist. Otherwise `$KUBECONFIG`, `~/.kube/config`, the service account of the pod, in this order. */
  readonly path?: string
  readonly context?: string
  readonly cluster?: string
  readonly user?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly home?: string
  readonly serviceAccountDir?: string
  readonly clock?: Clock
  /** Reads the files; the `yaml` package's `parse` unless told otherwise. */
  readonly parseYaml?: ParseYaml
}

/**
 * Finds out which server to talk to, and as whom, as kubectl does: of several files the first that says something wins.
 * Throws an Error that names the file or the entry at fault.
 * Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
 */
export async function loadKubeconfig(options: KubeconfigOptions = {}): Promise<ClusterAccess> {
  const { env = process.env, clock = systemClock } = options
  const entries = await readEntries({ ...options, env })
  const empty = entries.clusters.size === 0 && entries.contexts.size === 0 && entries.currentContext === ''
  if (empty && options.context === undefined && options.cluster === undefined) {
    const pod = inClusterAccess({ env, clock, serviceAccountDir: options.serviceAccountDir })
    if (pod) return overridden(pod, options, env, clock)
    if (options.server === undefined) {
      if (entries.origin !== '') throw new Error(`kubeconfig ${entries.origin} has no current-context`)
      throw new Error(
        `no kubeconfig: looked for ${kubeconfigPaths({ ...options, env }).join(', ')} and for a pod's service account`,
      )
    }
  }
  return resolveAccess(entries, options, env, clock)
}

/** Of what a pod has, the server, its authority and the token can be said otherwise. */
function overridden(
  pod: ClusterAccess,
  options: KubeconfigOptions,
  env: NonNullable<KubeconfigOptions['env']>,
  clock: Clock,
): ClusterAccess {
  const { token, certificateAuthority } = options
  const server = options.server === undefined ? pod.server : serverUrl(options.server, false)
  const proxyUrl = proxyFromEnvironment(server, env)
  const encrypted = server.startsWith('https:')
  return {
    ...pod,
    server,
    ...(certificateAuthority === undefined ? {} : { ca: readAuthority(certificateAuthority) }),
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
    ...(token === undefined
      ? {}
      : { credentials: credentialsOf(undefined, { token }, { cluster: {}, encrypted, clock }) }),
  }
}

function resolveAccess(
  entries: Entries,
  options: KubeconfigOptions,
  env: NonNullable<KubeconfigOptions['env']>,
  clock: Clock,
): ClusterAccess {
  const { origin } = entries
  const contextName = options.context || entries.currentContext
  if (contextName === '' && options.server === undefined && options.cluster === undefined)
    throw new Error(`kubeconfig ${origin} has no current-context`)
  const context = contextName === '' ? undefined : entries.contexts.get(contextName)
  if (contextName !== '' && !context) throw new Error(`context "${contextName}" does not exist in ${origin}`)
  const of = context ? ` of context "${contextName}"` : ''

  const clusterName = options.cluster ?? text(context?.fields ?? {}, 'cluster')
  const found = clusterName === undefined ? undefined : entries.clusters.get(clusterName)
  if (!found && (options.server === undefined || options.cluster !== undefined))
    throw new Error(`cluster "${clusterName ?? ''}"${of} does not exist in ${origin}`)
  const userName = options.user ?? text(context?.fields ?? {}, 'user')
  const user = userName === undefined ? undefined : entries.users.get(userName)
  if (userName && !user) throw new Error(`user "${userName}"${of} does not exist in ${origin}`)

  const cluster = clusterOf(found ?? { name: '', fields: {}, dir: '.' }, origin, options)
  const proxyUrl = cluster.proxyUrl ?? proxyFromEnvironment(cluster.server, env)
  const namespace = text(context?.fields ?? {}, 'namespace')
  const encrypted = cluster.server.startsWith('https:')
  return {
    ...cluster,
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
    ...(namespace === undefined ? {} : { namespace }),
    credentials: credentialsOf(user, options, { cluster: execCluster(cluster, found), encrypted, clock }),
  }
}

type Cluster = Omit<ClusterAccess, 'credentials' | 'namespace'>

function clusterOf(cluster: Entry, origin: string, options: ClusterOverrides): Cluster {
  const { certificateAuthority } = options
  // One that says how the server is to be checked takes the place of all that the kubeconfig says of it.
  const own = options.insecureSkipTlsVerify || certificateAuthority !== undefined
  const insecure = own ? options.insecureSkipTlsVerify : cluster.fields['insecure-skip-tls-verify'] === true
  let ca = own ? undefined : pem(cluster, 'certificate-authority')
  if (certificateAuthority !== undefined) ca = readAuthority(certificateAuthority)
  if (insecure && ca !== undefined)
    throw new Error('specifying a root certificates file with the insecure flag is not allowed')
  // The name belongs to the server: another server has another.
  const tlsServerName = options.tlsServerName ?? (options.server ? undefined : text(cluster.fields, 'tls-server-name'))
  const server = options.server ?? text(cluster.fields, 'server')
  const proxyUrl = text(cluster.fields, 'proxy-url')
  if (proxyUrl !== undefined) checkProxy(proxyUrl, cluster.name)
  if (server === undefined) throw new Error(`cluster "${cluster.name}" in ${origin} has no valid server`)
  try {
    return {
      server: serverUrl(server, ca !== undefined || Boolean(insecure)),
      ...(ca === undefined ? {} : { ca }),
      ...(tlsServerName === undefined ? {} : { tlsServerName }),
      ...(insecure ? { insecureSkipTlsVerify: true } : {}),
      ...(proxyUrl === undefined ? {} : { proxyUrl }),
    }
  } catch (error) {
    if (options.server !== undefined) throw error
    throw new Error(`cluster "${cluster.name}" in ${origin} has no valid server`)
  }
}

/** `host:port` alone means HTTP, or HTTPS where something says how to check the server. Throws an Error. */
function serverUrl(server: string, encrypted: boolean): string {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(server) ? server : `${encrypted ? 'https' : 'http'}://${server}`
  if (!URL.canParse(full) || !/^https?:/i.test(full)) throw new Error(`the server ${server} is not a URL`)
  return full.replace(/[?#].*$/, '').replace(/\/+$/, '')
}

function checkProxy(url: string, cluster: string): void {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new Error(`invalid proxy-url "${url}" of cluster "${cluster}": it must be an http or https URL`)
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`cannot read --certificate-authority ${path}: ${(error as Error).message}`)
  }
}

/** What a credential plugin is told of the cluster. */
function execCluster(
  { server, ca, tlsServerName, insecureSkipTlsVerify, proxyUrl }: Cluster,
  entry?: Entry,
): ExecCluster {
  const extensions = (entry?.fields.extensions ?? []) as readonly { name?: string; extension?: unknown }[]
  const config = extensions.find(({ name }) => name === 'client.authentication.k8s.io/exec')?.extension
  return {
    server,
    ...(tlsServerName === undefined ? {} : { 'tls-server-name': tlsServerName }),
    ...(insecureSkipTlsVerify ? { 'insecure-skip-tls-verify': true } : {}),
    ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
    ...(proxyUrl === undefined ? {} : { 'proxy-url': proxyUrl }),
    ...(config === undefined ? {} : { config }),
  }
}
