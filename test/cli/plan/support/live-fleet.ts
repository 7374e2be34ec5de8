import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { ensureCertificates } from '../../../../apiserver/certificates/certificates.ts'
import { startApiServer } from '../../../../apiserver/server.ts'
import type { Connection } from '../../../../cli/api/connect.ts'
import type { Io } from '../../../../cli/io.ts'
import { startControllers } from '../../../../controllers/main.ts'
import { startGateway } from '../../../../gateway/gateway.ts'
import { openBlobStore } from '../../../../runtime/blob-store.ts'
import { Client } from '../../../../runtime/client/client.ts'
import { loadKubeconfig } from '../../../../runtime/client/kubeconfig.ts'
import { install } from '../../../controllers/control-plane.ts'

/** A whole control plane in this process, made to act at once; and an origin for the bytes of tests. */
export interface LiveFleet extends AsyncDisposable {
  readonly client: Client
  readonly connection: Connection
  readonly kubeconfigPath: string
  readonly gatewayUrl: string
  readonly ca: string
  readonly dir: string
  /** Serves a file at `originUrl`, followed by its name. */
  serve(name: string, bytes: Buffer): void
  readonly originUrl: string
}

export async function startLiveFleet(
  tokens: Parameters<typeof startApiServer>[0]['tokens'] = new Map(),
): Promise<LiveFleet> {
  const dir = mkdtempSync(join(tmpdir(), 'weir-plan-'))
  const closers: (() => unknown)[] = [() => rmSync(dir, { recursive: true, force: true })]
  const close = async () => {
    for (const each of closers.splice(0).reverse()) await each()
  }
  try {
    const blobs = await openBlobStore(join(dir, 'blobs'))
    const api = await startApiServer({ dataDir: join(dir, 'api'), blobs, tokens })
    closers.push(() => api.close())
    const access = await loadKubeconfig({ path: api.kubeconfigPath })
    const client = new Client({ access, userAgent: 'weir-test', maxConnections: 64 })
    closers.push(() => client.close())
    await install(client)
    const controllers = startControllers({
      client,
      blobs,
      catalog: { fileRoots: [dir] },
      assignment: { drainSeconds: 0 },
      placement: { fleetDelayMs: 20, progressDelayMs: 50 },
      site: { progressDelayMs: 50 },
      // Tests take appliances away faster than any fleet loses them.
      brake: { maxDarkShare: 1, minDark: 1_000_000 },
    })
    closers.push(() => controllers.close())
    const { authority, server } = await ensureCertificates({ folder: join(dir, 'pki'), now: new Date() })
    const tls = { cert: server.certificate, key: server.key }
    const gateway = await startGateway({
      client,
      blobStore: blobs,
      tls,
      listen: { host: '127.0.0.1', port: 0 },
      id: 'g1',
    })
    closers.push(() => gateway.close())
    await Promise.all([controllers.started, gateway.ready])
    const files = new Map<string, Buffer>()
    const origin = createServer((request, response) => {
      const bytes = files.get(decodeURIComponent((request.url ?? '').slice(1)))
      response.writeHead(bytes ? 200 : 404, { 'Content-Length': bytes?.length ?? 0 }).end(bytes)
    })
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
    closers.push(() => {
      origin.closeAllConnections()
      origin.close()
    })
    return {
      client,
      connection: { client, namespace: 'default', namespaceGiven: false },
      kubeconfigPath: api.kubeconfigPath,
      gatewayUrl: gateway.url,
      ca: authority,
      dir,
      serve: (name, bytes) => files.set(name, bytes),
      originUrl: `http://127.0.0.1:${(origin.address() as AddressInfo).port}/`,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** A terminal that nobody looks at. */
export function quietIo(): Io {
  return {
    env: {},
    cwd: tmpdir(),
    stdin: Readable.from([]),
    out: async () => {},
    err: () => {},
    errIsTerminal: false,
    outIsTerminal: false,
    interactive: false,
    columns: () => 80,
    interrupted: new AbortController().signal,
    readerGone: new AbortController().signal,
  }
}
