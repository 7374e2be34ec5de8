import type { Api, Target } from '../api.ts'
import { badRequest, notFound } from '../api-error.ts'
import type { Representation } from '../served.ts'
import { checkNotFuture, parseResourceVersion } from './resource-version.ts'

/** Reads one object. `resourceVersion` is a lower bound, as for all reads that name one. */
export function getObject(api: Api, target: Target, resourceVersion: string): Representation {
  const { served, namespace, name } = target
  if (served.info.namespaced && namespace === '')
    throw badRequest('an empty namespace may not be set when a resource name is provided')
  checkNotFuture(api.store, parseResourceVersion(resourceVersion))
  const stored = api.store.get(served.key(namespace, name))
  if (!stored) throw notFound(served.groupResource, name)
  return served.read(stored)
}
