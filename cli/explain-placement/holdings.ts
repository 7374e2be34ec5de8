import type { Appliance } from '../../crds/types.gen.ts'
import type { PlacementSite } from '../../reconcilers/placement/problem.ts'
import { Retryable } from '../../runtime/errors.ts'
import type { ExplainInput } from './input.ts'

/** What appliances of a site say that they hold, verified, of the files that were asked for. */
export interface Holding {
  /** Names. */
  readonly appliances: readonly string[]
  /** How many of the files are on any of them. */
  readonly files: number
}

type Inputs = Pick<ExplainInput, 'policy' | 'found' | 'catalog' | 'catalogDigest' | 'applianceOf' | 'reader'>

/** By site key. Sites of which an inventory cannot be read are left out. */
export async function readHoldings(
  input: Inputs,
  sites: readonly PlacementSite[],
): Promise<ReadonlyMap<string, Holding>> {
  const told = await Promise.all(
    sites.map(async ({ key, appliances }): Promise<[string, Holding] | undefined> => {
      try {
        const held = await Promise.all(appliances.map((each) => heldBy(input, input.applianceOf(each.key))))
        const names = appliances.flatMap((each, i) => (held[i]!.size > 0 ? [each.key.split('/')[1] ?? ''] : []))
        const all = new Set(held.flatMap((one) => [...one]))
        return [key, { appliances: names.sort(), files: all.size }]
      } catch (error) {
        // Inventories are collected when newer ones have come.
        if (error instanceof Retryable) return undefined
        throw error
      }
    }),
  )
  return new Map(told.filter((each) => each !== undefined))
}

/** Those of the files that an appliance has in its inventory of the policy's catalog. */
async function heldBy(
  { policy, found, catalog, catalogDigest, reader }: Inputs,
  appliance: Appliance | undefined,
): Promise<ReadonlySet<number>> {
  const { namespace } = policy.metadata
  const inventory = appliance?.status?.content?.inventories.find(
    (each) => each.catalog.namespace === namespace && each.catalog.name === policy.spec.catalogRef.name,
  )
  if (!inventory) return new Set()
  const [{ set }, other] = await Promise.all([
    reader.fileSet(inventory.digest),
    inventory.catalogDigest === catalogDigest ? catalog : reader.catalog(inventory.catalogDigest),
  ])
  // An index means the same file in every version, as long as it has the same content.
  return new Set(found.indices.filter((i) => set.has(i) && other.files[i]?.sha256 === catalog.files[i]?.sha256))
}
