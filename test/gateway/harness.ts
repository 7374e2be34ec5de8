import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request as plainRequest } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureCertificates } from '../../apiserver/certificates/certificates.ts'
import { customResourceDefinitions as crds } from '../../crds/load.ts'
import { registry } from '../../crds/registry.gen.ts'
import type { Appliance, Assignment, HardwareClass, Site } from '../../crds/types.gen.ts'
import { type GatewayOptions, startGateway } from '../../gateway/gateway.ts'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { encodeFileSet } from '../../reconcilers/blobs/file-set-blob.ts'
import { APPLIANCE_LABEL, TOKEN_SECRET_TYPE, tokenSecretName } from '../../reconcilers/credentials/plan-credentials.ts'
import type { Report } from '../../reconcilers/gateway/report.ts'
import { type BlobStore, openBlobStore } from '../../runtime/blob-store.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import {
  type CustomResourceDefinition,
  customResourceDefinitions,
  namespaces,
  type Resource,
  secrets,
} from '../../runtime/client/resource.ts'
import { removeLeftovers } from '../kube/leftovers.ts'

export const appliances: Resource<Appliance> = registry.Appliance
export const sites: Resource<Site> = registry.Site
export const assignments: Resource<Assignment> = registry.Assignment
const hardwareClasses: Resource<HardwareClass> = registry.HardwareClass

/** A control plane with Weir's kinds, and what a gateway beside it needs. */
export interface ControlPlane extends AsyncDisposable {
  readonly client: Client
  readonly blobStore: BlobStore
  readonly ca: string
  readonly tls: { readonly cert: string; readonly key: string }
}

/** Weir's own API server in a folder of its own, or the one that WEIR_TEST_KUBECONFIG names, such as a real kube-apiserver. */
export async function startControlPlane(): Promise<ControlPlane> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-gateway-'))
  const given = process.env.WEIR_TEST_KUBECONFIG
  const api = given === undefined ? await startEmbedded(join(folder, 'api')) : undefined
  const client = new Client({ access: await loadKubeconfig({ path: given ?? api?.kubeconfigPath ?? '' }) })
  await installKinds(client)
  const { authority, server } = await ensureCertificates({ folder: join(folder, 'pki'), now: new Date() })
  return {
    client,
    blobStore: await openBlobStore(join(folder, 'blobs')),
    ca: authority,
    tls: { cert: server.certificate, key: server.key },
    async [Symbol.asyncDispose]() {
      client.close()
      await api?.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function startEmbedded(dataDir: string) {
  const { startApiServer } = await import('../../apiserver/server.ts')
  return await startApiServer({ dataDir })
}

async function installKinds(client: Client): Promise<void> {
  const options = { fieldManager: 'test', force: true }
  for (const crd of crds())
    await client.apply(customResourceDefinitions, crd as unknown as CustomResourceDefinition, options)
  for (const kind of Object.values(registry)) {
    await eventually(() => client.list(kind as Resource), `${kind.kind} is served`)
  }
  await removeLeftovers(client)
  const { apiVersion, kind } = registry.HardwareClass
  const spec = { storageBytes: 1e9, storageMedium: 'flash', throughputGbps: 1 } as const
  await client.apply(hardwareClasses, { apiVersion, kind, metadata: { name: 'small' }, spec }, options)
}

/** A gateway on a free port; closed when disposed of. Waits until it lets appliances in. */
export async function openGateway(plane: ControlPlane, options: Partial<GatewayOptions> = {}) {
  const { client, blobStore, tls } = plane
  const listen = { host: '127.0.0.1', port: 0 }
  const gateway = await startGateway({ client, blobStore, tls, listen, id: 'g1', ...options })
  await gateway.ready
  return { ...gateway, [Symbol.asyncDispose]: () => gateway.close() }
}

/** A namespace of its own for a test, with a site. */
export async function makeNamespace({ client }: ControlPlane, site = 'fra1'): Promise<string> {
  const name = `t-${randomUUID().slice(0, 8)}`
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  await makeSite(client, name, site)
  return name
}

export function makeSite(client: Client, namespace: string, name: string, parents: readonly { name: string }[] = []) {
  const site = {
    apiVersion: registry.Site.apiVersion,
    kind: 'Site',
    metadata: { name, namespace },
    spec: { country: 'DE', metro: 'fra', parents },
  }
  return client.create(sites, site as unknown as Site)
}

/** An appliance with a token. */
export async function makeAppliance({ client }: ControlPlane, namespace: string, name: string, site = 'fra1') {
  const object = {
    apiVersion: registry.Appliance.apiVersion,
    kind: 'Appliance',
    metadata: { name, namespace },
    spec: { siteRef: { name: site }, hardwareClassRef: { name: 'small' } },
  }
  await client.create(appliances, object as unknown as Appliance)
  const token = randomBytes(32).toString('base64url')
  await setToken(client, namespace, name, token)
  return { namespace, name, key: `${namespace}/${name}`, path: `/v1/appliances/${namespace}/${name}`, token }
}
export type TestAppliance = Awaited<ReturnType<typeof makeAppliance>>

export function setToken(client: Client, namespace: string, name: string, token: string) {
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: tokenSecretName(name), namespace, labels: { [APPLIANCE_LABEL]: name } },
    type: TOKEN_SECRET_TYPE,
    data: { token: Buffer.from(token).toString('base64') },
  }
  return client.apply(secrets, secret, { fieldManager: 'test', force: true })
}

