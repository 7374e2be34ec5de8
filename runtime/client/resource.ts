import type { JsonObject, KubeObject, ObjectMeta } from '../../crds/metadata.ts'

/** A served resource at one version, and the type of its objects. Generated for Weir's kinds; built-in ones are below. */
export interface Resource<T extends KubeObject = KubeObject> {
  /** '' for core. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  /** Carries the type only; never there. */
  readonly object?: T
}

/** `group/version`, or `v1` for core. */
export function apiVersionOf(resource: Pick<Resource, 'group' | 'version'>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`
}

/** The URL path of a collection, an object or a subresource. Names are checked by the server, and escaped here. */
export function resourcePath(resource: Resource, namespace?: string, name?: string, subresource?: string): string {
  const root = resource.group === '' ? '/api/' : `/apis/${resource.group}/`
  let path = root + resource.version
  if (resource.namespaced && namespace !== undefined) path += `/namespaces/${encodeURIComponent(namespace)}`
  path += `/${resource.plural}`
  if (name !== undefined) path += `/${encodeURIComponent(name)}`
  return subresource === undefined ? path : `${path}/${subresource}`
}

/** Names an object of a known resource. */
export interface ObjectKey {
  readonly namespace?: string
  readonly name: string
}

/** `namespace/name`, or `name` for cluster-scoped objects: how caches and queues name objects. */
export function keyOf({ namespace, name }: { readonly namespace?: string; readonly name?: string }): string {
  return namespace === undefined || namespace === '' ? `${name}` : `${namespace}/${name}`
}

/** The reverse of `keyOf`. */
export function parseKey(key: string): ObjectKey {
  const slash = key.indexOf('/')
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

export interface Namespace extends KubeObject {
  readonly status?: { readonly phase?: string }
}
export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}
/** `data` values are base64. */
export interface Secret extends KubeObject {
  readonly type?: string
  readonly immutable?: boolean
  readonly data?: Readonly<Record<string, string>>
  readonly stringData?: Readonly<Record<string, string>>
}
export interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    readonly leaseTransitions?: number
    /** RFC 3339 with microseconds. */
    readonly acquireTime?: string
    readonly renewTime?: string
  }
}
/** core/v1 Event: what `kubectl describe` and `kubectl events` show. */
export interface CoreEvent extends KubeObject {
  readonly involvedObject: {
    readonly apiVersion?: string
    readonly kind?: string
    readonly namespace?: string
    readonly name?: string
    readonly uid?: string
  }
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  readonly count: number
  readonly firstTimestamp: string
  readonly lastTimestamp: string
  readonly source: { readonly component: string }
  readonly reportingComponent?: string
  readonly reportingInstance?: string
}
export interface CustomResourceDefinition extends KubeObject {
  readonly spec: JsonObject
  readonly status?: JsonObject
}
export interface PlainObject extends KubeObject {
  readonly metadata: ObjectMeta
  readonly [field: string]: unknown
}

const builtIn = <T extends KubeObject>(
  group: string,
  version: string,
  plural: string,
  kind: string,
  namespaced = true,
): Resource<T> => ({ group, version, plural, kind, namespaced })

export const namespaces = builtIn<Namespace>('', 'v1', 'namespaces', 'Namespace', false)
export const configMaps = builtIn<ConfigMap>('', 'v1', 'configmaps', 'ConfigMap')
export const secrets = builtIn<Secret>('', 'v1', 'secrets', 'Secret')
export const coreEvents = builtIn<CoreEvent>('', 'v1', 'events', 'Event')
export const leases = builtIn<Lease>('coordination.k8s.io', 'v1', 'leases', 'Lease')
export const customResourceDefinitions = builtIn<CustomResourceDefinition>(
  'apiextensions.k8s.io',
  'v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
  false,
)
