import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { registry } from '../../crds/registry.gen.ts'
import type { Appliance, Catalog, Site } from '../../crds/types.gen.ts'
import { catalogOf, encodeCatalog } from '../../reconcilers/blobs/catalog.ts'
import { FileSet } from '../../reconcilers/blobs/file-set.ts'
import { encodeFileSet } from '../../reconcilers/blobs/file-set-blob.ts'
import type { Resource } from '../../runtime/client/resource.ts'
import { type Steering, type SteeringOptions, startSteering } from '../../steering/steering.ts'
import type { ControlPlane } from '../gateway/harness.ts'

const sites: Resource<Site> = registry.Site
const appliances: Resource<Appliance> = registry.Appliance
const catalogs: Resource<Catalog> = registry.Catalog
const by = { fieldManager: 'test', force: true }

/** What an appliance is to who probes it: a server that can go silent, refuse, or come back at the same port. */
export class FakeAppliance implements AsyncDisposable {
  load = 'requests=1, bytes-per-second=1000'
  probes = 0
  #silent = false
  #server: Server | undefined
  #port = 0
  readonly #sockets = new Set<Socket>()

  static async start(): Promise<FakeAppliance> {
    const appliance = new FakeAppliance()
    await appliance.start()
    return appliance
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async start(): Promise<void> {
    const server = createServer((_, res) => {
      this.probes++
      if (!this.#silent) res.writeHead(200, { 'Content-Length': 0, 'Weir-Load': this.load }).end()
    })
    server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    server.listen(this.#port, '127.0.0.1')
    await once(server, 'listening')
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
  }

  /** It takes connections and questions, and answers none: a process that hangs. */
  set silent(silent: boolean) {
    this.#silent = silent
  }

  /** As when its process is killed. */
  async kill(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    const closed = once(server, 'close')
    server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}

const meta = (namespace: string, name: string) => ({ namespace, name })

export async function putSite(
  { client }: ControlPlane,
  namespace: string,
  name: string,
  spec: { readonly prefixes?: readonly string[]; readonly parents?: readonly string[]; readonly tier?: string } = {},
): Promise<void> {
  const { prefixes = [], parents = [], tier = 'edge' } = spec
  const site = {
    ...{ apiVersion: registry.Site.apiVersion, kind: 'Site', metadata: meta(namespace, name) },
    spec: {
      country: 'DE',
      metro: name,
      tier,
      network: { prefixes },
      parents: parents.map((parent) => ({ name: parent })),
    },
  }
  await client.apply(sites, site as unknown as Site, by)
}

/** A catalog of these paths; gives the digest of its blob. */
export async function putCatalog(
  { client, blobStore }: ControlPlane,
  namespace: string,
  name: string,
  files: readonly ({ readonly path: string; readonly title?: string } | null)[],
): Promise<string> {
  const content = catalogOf(files.map((file) => file && { size: 10, sha256: 'a'.repeat(64), ...file }))
  const digest = await blobStore.put(encodeCatalog(content))
  const { apiVersion } = registry.Catalog
  const head = { apiVersion, kind: 'Catalog', metadata: meta(namespace, name) }
  const spec = { source: { url: 'http://127.0.0.1:9/list.ndjson' } }
  await client.apply(catalogs, { ...head, spec } as unknown as Catalog, by)
  await client.applyStatus(catalogs, { ...head, status: { digest, files: files.length } } as unknown as Catalog, by)
  return digest
}

export interface Held {
  readonly catalog: string
  readonly catalogDigest: string
  readonly files: readonly number[]
}

/** An appliance as the control plane shows it once its agent has reported what it verifiably holds. */
export async function putAppliance(
  { client, blobStore }: ControlPlane,
  namespace: string,
  name: string,
  state: {
    readonly site: string
    readonly url: string
    readonly holds: readonly Held[]
    readonly mode?: string
    readonly online?: 'True' | 'False' | 'Unknown'
  },
): Promise<void> {
  const { site, url, holds, mode = 'InService', online = 'True' } = state
  const head = { apiVersion: registry.Appliance.apiVersion, kind: 'Appliance', metadata: meta(namespace, name) }
  const spec = { siteRef: { name: site }, hardwareClassRef: { name: 'small' }, mode }
  await client.apply(appliances, { ...head, spec } as unknown as Appliance, by)
  const inventories = await Promise.all(
    holds.map(async ({ catalog, catalogDigest, files }) => ({
      ...{ catalog: { namespace, name: catalog }, catalogDigest },
      digest: await blobStore.put(
        encodeFileSet({
          catalog: catalogDigest,
          files: files.length,
          bytes: files.length * 10,
          set: FileSet.of(files),
        }),
      ),
    })),
  )
  const condition = {
    type: 'Online',
    status: online,
    reason: 'Test',
    message: 'test',
    lastTransitionTime: '2030-01-01T00:00:00Z',
  }
  const status = { addresses: [{ type: 'HTTP', url }], conditions: [condition], content: { ...CONTENT, inventories } }
  await client.applyStatus(appliances, { ...head, status } as unknown as Appliance, by)
}

const CONTENT = {
  ...{ generation: 1, filesDesired: 0, bytesDesired: 0, filesHeld: 0, bytesHeld: 0, filesFailing: 0, bytesToFill: 0 },
  ...{ progressPercent: 100, storageUsedBytes: 0, storageCapacityBytes: 1e9, failures: [] },
}

/** Steering on free ports of this machine, which may say for whom it asks. */
export async function openSteering(
  plane: ControlPlane,
  options: Partial<SteeringOptions> = {},
): Promise<Steering & AsyncDisposable> {
  const steering = await startSteering({
    ...{ client: plane.client, blobs: plane.blobStore, listen: { host: '127.0.0.1', port: 0 }, perClient: 0 },
    trustedProxies: ['127.0.0.1'],
    ...options,
  })
  const disposable = { [Symbol.asyncDispose]: () => steering.close() }
  // Getters stay getters.
  return Object.defineProperties(disposable, Object.getOwnPropertyDescriptors(steering)) as unknown as Steering &
    AsyncDisposable
}

export interface SteeredBody {
  readonly urls: readonly {
    readonly url: string
    readonly appliance?: string
    readonly site?: string
    readonly tier: string
  }[]
  readonly expiresAt: string
  readonly miss: string
  readonly explanation?: {
    readonly client: { readonly site?: string; readonly knownBy: string }
    readonly candidates: readonly { readonly appliance?: string; readonly reason: string; readonly message: string }[]
  }
}

/** Asks who has a file; throws where the answer is no answer. */
export async function steer(url: string, query: Readonly<Record<string, string>>): Promise<SteeredBody> {
  const answer = await fetch(`${url}/v1/steer?${new URLSearchParams(query)}`)
  const text = await answer.text()
  if (answer.status !== 200) throw new Error(`${answer.status}: ${text}`)
  return JSON.parse(text) as SteeredBody
}

/** Names of the appliances of an answer, without their namespace. */
export const named = ({ urls }: SteeredBody) => urls.map(({ appliance }) => appliance?.split('/')[1])
