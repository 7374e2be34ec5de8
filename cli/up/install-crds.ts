import type { JsonObject, KubeObject } from '../../crds/metadata.ts'
import type { Client } from '../../runtime/client/client.ts'
import { customResourceDefinitions as crdResource, namespaces } from '../../runtime/client/resource.ts'
import { sleep, systemClock } from '../../runtime/clock.ts'

/** Where the programs keep their own objects. */
const SYSTEM_NAMESPACE = 'weir-system'
const BETWEEN_MS = 20

interface Condition {
  readonly type: string
  readonly status: string
}

/** Installs Weir's CustomResourceDefinitions, or brings them up to date, and waits until all are served. */
export async function installCrds(client: Client, signal: AbortSignal): Promise<void> {
  const { customResourceDefinitions } = await import('../../crds/load.ts')
  const options = { fieldManager: 'weir-up', force: true, signal }
  const system: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: SYSTEM_NAMESPACE } }
  const crds = customResourceDefinitions() as unknown as readonly (KubeObject & JsonObject)[]
  await Promise.all([
    client.apply(namespaces, system, options),
    ...crds.map(async (crd) => {
      const applied = await client.apply(crdResource, crd as never, options)
      for (
        let now: KubeObject = applied;
        !isEstablished(now);
        now = await client.get(crdResource, { name: crd.metadata.name! }, { signal })
      ) {
        await sleep(systemClock, BETWEEN_MS, signal)
      }
    }),
  ])
}

/** A definition just made can be answered with `conditions: null`. */
function isEstablished(crd: KubeObject): boolean {
  const { status } = crd as { readonly status?: { readonly conditions?: readonly Condition[] | null } }
  return status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false
}
