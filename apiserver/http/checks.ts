import type { Store } from '../storage/store.ts'
import type { HealthCheck } from './health.ts'

/** How far the server is. */
export interface Progress {
  /** CRDs are served and the controllers follow the store. */
  readonly started: boolean
  readonly closing: boolean
}

/**
 * Kubernetes' start-up hooks whose work here is done by the server's own start: probes ask for them by name.
 * Listed in the order in which kube-apiserver lists them.
 */
const hooks = [
  'start-apiserver-admission-initializer',
  'generic-apiserver-start-informers',
  'start-apiextensions-informers',
  'start-apiextensions-controllers',
  'crd-informer-synced',
  'start-system-namespaces-controller',
  'start-cluster-authentication-info-controller',
  'start-kube-apiserver-identity-lease-controller',
  'start-legacy-token-tracking-controller',
  'start-service-ip-repair-controllers',
  'rbac/bootstrap-roles',
  'scheduling/bootstrap-system-priority-classes',
  'bootstrap-controller',
  'start-kube-aggregator-informers',
  'apiservice-status-local-available-controller',
  'apiservice-status-remote-available-controller',
  'apiservice-registration-controller',
  'apiservice-discovery-controller',
  'kube-apiserver-autoregistration',
  'apiservice-openapi-controller',
  'apiservice-openapiv3-controller',
  'storage-readiness',
]

/** What is checked. `etcd` is the store. */
export function healthChecks(store: Store, progress: () => Progress): readonly HealthCheck[] {
  const stored = () => store.failure?.message
  const started = () => (progress().started ? undefined : 'not finished')
  return [
    { name: 'ping', check: () => undefined },
    { name: 'log', check: () => undefined },
    { name: 'etcd', check: stored },
    { name: 'etcd-readiness', check: stored, of: ['readyz'] },
    { name: 'informer-sync', check: started, of: ['readyz'] },
    ...hooks.map((hook) => ({ name: `poststarthook/${hook}`, check: started })),
    { name: 'autoregister-completion', check: started },
    { name: 'shutdown', check: () => (progress().closing ? 'process is shutting down' : undefined), of: ['readyz'] },
  ]
}
