import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { Connection } from '../api/connect.ts'
import type { Discovery, ServedResource } from '../api/discovery.ts'
import { discovered } from '../api/discovery-cache.ts'
import { resourceOfKind } from '../api/mapping.ts'
import { usageError } from '../exit.ts'
import type { Io } from '../io.ts'
import { checkManifests } from '../manifests/check.ts'
import { loadManifests, type Manifest } from '../manifests/manifest.ts'
import { type FileFlags, fileArguments, namesFiles } from '../manifests/named-files.ts'
import { manifestError, type Problem } from '../manifests/problem.ts'
import { didYouMean } from '../manifests/suggest.ts'
import { maskProblems } from './mask-problems.ts'
import { inWaves } from './order.ts'

/** A manifest, where on the server its object lives, and the object as it is sent (its namespace filled in). */
export interface Resolved {
  readonly manifest: Manifest
  readonly resource: ServedResource
  readonly object: KubeObject & JsonObject
  /** Its kind is defined by a CustomResourceDefinition of the same set, and not served yet. */
  readonly late: boolean
}

/** The manifests that `-f` or `-k` names, and bare words too, so that `-f sites/*.yaml` means all that the shell made of it. */
export async function manifestsFrom(
  io: Io,
  words: readonly string[],
  flags: FileFlags,
): Promise<{ manifests: readonly Manifest[]; problems: readonly Problem[] }> {
  if (!namesFiles(flags)) throw usageError('must specify one of -f and -k')
  return loadManifests(fileArguments(io, words, flags))
}

/**
 * Checks all manifests, first without the server, then against what it serves, and puts them into the order in which they can be
 * applied. Throws exit code 2 with every problem, and `so`, what that means; nothing has been sent then but reads.
 */
export async function resolveManifests(
  { manifests, problems }: { readonly manifests: readonly Manifest[]; readonly problems: readonly Problem[] },
  connection: Connection,
  signal: AbortSignal,
  so = '',
): Promise<Resolved[]> {
  const { namespace, namespaceGiven } = connection
  const offline = [...problems, ...(await checkManifests(manifests, { namespace, namespaceGiven, signal }))]
  if (offline.length > 0) throw manifestError(maskProblems(offline, manifests), so)
  if (manifests.length === 0) throw usageError('no objects passed')
  // Whether kinds that the set defines are served already must be true, not remembered.
  const discovery = await discovered(connection, signal, (kept) =>
    manifests.every(
      ({ object }) =>
        object.kind !== 'CustomResourceDefinition' && resourceOfKind(kept, object.apiVersion, object.kind),
    ),
  )
  const defined = definedInSet(manifests)
  const unserved: Problem[] = []
  const resolved: Resolved[] = []
  for (const manifest of manifests) {
    const { apiVersion, kind } = manifest.object
    const served = resourceOfKind(discovery, apiVersion, kind)
    const resource = served ?? defined.get(`${apiVersion}/${kind}`)
    if (resource) resolved.push({ manifest, resource, late: !served, object: placed(manifest, resource, namespace) })
    else unserved.push(unservedKind(manifest, discovery))
  }
  if (unserved.length > 0) throw manifestError(unserved, so)
  return inWaves(resolved, ({ object }) => object).flat()
}

function placed(manifest: Manifest, resource: ServedResource, namespace: string): KubeObject & JsonObject {
  const { object } = manifest
  if (!resource.namespaced || object.metadata.namespace) return object
  return { ...object, metadata: { ...object.metadata, namespace } } as KubeObject & JsonObject
}

function unservedKind(manifest: Manifest, { resources }: Discovery): Problem {
  const { apiVersion, kind } = manifest.object
  const ofVersion = resources.filter((r) => (r.group === '' ? r.version : `${r.group}/${r.version}`) === apiVersion)
  const versions = new Set(resources.map((r) => (r.group === '' ? r.version : `${r.group}/${r.version}`)))
  if (ofVersion.length > 0) {
    const message = `the server has no kind "${kind}" in ${apiVersion}${didYouMean(
      kind,
      ofVersion.map((r) => r.kind),
    )}`
    return manifest.problem('unknown-kind', ['kind'], 'value', message, 'kind')
  }
  const group = apiVersion.slice(0, apiVersion.indexOf('/') + 1)
  const sameGroup = [...versions].find((version) => group !== '' && version.startsWith(group))
  const suggestion = sameGroup ? `; did you mean "${sameGroup}"?` : didYouMean(apiVersion, versions)
  return manifest.problem(
    'unknown-kind',
    ['apiVersion'],
    'value',
    `the server does not serve "${apiVersion}"${suggestion}`,
    'apiVersion',
  )
}

/** What the set's own CustomResourceDefinitions will serve. */
function definedInSet(manifests: readonly Manifest[]): ReadonlyMap<string, ServedResource> {
  const defined = new Map<string, ServedResource>()
  for (const { object } of manifests) {
    if (object.kind !== 'CustomResourceDefinition') continue
    const spec = object.spec as
      | {
          group?: string
          scope?: string
          names?: { kind?: string; plural?: string }
          versions?: { name?: string; served?: boolean; subresources?: object }[]
        }
      | undefined
    for (const version of Array.isArray(spec?.versions) ? spec.versions : []) {
      const { group, scope, names } = spec!
      if (!group || !names?.kind || !names.plural || !version.name || version.served === false) continue
      defined.set(`${group}/${version.name}/${names.kind}`, {
        group,
        version: version.name,
        kind: names.kind,
        plural: names.plural,
        namespaced: scope === 'Namespaced',
        singular: '',
        shortNames: [],
        categories: [],
        verbs: [],
        subresources: Object.keys(version.subresources ?? {}),
      })
    }
  }
  return defined
}
