import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import { apiVersionOf } from '../../runtime/client/resource.ts'
import type { Connection } from '../api/connect.ts'
import type { ServedResource } from '../api/discovery.ts'
import { discovered } from '../api/discovery-cache.ts'
import { resourceOfKind } from '../api/mapping.ts'
import { AS_JSON, readPages } from '../api/request.ts'
import { knowsTypes, parseTargets } from '../api/targets.ts'
import { inWaves } from '../changes/order.ts'
import { usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { loadManifests } from '../manifests/manifest.ts'
import { fileArguments, namesFiles } from '../manifests/named-files.ts'
import { manifestError } from '../manifests/problem.ts'
import type { DeleteFlags } from './delete-flags.ts'

type Body = KubeObject & JsonObject

/** One object to delete. */
export interface Doomed {
  readonly resource: ServedResource
  readonly namespace?: string
  readonly name: string
  /** As a file or the server has it; of a named object only what it is called. */
  readonly object: Body
}

/** The objects that a command line means, in waves: what depends on others first. Throws usage errors and what the client throws. */
export async function doomedBy(
  io: Io,
  connection: Connection,
  words: readonly string[],
  flags: DeleteFlags,
): Promise<Doomed[][]> {
  const found = namesFiles(flags)
    ? await inFiles(io, connection, words, flags)
    : await onServer(io, connection, words, flags)
  return inWaves(found, ({ object }) => object).reverse()
}

async function inFiles(
  io: Io,
  connection: Connection,
  words: readonly string[],
  flags: DeleteFlags,
): Promise<Doomed[]> {
  if (words.length > 0)
    throw usageError('when paths are provided as input, you may not specify resource arguments as well')
  const { manifests, problems } = await loadManifests(fileArguments(io, [], flags))
  const discovery = await discovered(connection, io.interrupted, (kept) =>
    manifests.every(({ object: { apiVersion, kind } }) => resourceOfKind(kept, apiVersion, kind)),
  )
  const found = manifests.map((manifest) => {
    const { apiVersion, kind } = manifest.object
    return { manifest, resource: resourceOfKind(discovery, apiVersion, kind) }
  })
  // A kind that is not served has no objects: with --ignore-not-found that is as good as deleted.
  const unserved = flags.ignoreNotFound
    ? []
    : found.flatMap(({ manifest, resource }) => {
        const { apiVersion, kind } = manifest.object
        const message = `the server has no kind "${kind}" of "${apiVersion}"`
        return resource ? [] : [manifest.problem('unknown-kind', ['kind'], 'value', message)]
      })
  if (problems.length + unserved.length > 0) throw manifestError([...problems, ...unserved], '; nothing was deleted')
  return found.flatMap(({ manifest: { object }, resource }) => {
    const { name = '', namespace = connection.namespace } = object.metadata
    return resource ? [{ resource, name, object, ...(resource.namespaced ? { namespace } : {}) }] : []
  })
}

async function onServer(
  io: Io,
  connection: Connection,
  words: readonly string[],
  flags: DeleteFlags,
): Promise<Doomed[]> {
  if (words.length === 0) throw usageError('you must provide one or more resources by argument or filename')
  const discovery = await discovered(connection, io.interrupted, (kept) => knowsTypes(kept, words))
  const { targets } = parseTargets(discovery, words, {
    allNamespaces: flags.allNamespaces ?? false,
    selected: Boolean(flags.selector || flags.fieldSelector),
    allowCollections: flags.all ?? false,
  })
  const found: Doomed[] = []
  for (const target of targets) {
    const { resource } = target
    if (target.type === 'object') {
      const place = resource.namespaced ? { namespace: connection.namespace } : {}
      const object = {
        apiVersion: apiVersionOf(resource),
        kind: resource.kind,
        metadata: { name: target.name, ...place },
      }
      found.push({ resource, name: target.name, object, ...place })
    } else found.push(...(await members(io, connection, resource, flags)))
  }
  return found
}

async function members(
  io: Io,
  connection: Connection,
  resource: ServedResource,
  flags: DeleteFlags,
): Promise<Doomed[]> {
  const request = {
    resource,
    accept: AS_JSON,
    signal: io.interrupted,
    ...(flags.allNamespaces ? {} : { namespace: connection.namespace }),
    ...(flags.selector ? { labelSelector: flags.selector } : {}),
    ...(flags.fieldSelector ? { fieldSelector: flags.fieldSelector } : {}),
  }
  const pages = (await readPages(connection.client, request, 500)) as { items?: readonly Body[] }[]
  const type = { apiVersion: apiVersionOf(resource), kind: resource.kind }
  return pages.flatMap(({ items = [] }) =>
    items.map((item) => ({
      resource,
      name: item.metadata.name!,
      object: { ...item, ...type } as KubeObject as Body,
      ...(resource.namespaced ? { namespace: item.metadata.namespace! } : {}),
    })),
  )
}
