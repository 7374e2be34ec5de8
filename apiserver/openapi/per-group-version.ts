import type { ResourceInfo } from '../resource.ts'

/**
 * Computes something once per group version: again only when one of its resources was replaced, which is what a change of a CRD
 * does. What nobody serves any more is forgotten.
 */
export function perGroupVersion<T>(
  make: (resources: readonly ResourceInfo[]) => T,
): (resources: readonly ResourceInfo[]) => T {
  const made = new WeakMap<ResourceInfo, { readonly of: readonly ResourceInfo[]; readonly result: T }>()
  return (resources) => {
    const [first] = resources
    if (!first) return make(resources)
    const known = made.get(first)
    if (known?.of.length === resources.length && known.of.every((of, i) => of === resources[i])) return known.result
    const result = make(resources)
    made.set(first, { of: resources, result })
    return result
  }
}
