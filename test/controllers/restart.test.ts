import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { type ApiServer, startApiServer } from '../../apiserver/server.ts'
import { startControllers } from '../../controllers/main.ts'
import { catalogs } from '../../controllers/resources.ts'
import type { Catalog } from '../../crds/types.gen.ts'
import { openBlobStore } from '../../runtime/blob-store.ts'
import { Client } from '../../runtime/client/client.ts'
import { loadKubeconfig } from '../../runtime/client/kubeconfig.ts'
import { until } from '../runtime/http.ts'
import { eventually, install } from './control-plane.ts'

let dir: string
let api: ApiServer
let client: Client

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'weir-restart-'))
  api = await startApiServer({ dataDir: join(dir, 'api') })
  client = new Client({ access: await loadKubeconfig({ path: api.kubeconfigPath }) })
})
afterEach(async () => {
  client.close()
  await api.close()
  rmSync(dir, { recursive: true })
})

async function publish(name: string): Promise<void> {
  writeFileSync(join(dir, `${name}.ndjson`), `{"path":"a","size":1,"sha256":"${'a'.repeat(64)}"}`)
  const catalog = {
    apiVersion: 'content.weir.dev/v1alpha1',
    kind: 'Catalog',
    metadata: { name, namespace: 'default' },
    spec: { source: { url: `file://${dir}/${name}.ndjson` } },
  } as Catalog
  await client.apply(catalogs, catalog, { fieldManager: 'test' })
  await eventually(
    async () => (await client.get(catalogs, { namespace: 'default', name })).status?.files === 1,
    `${name} is published`,
  )
}

test('controllers outlive their API server: they say what is wrong, and go on where they were', async () => {
  await install(client)
  const blobs = await openBlobStore(join(dir, 'blobs'))
  const controllers = startControllers({ client, blobs, catalog: { fileRoots: [dir] } })
  try {
    await controllers.started
    await publish('before')

    const { url } = api
    await api.close()
    await until(() => controllers.status.caches.every((cache) => cache.error !== undefined), 'every cache has noticed')
    expect(controllers.status.caches[0]).toMatchObject({ synced: true, error: expect.stringContaining(url) })

    api = await startApiServer({ dataDir: join(dir, 'api'), port: Number(new URL(url).port) })
    await publish('after')
    await eventually(
      async () => controllers.status.caches.every((cache) => cache.error === undefined),
      'every cache follows again',
    )
  } finally {
    await controllers.close()
  }
})

test('controllers that are there before their kinds: wait, say for what, and begin when they come', async () => {
  const blobs = await openBlobStore(join(dir, 'blobs'))
  const controllers = startControllers({ client, blobs, catalog: { fileRoots: [dir] } })
  try {
    await until(() => controllers.status.caches.some((cache) => cache.error !== undefined), 'a cache says why')
    expect(controllers.status.caches.find((cache) => cache.resource === 'catalogs.content.weir.dev')).toMatchObject({
      synced: false,
    })
    await install(client)
    await controllers.started
    await publish('first')
  } finally {
    await controllers.close()
  }
})

test('controllers that never got to start can be closed', async () => {
  const controllers = startControllers({ client, blobs: await openBlobStore(join(dir, 'blobs')) })
  await controllers.close()
  await expect(controllers.started).rejects.toThrow('was closed')
})
