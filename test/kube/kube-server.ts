import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { accessSync, closeSync, constants, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { issueAuthority, issueCertificate } from '../../runtime/certificates/issue.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import { type CustomResourceDefinition, customResourceDefinitions } from '../../runtime/client/resource.ts'

export interface KubeServer {
  /** Of an administrator. */
  readonly kubeconfigPath: string
  /** Whether kube-controller-manager runs: without it nothing is garbage-collected and no namespace ever goes. */
  readonly hasControllerManager: boolean
  /** Ends kube-apiserver by a signal, runs `during`, and starts it again on the same port with the same data. */
  restart(signal: NodeJS.Signals, during: () => Promise<void>): Promise<void>
  /** Has etcd forget what has been: a version of before is answered with 410 by an API server that does not have it in memory. */
  compact(): Promise<void>
  /** Ends every program; the folder stays. */
  stop(): Promise<void>
}

/**
 * A real API server: etcd, kube-apiserver and, where it is there, kube-controller-manager, with authorization by RBAC and every group that is
 * served by default. They listen on 127.0.0.1 only.
 * @param assets The folder of the programs, as KUBEBUILDER_ASSETS names it.
 * @param folder For their data, keys and logs; made where it is not there.
 * @param definitions Kinds that it serves from the start. The garbage collector of kube-controller-manager knows these; of kinds that come later it
 *   learns up to half a minute later, and nothing of theirs is collected until then.
 */
export async function startKubeServer(
  assets: string,
  folder: string,
  definitions: readonly CustomResourceDefinition[] = [],
): Promise<KubeServer> {
  mkdirSync(folder, { recursive: true })
  const file = (name: string) => join(folder, name)
  const [port = 0, etcdPort, peerPort, managerPort = 0] = await freePorts(4)
  const kubeconfigPath = file('kubeconfig')
  await writeKeys(folder, port)

  const etcdUrl = `http://127.0.0.1:${etcdPort}`
  const peerUrl = `http://127.0.0.1:${peerPort}`
  const etcd = start(join(assets, 'etcd'), file('etcd.log'), {
    'data-dir': file('etcd'),
    'listen-client-urls': etcdUrl,
    'advertise-client-urls': etcdUrl,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `default=${peerUrl}`,
    // Nothing here outlives the machine.
    'unsafe-no-fsync': 'true',
  })
  const startApi = () =>
    start(join(assets, 'kube-apiserver'), file('kube-apiserver.log'), {
      'bind-address': '127.0.0.1',
      'secure-port': String(port),
      // Loopback addresses are refused here; this one is for documentation, and nobody asks it.
      'advertise-address': '192.0.2.1',
      'etcd-servers': etcdUrl,
      'tls-cert-file': file('server.crt'),
      'tls-private-key-file': file('server.key'),
      'client-ca-file': file('ca.crt'),
      'authorization-mode': 'RBAC',
      'service-account-key-file': file('sa.key'),
      'service-account-signing-key-file': file('sa.key'),
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-cluster-ip-range': '10.0.0.0/24',
      // Off by default, on in OpenShift: who sets blockOwnerDeletion must be allowed to set the owner's finalizers.
      'enable-admission-plugins': 'OwnerReferencesPermissionEnforcement',
    })
  let api = startApi()
  let manager: ChildProcess | undefined
  const stop = async () => {
    await ended(manager)
    await ended(api)
    await ended(etcd)
  }
  try {
    await ready(kubeconfigPath, api, file('kube-apiserver.log'))
    await define(kubeconfigPath, definitions)
    manager = startManager(assets, folder, managerPort)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    kubeconfigPath,
    hasControllerManager: manager !== undefined,
    async restart(signal, during) {
      await ended(api, signal)
      await during()
      api = startApi()
      await ready(kubeconfigPath, api, file('kube-apiserver.log'))
    },
    compact: () => compact(etcdUrl),
    stop,
  }
}

/** Source: etcd's JSON gateway, api/etcdserverpb/rpc.proto. */
async function compact(etcdUrl: string): Promise<void> {
  const ask = async (path: string, body: object) => {
    const response = await fetch(`${etcdUrl}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (!response.ok) throw new Error(`etcd: ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as { readonly header: { readonly revision: string } }
  }
  const { header } = await ask('range', { key: Buffer.from('none').toString('base64') })
  await ask('compaction', { revision: header.revision, physical: true })
}

function startManager(assets: string, folder: string, port: number): ChildProcess | undefined {
  const program = join(assets, 'kube-controller-manager')
  try {
    accessSync(program, constants.X_OK)
  } catch {
    return undefined
  }
  const kubeconfig = join(folder, 'kubeconfig')
  return start(program, join(folder, 'kube-controller-manager.log'), {
    kubeconfig,
    'authentication-kubeconfig': kubeconfig,
    'authorization-kubeconfig': kubeconfig,
    'bind-address': '127.0.0.1',
    'secure-port': String(port),
    'service-account-private-key-file': join(folder, 'sa.key'),
    'root-ca-file': join(folder, 'ca.crt'),
    'leader-elect': 'false',
    controllers:
      'garbage-collector-controller,namespace-controller,serviceaccount-controller,root-ca-certificate-publisher-controller',
  })
}

/** An authority, the server's certificate, a key for service accounts, and an administrator's kubeconfig. */
async function writeKeys(folder: string, port: number): Promise<void> {
  const validity = { now: new Date(), days: 7 }
  const authority = await issueAuthority('weir-test', validity)
  const names = ['127.0.0.1', 'localhost', 'kubernetes.default.svc']
  const server = await issueCertificate(authority, { type: 'server', commonName: 'kube-apiserver', names }, validity)
  const subject = { type: 'client', user: 'admin', groups: ['system:masters'] } as const
  const admin = await issueCertificate(authority, subject, validity)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text, { mode: 0o600 })
  write('ca.crt', authority.certificate)
  write('server.crt', server.certificate)
  write('server.key', server.key)
  write('sa.key', privateKey.export({ type: 'sec1', format: 'pem' }) as string)
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'kube',
    contexts: [{ name: 'kube', context: { cluster: 'kube', user: 'admin' } }],
    clusters: [
      {
        name: 'kube',
        cluster: {
          server: `https://127.0.0.1:${port}`,
          'certificate-authority-data': base64(authority.certificate),
        },
      },
    ],
    users: [
      {
        name: 'admin',
        user: { 'client-certificate-data': base64(admin.certificate), 'client-key-data': base64(admin.key) },
      },
    ],
  }
  write('kubeconfig', JSON.stringify(config))
}

