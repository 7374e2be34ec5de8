import { compare } from '../blobs/plan-index.ts'
import type { PlacementProblem, PlacementSite } from './problem.ts'

/**
 * Cuts a problem into at most `parts` that can be solved apart: sites that share a parent, or copies of their region, stay together. Parts have about as many
 * appliances each. The answers are joined by `joinPlaced`; they do not depend on `parts`.
 */
export function partition(problem: PlacementProblem, parts: number): PlacementProblem[] {
  const bins = Array.from({ length: Math.max(1, parts) }, () => ({ sites: [] as PlacementSite[], weight: 0 }))
  const sized = together(problem).map((members) => ({
    members,
    weight: members.reduce((sum, site) => sum + 1 + site.appliances.length, 0),
  }))
  for (const { members, weight } of sized.sort(
    (a, b) => b.weight - a.weight || compare(a.members[0]!.key, b.members[0]!.key),
  )) {
    const bin = bins.reduce((least, each) => (each.weight < least.weight ? each : least))
    bin.sites.push(...members)
    bin.weight += weight
  }
  const filled = bins.filter((bin) => bin.sites.length > 0)
  return filled.length === 0 ? [problem] : filled.map((bin) => narrowed({ ...problem, sites: bin.sites }))
}

/** The sites of a problem in groups, each of which can be placed with no regard to the others. */
export function together({ sites, copies }: PlacementProblem): PlacementSite[][] {
  const groups = new Groups(sites)
  const regions = new Map<string, string>()
  for (const { key, parents, region } of sites) {
    for (const parent of parents) groups.join(key, parent)
    if (copies.perRegion <= copies.perSite) continue
    const other = regions.get(region)
    if (other === undefined) regions.set(region, key)
    else groups.join(key, other)
  }
  return groups.all()
}

/** With the columns of popularity that its sites ask for, and no others: a part need not carry those of the rest of the world. */
export function narrowed(problem: PlacementProblem): PlacementProblem {
  const used = [...new Set(problem.sites.map(({ demandClass = 0 }) => demandClass))].sort((a, b) => a - b)
  if (used.length === problem.popularity.length || used.length === 0) return problem
  return {
    ...problem,
    popularity: used.map((k) => problem.popularity[k]!),
    sites: problem.sites.map((site) => ({ ...site, demandClass: used.indexOf(site.demandClass ?? 0) })),
  }
}

/** Disjoint sets of sites. */
class Groups {
  readonly #sites: readonly PlacementSite[]
  readonly #parent = new Map<string, string>()

  constructor(sites: readonly PlacementSite[]) {
    this.#sites = sites
    for (const { key } of sites) this.#parent.set(key, key)
  }

  join(a: string, b: string): void {
    if (this.#parent.has(a) && this.#parent.has(b)) this.#parent.set(this.#rootOf(a), this.#rootOf(b))
  }

  all(): PlacementSite[][] {
    return [...Map.groupBy(this.#sites, ({ key }) => this.#rootOf(key)).values()]
  }

  #rootOf(key: string): string {
    let root = key
    for (let next = this.#parent.get(root)!; next !== root; next = this.#parent.get(root)!) root = next
    // Later ways are shorter.
    for (let each = key; each !== root; ) {
      const next = this.#parent.get(each)!
      this.#parent.set(each, root)
      each = next
    }
    return root
  }
}
