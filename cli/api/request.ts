import type { Client } from '../../runtime/client/client.ts'
import { resourcePath } from '../../runtime/client/resource.ts'
import { isGone } from '../../runtime/errors.ts'
import type { ServedResource } from './discovery.ts'

/** A read of a collection or of one object, in whatever representation `accept` asks for. */
export interface ReadRequest {
  readonly resource: ServedResource
  /** Absent: all namespaces, or a cluster-scoped resource. */
  readonly namespace?: string
  readonly name?: string
  readonly subresource?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly includeObject?: 'Object' | 'Metadata' | 'None'
  readonly accept: string
  readonly signal?: AbortSignal
}

export const AS_TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
export const AS_JSON = 'application/json'

interface ListAnswer {
  readonly metadata?: { readonly continue?: string }
}

export async function readOne(client: Client, request: ReadRequest): Promise<unknown> {
  const { resource, namespace, name, subresource, accept, includeObject, signal } = request
  const path = resourcePath(resource, resource.namespaced ? namespace : undefined, name, subresource)
  return client.raw(path, { accept, query: { includeObject }, ...(signal ? { signal } : {}) })
}

/** The pages of a collection, `chunk` items each (0: one page). Pages that expire on the way are read again in one. */
export async function readPages(client: Client, request: ReadRequest, chunk: number): Promise<unknown[]> {
  try {
    return await pages(client, request, chunk)
  } catch (error) {
    if (!isGone(error) || chunk === 0) throw error
    return pages(client, request, 0)
  }
}

async function pages(client: Client, request: ReadRequest, chunk: number): Promise<unknown[]> {
  const { resource, namespace, labelSelector, fieldSelector, includeObject, accept, signal } = request
  const path = resourcePath(resource, resource.namespaced ? namespace : undefined)
  const found: unknown[] = []
  let token: string | undefined
  do {
    const query = { labelSelector, fieldSelector, includeObject, limit: chunk || undefined, continue: token }
    const page = await client.raw(path, { accept, query, ...(signal ? { signal } : {}) })
    found.push(page)
    token = (page as ListAnswer).metadata?.continue || undefined
  } while (token !== undefined)
  return found
}