/** What an assignment controller would write. */
export function assign({ client }: ControlPlane, { namespace, name }: TestAppliance, generation: number) {
  const assignment = {
    apiVersion: registry.Assignment.apiVersion,
    kind: 'Assignment',
    metadata: { name, namespace },
    spec: { content: { generation, entries: [], fill: { timeZone: 'UTC' }, drainSeconds: 30, serve: true } },
  }
  return client.apply(assignments, assignment as unknown as Assignment, { fieldManager: 'weir-assignment' })
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
}

export interface Ask {
  readonly method?: string
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly ca?: string
}

/** One request, on a connection of its own. */
export async function ask(url: string, { body, ...options }: Ask = {}): Promise<Answer> {
  const res = await new Promise<IncomingMessage>((resolve, reject) => {
    const req = open(url, options, resolve)
    req.on('error', reject)
    req.end(body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body))
  })
  const chunks: Buffer[] = []
  for await (const chunk of res) chunks.push(chunk as Buffer)
  const all = Buffer.concat(chunks)
  return { status: res.statusCode ?? 0, headers: res.headers, body: all, text: all.toString('utf8') }
}

export function open(
  url: string,
  { method, token, headers, ca }: Ask,
  onResponse: (res: IncomingMessage) => void,
): ClientRequest {
  const all = { ...headers, ...(token !== undefined && { Authorization: `Bearer ${token}` }) }
  const options = { method: method ?? 'GET', headers: all, agent: false as const, ...(ca !== undefined && { ca }) }
  return url.startsWith('https:') ? request(url, options, onResponse) : plainRequest(url, options, onResponse)
}

/** An open Assignment stream, its lines parsed as they come. */
export class TestStream {
  readonly lines: { readonly type: string; readonly uid?: string; readonly assignment?: Assignment['spec'] }[] = []
  readonly res: IncomingMessage
  ended = false

  private constructor(res: IncomingMessage) {
    this.res = res
    let rest = ''
    res.setEncoding('utf8')
    res.on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop() ?? ''
      for (const line of parts) this.lines.push(JSON.parse(line))
    })
    res.on('close', () => {
      this.ended = true
    })
    res.on('error', () => {})
  }

  static open(url: string, { path, token }: TestAppliance, ca: string): Promise<TestStream> {
    return new Promise((resolve, reject) => {
      const req = open(`${url}${path}/assignment?watch=true`, { token, ca }, (res) => resolve(new TestStream(res)))
      req.on('error', reject)
      req.end()
    })
  }

  get generations(): (number | undefined)[] {
    return this.lines
      .filter(({ type }) => type === 'ASSIGNMENT')
      .map(({ assignment }) => assignment?.content?.generation)
  }

  close(): void {
    this.res.destroy()
  }
}

export function report(content: Partial<Report['content']> = {}, more: Partial<Report> = {}): Report {
  return {
    bootId: 'boot-1',
    version: '0.1.0',
    startedAt: '2030-01-01T00:00:00Z',
    addresses: [{ type: 'HTTP', url: 'http://127.0.0.1:8080' }],
    content: {
      generation: 1,
      filesDesired: 10,
      bytesDesired: 1000,
      filesHeld: 0,
      bytesHeld: 0,
      filesFailing: 0,
      bytesToFill: 1000,
      progressPercent: 0,
      storageUsedBytes: 0,
      storageCapacityBytes: 1e9,
      failures: [],
      ...content,
    },
    ...more,
  }
}

export const catalogDigest = `sha256:${'c'.repeat(64)}`

export function inventory(...files: number[]): Uint8Array {
  return encodeFileSet({
    catalog: catalogDigest,
    files: files.length,
    bytes: files.length * 100,
    set: FileSet.of(files),
  })
}

/** Asks again until `probe` neither throws nor gives false or undefined; throws what it last threw after a time that a busy machine does not need. */
export async function eventually<T>(
  probe: () => Promise<T> | T,
  what: string,
  timeoutMs = 30_000,
): Promise<Exclude<T, false | undefined>> {
  const end = performance.now() + timeoutMs
  for (;;) {
    let problem: unknown
    try {
      const value = await probe()
      if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>
    } catch (error) {
      problem = error
    }
    if (performance.now() > end) throw new Error(`did not come true: ${what}`, { cause: problem })
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
