/** What a path asks for, before anyone looks whether it exists. Kubernetes' RequestInfo. */
export type RequestInfo = ResourceRequest | PathRequest

export interface ResourceRequest {
  readonly type: 'resource'
  readonly group: string
  readonly version: string
  /** '' where the object is cluster-scoped or all namespaces are meant. */
  readonly namespace: string
  readonly resource: string
  /** '' for the collection. */
  readonly name: string
  readonly subresource: string
}

/** Anything but a resource: discovery, health, OpenAPI. */
export interface PathRequest {
  readonly type: 'path'
  readonly path: string
}

/**
 * Reads `/api/V/…` and `/apis/G/V/…`. `/namespaces/N` and its subresources `status` and `finalize` are the Namespace itself;
 * any other third part is a resource in it. `pathname` is percent-encoded, without the query.
 */
export function parsePath(pathname: string): RequestInfo | undefined {
  const path: PathRequest = { type: 'path', path: pathname }
  const core = pathname.startsWith('/api/')
  if (!core && !pathname.startsWith('/apis/')) return path
  const trimmed = pathname.endsWith('/') ? pathname.slice(1, -1) : pathname.slice(1)
  const parts = trimmed.split('/')
  const group = core ? '' : (parts[1] ?? '')
  const at = core ? 1 : 2
  const version = parts[at]
  if (!version || parts.length <= at + 1) return path
  let rest = parts.slice(at + 1)
  if (pathname.includes('%')) {
    const decoded = decodeAll(rest)
    if (!decoded) return undefined
    rest = decoded
  }
  if (rest[0] === 'namespaces' && rest.length > 2 && !(core && isNamespaceSubresource(rest))) {
    return request(group, version, rest[1] ?? '', rest.slice(2))
  }
  return request(group, version, '', rest)
}

function isNamespaceSubresource(rest: readonly string[]): boolean {
  return rest.length === 3 && (rest[2] === 'status' || rest[2] === 'finalize')
}

function request(group: string, version: string, namespace: string, rest: readonly string[]): RequestInfo {
  const [resource = '', name = '', ...sub] = rest
  // The name of a Namespace is also the namespace of the request, as authorisation sees it.
  const ns = resource === 'namespaces' && group === '' && name !== '' ? name : namespace
  return { type: 'resource', group, version, namespace: ns, resource, name, subresource: sub.join('/') }
}

/** Percent-decodes each part; undefined where one is malformed or hides a slash. */
function decodeAll(parts: readonly string[]): string[] | undefined {
  try {
    return parts.map((p) => decodeURIComponent(p))
  } catch {
    return undefined
  }
}
