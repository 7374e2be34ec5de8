import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startApiServer } from '../../apiserver/server.ts'
import { customResourceDefinitions as weirDefinitions } from '../../crds/load.ts'
import { type BlobStore, openBlobStore } from '../../runtime/blob-store.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import { type CustomResourceDefinition, customResourceDefinitions, namespaces } from '../../runtime/client/resource.ts'
import { isAlreadyExists } from '../../runtime/errors.ts'
import { removeLeftovers } from '../kube/leftovers.ts'

/** An API server with Weir's kinds, and what controllers need beside it. */
export interface ControlPlane extends AsyncDisposable {
  readonly client: Client
  readonly blobs: BlobStore
  /** A folder for the test's own files. */
  readonly dir: string
  readonly kubeconfigPath: string
}

/** Starts the embedded one; `WEIR_TEST_KUBECONFIG` names another to ask instead, such as a real kube-apiserver. */
export async function startControlPlane(): Promise<ControlPlane> {
  const dir = mkdtempSync(join(tmpdir(), 'weir-controllers-'))
  const other = process.env.WEIR_TEST_KUBECONFIG
  const server = other ? undefined : await startApiServer({ dataDir: join(dir, 'api') })
  const kubeconfigPath = other ?? server!.kubeconfigPath
  const client = new Client({ access: await loadKubeconfig({ path: kubeconfigPath }), userAgent: 'weir-test' })
  const close = async () => {
    client.close()
    await server?.close()
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    await install(client)
    await removeLeftovers(client)
    return { client, blobs: await openBlobStore(join(dir, 'blobs')), dir, kubeconfigPath, [Symbol.asyncDispose]: close }
  } catch (error) {
    // A server left behind would keep the tests from ending.
    await close()
    throw error
  }
}

/** Installs the CustomResourceDefinitions; they are served when this resolves. */
export async function install(client: Client): Promise<void> {
  for (const definition of weirDefinitions()) {
    const crd = definition as unknown as CustomResourceDefinition
    await client.apply(customResourceDefinitions, crd, { fieldManager: 'weir', force: true })
  }
  for (const definition of weirDefinitions()) await established(client, (definition.metadata as { name: string }).name)
}

async function established(client: Client, name: string): Promise<void> {
  await eventually(async () => {
    const crd = await client.get(customResourceDefinitions, { name })
    const conditions = crd.status?.conditions as readonly { type: string; status: string }[] | undefined
    return conditions?.some((c) => c.type === 'Established' && c.status === 'True')
  }, `${name} is established`)
}

/** Makes a namespace of the test's own. */
export async function freshNamespace(client: Client, prefix: string): Promise<string> {
  for (;;) {
    const name = `${prefix}-${Math.random().toString(36).slice(2, 8)}`
    try {
      await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
      return name
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }
}

/**
 * Waits until `look` gives something true, and gives it back; throws that it did not come true, because of what it last threw, after a time that a
 * busy machine does not need.
 */
export async function eventually<T>(
  look: () => Promise<T | undefined | false>,
  what: string,
  timeoutMs = 30_000,
): Promise<T> {
  const end = Date.now() + timeoutMs
  for (;;) {
    let failure: unknown
    try {
      const value = await look()
      if (value) return value
    } catch (error) {
      failure = error
    }
    if (Date.now() > end) throw new Error(`did not come true: ${what}`, { cause: failure })
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
