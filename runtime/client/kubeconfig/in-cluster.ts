import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../clock.ts'
import { tokenFileCredentials } from '../credentials.ts'
import type { ClusterAccess } from './access.ts'

interface PodOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly serviceAccountDir?: string | undefined
  readonly clock: Clock
}

/** The service account that Kubernetes mounts into every pod; undefined outside of one. */
export function inClusterAccess({ env, serviceAccountDir, clock }: PodOptions): ClusterAccess | undefined {
  const dir = serviceAccountDir ?? '/var/run/secrets/kubernetes.io/serviceaccount'
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env
  if (!host || !port || !existsSync(join(dir, 'token'))) return undefined
  const namespaceFile = join(dir, 'namespace')
  const namespace =
    env.POD_NAMESPACE || (existsSync(namespaceFile) ? readFileSync(namespaceFile, 'utf8').trim() : undefined)
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: readFileSync(join(dir, 'ca.crt'), 'utf8'),
    credentials: tokenFileCredentials(join(dir, 'token'), clock),
    ...(namespace ? { namespace } : {}),
  }
}
