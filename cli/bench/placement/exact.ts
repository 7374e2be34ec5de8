import { createRequire } from 'node:module'
import type { Highs } from 'highs'
import { parentsOf } from '../../../reconcilers/placement/solver/parents.ts'
import type { SolverInput } from '../../../reconcilers/placement/solver/solve.ts'

/** Its types describe the CommonJS build. */
const loadHighs = createRequire(import.meta.url)('highs') as () => Promise<Highs>
let highs: Promise<Highs> | undefined

const typesOf = (appliances: SolverInput['sites'][number]['appliances']) => [
  ...Map.groupBy(appliances, (a) => a.throughputGbps / a.storageBytes).values(),
]

/**
 * The value of the best fractional placement, found by HiGHS: the linear program whose dual the solver goes by, written down in full. Sites × files variables: small
 * instances only. `parentValue`: what a unit served by the parent is worth.
 */
export async function exactValue({ sizes, popularity, sites }: SolverInput, parentValue: number): Promise<number> {
  const files = [...sizes.keys()]
  const share = popularity.map((column) => {
    const all = files.reduce((sum, f) => sum + column[f]! * sizes[f]!, 0)
    return files.map((f) => (column[f]! * sizes[f]!) / all)
  })
  const keys = sites.map(({ key }) => key)
  const kin = parentsOf(sites)
  const parentOf = keys.map((key) => keys.indexOf(kin.get(key) ?? ''))
  const trunks = new Set(parentOf.filter((p) => p !== -1))
  /** The site's own if it is a parent, and its parents, the nearest first, with what a unit served there is worth. */
  const chainOf = (s: number) => {
    const chain: { readonly p: number; readonly value: number }[] = []
    let value = trunks.has(s) ? 1 : parentValue
    for (let p = trunks.has(s) ? s : parentOf[s]!; p !== -1; p = parentOf[p]!, value *= parentValue)
      chain.push({ p, value })
    return chain
  }
  const objective: string[] = []
  const constraints: string[] = []
  const bounded: string[] = []
  for (const [s, { demandClass = 0, demandGbps = 1, appliances }] of sites.entries()) {
    const demand = files.map((f) => share[demandClass]![f]! * demandGbps)
    const isTrunk = trunks.has(s)
    const types = isTrunk ? [] : typesOf(appliances)
    const chain = chainOf(s)
    for (const f of files) {
      if (demand[f] === 0) continue
      const served = types.map((_, t) => `y_${s}_${t}_${f}`)
      for (const y of served) objective.push(`+ ${y}`)
      for (const { p, value } of chain) {
        for (const t of typesOf(sites[p]!.appliances).keys()) {
          served.push(`w_${s}_${p}_${t}_${f}`)
          objective.push(`+ ${value} w_${s}_${p}_${t}_${f}`)
          constraints.push(`w_${s}_${p}_${t}_${f} - ${demand[f]} x_${p}_${t}_${f} <= 0`)
        }
      }
      if (served.length > 0) constraints.push(`${served.join(' + ')} <= ${demand[f]}`)
    }
    for (const [t, members] of types.entries()) {
      const asked = files.filter((f) => demand[f]! > 0)
      const storage = members.reduce((sum, a) => sum + a.storageBytes, 0)
      const throughput = members.reduce((sum, a) => sum + a.throughputGbps, 0)
      constraints.push(`${asked.map((f) => `${sizes[f]! / demand[f]!} y_${s}_${t}_${f}`).join(' + ')} <= ${storage}`)
      constraints.push(`${asked.map((f) => `y_${s}_${t}_${f}`).join(' + ')} <= ${throughput}`)
    }
    if (!isTrunk) continue
    const users = [...sites.keys()].filter((user) => chainOf(user).some(({ p }) => p === s))
    for (const [t, members] of typesOf(appliances).entries()) {
      const storage = members.reduce((sum, a) => sum + a.storageBytes, 0)
      const throughput = members.reduce((sum, a) => sum + a.throughputGbps, 0)
      constraints.push(`${files.map((f) => `${sizes[f]} x_${s}_${t}_${f}`).join(' + ')} <= ${storage}`)
      const served = users.flatMap((user) =>
        files
          .filter((f) => share[sites[user]!.demandClass ?? 0]![f]! * (sites[user]!.demandGbps ?? 1) > 0)
          .map((f) => `w_${user}_${s}_${t}_${f}`),
      )
      constraints.push(`${served.join(' + ')} <= ${throughput}`)
      for (const f of files) bounded.push(`x_${s}_${t}_${f} <= 1`)
    }
  }
  const text = `Maximize\n obj: ${objective.join('\n ')}\nSubject To\n${constraints.map((c, i) => ` c${i}: ${c}`).join('\n')}\nBounds\n ${bounded.join('\n ')}\nEnd`
  highs ??= loadHighs()
  const solution = (await highs).solve(text)
  if (solution.Status !== 'Optimal') throw new Error(`HiGHS: ${solution.Status}`)
  return solution.ObjectiveValue
}
