import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { catalogOf, encodeCatalog } from '../../reconcilers/blobs/catalog.ts'
import { blobFolder, openBlobStore } from '../../runtime/blob-store.ts'
import { Client } from '../../runtime/client/client.ts'
import { fixedCredentials } from '../../runtime/client/credentials.ts'
import { startSteering } from '../../steering/steering.ts'
import { writeSnapshot } from '../../steering/world/snapshot.ts'
import { steer } from './fleet.ts'

// Far more than are taken up while a small catalog is read.
const SITES = 120
const PREFIXES = 1024

const prefix = (n: number) => `${10 + (n >>> 16)}.${(n >>> 8) & 255}.${n & 255}.0/24`

const site = (_: unknown, i: number) => ({
  ...{ apiVersion: 'fleet.weir.dev/v1alpha1', kind: 'Site', metadata: { namespace: 'isp', name: `s${i}` } },
  spec: {
    ...{ country: 'DE', metro: 'fra', tier: 'edge', parents: [] },
    network: { prefixes: Array.from({ length: PREFIXES }, (_, p) => prefix(i * PREFIXES + p)) },
  },
})
const catalog = (digest: string) => ({
  ...{ apiVersion: 'content.weir.dev/v1alpha1', kind: 'Catalog', metadata: { namespace: 'isp', name: 'films' } },
  ...{ spec: { source: { url: 'http://127.0.0.1:9' } }, status: { digest } },
})

test('ready, from a snapshot and without the API server, is who knows all that sites announce', async () => {
  const data = await mkdtemp(join(tmpdir(), 'weir-ready-'))
  // Nobody listens there.
  const client = new Client({ access: { server: 'http://127.0.0.1:9', credentials: fixedCredentials({}) } })
  const files = [{ path: 'one.mp4', size: 1, sha256: 'a'.repeat(64) }]
  const digest = await (await openBlobStore(join(data, 'blobs'))).put(encodeCatalog(catalogOf(files)))
  await writeSnapshot(data, [...Array.from({ length: SITES }, site), catalog(digest)], new Date())
  const steering = await startSteering({
    ...{ client, data, blobs: blobFolder(data), listen: { host: '127.0.0.1', port: 0 }, probeThreads: 0 },
    trustedProxies: ['127.0.0.1'],
  })
  try {
    expect(Object.values(steering.readiness)).toContain('is being read')
    while (Object.values(steering.readiness).some((fault) => fault !== undefined)) await new Promise(setImmediate)
    const client = prefix(SITES * PREFIXES - 1).replace('0/24', '1')
    const { explanation } = await steer(steering.url, { file: 'isp/films/one.mp4', client, explain: '1' })
    expect(explanation?.client).toMatchObject({ site: `isp/s${SITES - 1}`, knownBy: 'site' })
  } finally {
    await steering.close()
    client.close()
    await rm(data, { recursive: true, force: true })
  }
})
