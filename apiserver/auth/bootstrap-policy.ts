import type { JsonObject } from '../../crds/metadata.ts'

const api = 'rbac.authorization.k8s.io'
const bootstrapped = {
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
}

type Rule = Readonly<Record<string, readonly string[]>>

const role = (name: string, rules: readonly Rule[]): JsonObject => ({
  apiVersion: `${api}/v1`,
  kind: 'ClusterRole',
  metadata: { name, ...bootstrapped },
  rules,
})

const binding = (name: string, groups: readonly string[]): JsonObject => ({
  apiVersion: `${api}/v1`,
  kind: 'ClusterRoleBinding',
  metadata: { name, ...bootstrapped },
  roleRef: { apiGroup: api, kind: 'ClusterRole', name },
  subjects: groups.map((g) => ({ apiGroup: api, kind: 'Group', name: g })),
})

const read = ['get', 'list', 'watch']
const write = ['create', 'delete', 'deletecollection', 'patch', 'update']
const content = { apiGroups: [''], resources: ['configmaps', 'events', 'serviceaccounts'] }
const secrets = { apiGroups: [''], resources: ['secrets'] }
const weir = { apiGroups: ['fleet.weir.dev', 'content.weir.dev'], resources: ['*'] }
const documents = [
  '/api',
  '/api/*',
  '/apis',
  '/apis/*',
  '/openapi',
  '/openapi/*',
  '/healthz',
  '/livez',
  '/readyz',
  '/version',
  '/version/',
]

/** Roles and bindings that are there from the start: Kubernetes' own, as far as this server has what they are about. */
export const bootstrapRoles: readonly JsonObject[] = [
  role('cluster-admin', [
    { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
    { nonResourceURLs: ['*'], verbs: ['*'] },
  ]),
  role('system:discovery', [{ nonResourceURLs: documents, verbs: ['get'] }]),
  role('system:public-info-viewer', [
    { nonResourceURLs: ['/healthz', '/livez', '/readyz', '/version', '/version/'], verbs: ['get'] },
  ]),
  role('system:basic-user', [
    {
      apiGroups: ['authorization.k8s.io'],
      resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
      verbs: ['create'],
    },
    { apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'], verbs: ['create'] },
  ]),
  role('view', [
    { ...content, verbs: read },
    { apiGroups: [''], resources: ['namespaces'], verbs: read },
    { ...weir, verbs: read },
  ]),
  role('edit', [
    { ...content, verbs: [...read, ...write] },
    { ...secrets, verbs: [...read, ...write] },
    { apiGroups: [''], resources: ['namespaces'], verbs: read },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: [...read, ...write] },
    { ...weir, verbs: [...read, ...write] },
  ]),
  role('admin', [
    { ...content, verbs: [...read, ...write] },
    { ...secrets, verbs: [...read, ...write] },
    { apiGroups: [''], resources: ['namespaces'], verbs: read },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: [...read, ...write] },
    { apiGroups: [api], resources: ['roles', 'rolebindings'], verbs: [...read, ...write] },
    { apiGroups: ['authorization.k8s.io'], resources: ['localsubjectaccessreviews'], verbs: ['create'] },
    { ...weir, verbs: [...read, ...write] },
  ]),
]

export const bootstrapBindings: readonly JsonObject[] = [
  binding('cluster-admin', ['system:masters']),
  binding('system:discovery', ['system:authenticated']),
  binding('system:basic-user', ['system:authenticated']),
  binding('system:public-info-viewer', ['system:authenticated', 'system:unauthenticated']),
]
