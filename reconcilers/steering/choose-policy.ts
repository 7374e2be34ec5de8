import { mix } from '../placement/hash.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import { purposeIndex, type SteerRequest } from './types.ts'
import type { World } from './world.ts'

/** Ordinal of the first policy that governs the client, the files and the purpose. The built-in one, which is last, governs what no other does. */
export function choosePolicy(world: World, request: SteerRequest): number {
  const { client, catalog } = request
  const words = world.policyWords
  const content = contentClassOf(world, catalog, request.files[0] ?? 0)
  const purpose = purposeIndex(request.purpose)
  const located = client.site >= 0
  const clients = located ? world.sitePolicies : world.unlocatedPolicies
  const place = located ? client.site : client.region + 1
  for (let w = 0; w < words; w++) {
    let set =
      clients[place * words + w]! &
      world.networkPolicies[client.networkClass * words + w]! &
      world.contentPolicies[content * words + w]! &
      world.purposePolicies[purpose * words + w]!
    while (set !== 0) {
      const ordinal = w * 32 + 31 - Math.clz32(set & -set)
      const policy = world.policies[ordinal]!
      if (!policy.partial || inCanaryShare(policy, request.canaryKey)) return ordinal
      set &= set - 1
    }
  }
  return world.policies.length - 1
}

/** Files of a request are of one title, so the first stands for all. */
function contentClassOf(world: World, catalog: number, file: number): number {
  const classes = world.contentClass[catalog]
  if (classes === undefined) return 0
  return typeof classes === 'number' ? classes : (classes[file] ?? 0)
}

/**
 * Whether a canary key is in the share of a policy's canary. Every policy has a share of its own, so that not the same clients try everything; it goes by
 * the policy's name, so that other policies may come and go.
 */
export function inCanaryShare({ canarySalt, canaryShare }: CompiledPolicy, canaryKey: number): boolean {
  return mix(canaryKey ^ canarySalt) < canaryShare
}
