import { registry } from '../../crds/registry.gen.ts'
import type { Client } from '../../runtime/client/client.ts'
import type { Resource } from '../../runtime/client/resource.ts'
import { isNotFound } from '../../runtime/errors.ts'

/** Set where the server of WEIR_TEST_KUBECONFIG is a test run's own, and nobody else has anything on it. */
export const OWN_SERVER = 'WEIR_TEST_SERVER_IS_OURS'

/** What controllers do something for by themselves. */
const KINDS = ['PlacementPolicy', 'PlacementPlan', 'Catalog', 'Assignment', 'Appliance'] as const

/**
 * Takes away the fleets and policies that an earlier test file has left on a server that is a test run's own. Controllers work on everything there is:
 * appliances that nobody speaks for any more look dark, and then nothing is moved for anybody.
 */
export async function removeLeftovers(client: Client): Promise<void> {
  if (!process.env[OWN_SERVER]) return
  for (const kind of KINDS) {
    const resource = registry[kind] as Resource
    const { items } = await client.list(resource)
    for (const { metadata } of items) {
      const key = { name: metadata.name ?? '', ...(metadata.namespace ? { namespace: metadata.namespace } : {}) }
      try {
        if (metadata.finalizers?.length)
          await client.patch(resource, key, { type: 'merge', merge: { metadata: { finalizers: null } } })
        // One that is in use is protected, by what its status says.
        if (kind === 'Catalog')
          await client.patch(resource, key, { type: 'merge', merge: { status: null } }, { subresource: 'status' })
        await client.delete(resource, key)
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    }
  }
}
