import type { Store } from '../storage/store.ts'
import type { HealthCheck } from './health.ts'

/** What is checked, under the names that Kubernetes' probes know. */
export function healthChecks({ store }: { readonly store: Store }): readonly HealthCheck[] {
  const stored = () => store.failure?.message
  return [
    { name: 'ping', check: () => undefined },
    { name: 'etcd', check: stored },
  ]
}
