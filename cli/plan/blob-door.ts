import { BLOBS_PATH, BUNDLE_TYPE, readBundle } from '../../runtime/blob-bundle.ts'
import type { Client } from '../../runtime/client/client.ts'
import type { ConfigMap, Resource } from '../../runtime/client/resource.ts'
import { ApiError } from '../../runtime/errors.ts'
import { usageError } from '../exit.ts'
import { type BlobDoor, BlobsUnreadable } from './blobs.ts'

/** Where the chart says which Service hands out blobs: a constant of the chart, too. */
export const DOOR_CONFIG = { namespace: 'weir-system', name: 'weir-blobs' } as const

const configMaps: Resource<ConfigMap> = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
}

/** A catalog of a million files has some 100 MB. */
const TIMEOUT_MS = 300_000

/**
 * The way to a fleet's blobs with nothing but a kubeconfig. The embedded server hands them out itself, as Weir's own path. On Kubernetes the
 * gateway does, through the API server's proxy of its Service: whoever may `get services/proxy` of that Service, and only who knows a digest.
 * `service`: `NAMESPACE/NAME[:PORT]`, instead of what the chart has written down.
 */
export function blobDoor(client: Client, service: string | undefined, signal: AbortSignal): BlobDoor {
  const chosen = service === undefined ? undefined : proxyPath(service)
  let found: Promise<string> | undefined
  return async (digests) => {
    found ??= chosen === undefined ? findDoor(client, signal) : Promise.resolve(chosen)
    return await readBlobs(client, await found, digests, signal)
  }
}

async function readBlobs(
  client: Client,
  path: string,
  digests: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Buffer | undefined>> {
  const query = digests.map((digest) => `digest=${digest}`).join('&')
  try {
    const answer = await client.bytes(`${path}?${query}`, { accept: BUNDLE_TYPE, signal, timeoutMs: TIMEOUT_MS })
    if (answer.contentType !== BUNDLE_TYPE) throw new BlobsUnreadable(`${path} hands out something else than blobs`)
    return readBundle(answer.body)
  } catch (error) {
    if (error instanceof RangeError) throw new BlobsUnreadable(`what ${path} hands out is damaged: ${error.message}`)
    if (error instanceof ApiError) throw new BlobsUnreadable(sayRefusal(error, path))
    throw error
  }
}

/** Asks the embedded server whether it has the path, and then the chart's ConfigMap. */
async function findDoor(client: Client, signal: AbortSignal): Promise<string> {
  try {
    const { paths = [] } = (await client.raw('/', { signal })) as { readonly paths?: readonly string[] }
    if (paths.includes(BLOBS_PATH)) return BLOBS_PATH
  } catch (error) {
    // Kubernetes does not let everybody read its root; the embedded server has no such path to refuse.
    if (!(error instanceof ApiError)) throw error
    if (await answers(client, signal)) return BLOBS_PATH
  }
  const { namespace, name } = DOOR_CONFIG
  try {
    const config = await client.get(configMaps, { namespace, name }, { signal })
    const service = config.data?.service
    if (service === undefined) throw new BlobsUnreadable(`ConfigMap ${namespace}/${name} names no service`)
    return proxyPath(service)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.code === 404)
      throw new BlobsUnreadable(
        `nothing hands out blobs: there is no ConfigMap ${namespace}/${name} (the chart's gateway.blobs.enabled makes it)`,
      )
    throw new BlobsUnreadable(sayRefusal(error, `ConfigMap ${namespace}/${name}`))
  }
}

/** Whether the embedded server's path is there for this user: it refuses a request for nothing as malformed. */
async function answers(client: Client, signal: AbortSignal): Promise<boolean> {
  try {
    await client.bytes(BLOBS_PATH, { signal })
    return true
  } catch (error) {
    if (error instanceof ApiError) return error.code === 400
    throw error
  }
}

/** `NAMESPACE/NAME[:PORT]` as the path of the API server's proxy. Always TLS; the bytes are checked by their digests besides. */
export function proxyPath(service: string): string {
  const match = /^([a-z0-9][-a-z0-9]{0,62})\/([a-z0-9][-a-z0-9.]{0,252})(?::([a-z0-9-]{1,15}))?$/.exec(service)
  if (!match) throw usageError(`${JSON.stringify(service)} is not NAMESPACE/SERVICE or NAMESPACE/SERVICE:PORT`)
  const [, namespace, name, port = 'blobs'] = match
  return `/api/v1/namespaces/${namespace}/services/https:${name}:${port}/proxy${BLOBS_PATH}`
}

function sayRefusal(error: ApiError, what: string): string {
  if (error.code === 403 || error.code === 401) return `you may not read ${what}: ${error.message}`
  return `${what} cannot be read: ${error.message}`
}