async function ready(kubeconfigPath: string, api: ChildProcess, log: string): Promise<void> {
  const client = new Client({ access: await loadKubeconfig({ path: kubeconfigPath }) })
  const end = performance.now() + 180_000
  try {
    for (;;) {
      try {
        if ((await client.raw('/readyz', { timeoutMs: 2000 })) === 'ok') return
      } catch (error) {
        if (api.exitCode !== null) throw new Error(`kube-apiserver ended: ${lastLines(log)}`)
        if (performance.now() > end) throw new Error(`kube-apiserver is not ready: ${lastLines(log)}`, { cause: error })
      }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  } finally {
    client.close()
  }
}

/** Installs kinds, and waits until clients that discover what there is find them. */
async function define(kubeconfigPath: string, definitions: readonly CustomResourceDefinition[]): Promise<void> {
  if (definitions.length === 0) return
  const client = new Client({ access: await loadKubeconfig({ path: kubeconfigPath }) })
  const end = performance.now() + 60_000
  try {
    for (const one of definitions) {
      await client.apply(customResourceDefinitions, one, { fieldManager: 'weir', force: true })
    }
    for (let missing = definitions; missing.length > 0; ) {
      if (performance.now() > end) throw new Error(`not served: ${missing.map(({ metadata }) => metadata.name)}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
      const known = await discovered(client)
      missing = definitions.filter(({ metadata }) => !known.has(metadata.name ?? ''))
    }
  } finally {
    client.close()
  }
}

/** `plural.group` of everything in the aggregated discovery document, which kube-controller-manager reads. */
async function discovered(client: Client): Promise<ReadonlySet<string>> {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  const { items } = (await client.raw('/apis', { accept })) as {
    readonly items: readonly {
      readonly metadata: { readonly name: string }
      readonly versions: readonly { readonly resources?: readonly { readonly resource: string }[] }[]
    }[]
  }
  const names = items.flatMap(({ metadata, versions }) =>
    versions.flatMap(({ resources = [] }) => resources.map(({ resource }) => `${resource}.${metadata.name}`)),
  )
  return new Set(names)
}

function lastLines(log: string): string {
  return readFileSync(log, 'utf8').split('\n').slice(-6).join('\n')
}

function start(program: string, log: string, flags: Readonly<Record<string, string>>): ChildProcess {
  const output = openSync(log, 'a')
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
  const child = spawn(program, args, { stdio: ['ignore', output, output] })
  closeSync(output)
  return child
}

async function ended(child: ChildProcess | undefined, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const exit = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await exit
  clearTimeout(late)
}

/** Ports that were free a moment ago, no two of them the same. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  return servers.map((server) => {
    const address = server.address()
    server.close()
    return typeof address === 'object' && address ? address.port : 0
  })
}
