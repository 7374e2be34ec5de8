/** A request as Kubernetes' authorizer sees it. */
export interface RequestInfo {
  readonly verb: string
  readonly group: string
  /** With its subresource: `appliances/status`; empty for paths that are no resource. */
  readonly resource: string
  readonly namespace: string
  readonly name: string
  /** Without its query. */
  readonly path: string
  readonly dryRun: boolean
}

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
  GET: 'get',
  HEAD: 'get',
}

/** Source: k8s.io/apiserver pkg/endpoints/request/requestinfo.go */
export function requestInfo(method: string, target: string): RequestInfo {
  const { pathname, searchParams } = new URL(target, 'http://api')
  const dryRun = searchParams.has('dryRun')
  const nothing = { group: '', resource: '', namespace: '', name: '', path: pathname, dryRun }
  const verb = VERBS[method] ?? method.toLowerCase()
  const [root, ...parts] = pathname.split('/').filter((part) => part !== '')
  const prefix = root === 'api' ? 1 : root === 'apis' ? 2 : 0
  if (prefix === 0 || parts.length <= prefix) return { verb, ...nothing }
  const group = prefix === 2 ? parts[0]! : ''
  let rest = parts.slice(prefix)
  let namespace = ''
  if (rest[0] === 'namespaces' && rest.length > 1) {
    namespace = rest[1]!
    // `namespaces/x` and its subresources are about the namespace; `namespaces/x/pods` is about pods.
    if (rest.length > 2 && !['status', 'finalize'].includes(rest[2]!)) rest = rest.slice(2)
  }
  const [plural = '', name = '', subresource] = rest
  const resource = subresource ? `${plural}/${subresource}` : plural
  return { verb: ofCollection(verb, name, searchParams), group, resource, namespace, name, path: pathname, dryRun }
}

function ofCollection(verb: string, name: string, query: URLSearchParams): string {
  if (verb === 'get' && ['true', '1'].includes(query.get('watch') ?? '')) return 'watch'
  if (name !== '') return verb
  if (verb === 'get') return 'list'
  return verb === 'delete' ? 'deletecollection' : verb
}
