import { CONTROLLER_CONNECTIONS } from '../../controllers/connections.ts'
import { Client } from '../../runtime/client/client.ts'
import { fixedCredentials } from '../../runtime/client/credentials.ts'
import type { ClusterAccess } from '../../runtime/client/kubeconfig.ts'
import type { ClientOptions } from '../../runtime/client/requests.ts'
import type { Access } from '../apiserver/connection.ts'

/** Requests under way at the same time, of whoever writes. */
export const CONCURRENCY = CONTROLLER_CONNECTIONS

export function clusterAccess({ host, port, authority, client }: Access): ClusterAccess {
  return {
    server: `https://${host}:${port}`,
    ca: authority,
    credentials: fixedCredentials({ cert: client.certificate, key: client.key }),
  }
}

/** A client with as many connections as all who are measured have. */
export function clientOf(access: Access, options: Partial<ClientOptions> = {}): Client {
  return new Client({ access: clusterAccess(access), maxConnections: CONCURRENCY, ...options })
}

/** Does `work` for every item, `CONCURRENCY` at a time. */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < items.length) await work(items[next++]!)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
}
