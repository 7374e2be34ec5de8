import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { ensureCertificates } from '../../apiserver/certificates/certificates.ts'
import { openBlobDoor } from '../../gateway/blob-door.ts'
import { BLOBS_PATH, BUNDLE_TYPE, MAX_DIGESTS, readBundle } from '../../runtime/blob-bundle.ts'
import { type BlobStore, digestOf, openBlobStore } from '../../runtime/blob-store.ts'
import { ask } from './harness.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-door-'))
let store: BlobStore
let door: Awaited<ReturnType<typeof openBlobDoor>>
let ca: string
beforeAll(async () => {
  store = await openBlobStore(join(folder, 'blobs'))
  const { authority, server } = await ensureCertificates({ folder: join(folder, 'pki'), now: new Date() })
  ca = authority
  const tls = { cert: server.certificate, key: server.key }
  door = await openBlobDoor({ blobStore: store, listen: { host: '127.0.0.1', port: 0 }, tls })
})
afterAll(async () => {
  await door.close()
  rmSync(folder, { recursive: true, force: true })
})

const get = (path: string, method = 'GET') => ask(door.url + path, { ca, method })
const none = `sha256:${'0'.repeat(64)}`

test('hands out what its digests name, and says which there are not', async () => {
  const [small, empty, large] = [Buffer.from('a\n{"b"}\n'), Buffer.alloc(0), Buffer.alloc(3_000_000, 'weir ')]
  const digests = await Promise.all([small, empty, large].map((bytes) => store.put(bytes)))
  const answer = await get(`${BLOBS_PATH}?${[...digests, none].map((digest) => `digest=${digest}`).join('&')}`)
  expect([answer.status, answer.headers['content-type']]).toEqual([200, BUNDLE_TYPE])
  const blobs = readBundle(answer.body)
  expect([...blobs.keys()]).toEqual([...digests, none])
  expect(digests.map((digest) => digestOf(blobs.get(digest)!))).toEqual(digests)
  expect(blobs.get(none)).toBeUndefined()
})

test.each([
  ['nothing else is there', 'GET', '/', 404],
  ['nor the appliances’ own paths', 'GET', `/v1/blobs/${none}`, 404],
  ['nothing can be put', 'PUT', `${BLOBS_PATH}?digest=${none}`, 405],
  ['what there is cannot be listed', 'GET', BLOBS_PATH, 400],
  ['a digest is no path', 'GET', `${BLOBS_PATH}?digest=../../etc/passwd`, 400],
  [
    'so many at once would hold others up',
    'GET',
    `${BLOBS_PATH}?${Array.from({ length: MAX_DIGESTS + 1 }, (_, i) => `digest=sha256:${String(i).padStart(64, '0')}`).join('&')}`,
    400,
  ],
])('%s', async (_, method, path, status) => {
  expect((await get(path, method)).status).toBe(status)
})

test('a bundle that is cut off, or whose bytes were changed, is not taken for one', async () => {
  const digest = await store.put(Buffer.from('something'))
  const { body } = await get(`${BLOBS_PATH}?digest=${digest}`)
  expect(() => readBundle(body.subarray(0, -1))).toThrow('the bytes sent as')
  expect(() => readBundle(Buffer.from(body.toString().replace('something', 'somethinh')))).toThrow(
    `the bytes sent as ${digest} are others`,
  )
  expect(() => readBundle(Buffer.from('<html>'))).toThrow('not a bundle of blobs')
})
