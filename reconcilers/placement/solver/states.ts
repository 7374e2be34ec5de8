import type { Bands } from './bands.ts'
import type { Branch, Trunk } from './model.ts'
import type { SitePlacing } from './place.ts'

/** By position in a branch's bands, which of its parents is the first that holds a file, as `Coverage` has it; undefined without parents. As things stand. */
export function statesBy(parents: ReadonlyMap<Trunk, SitePlacing>): (branch: Branch) => Uint8Array | undefined {
  const known = new Map<Trunk, Map<Bands, Uint8Array>>()
  return ({ bands, chain }) => {
    const [nearest] = chain
    if (!nearest) return undefined
    const same = known.get(nearest.trunk) ?? new Map<Bands, Uint8Array>()
    known.set(nearest.trunk, same)
    const before = same.get(bands)
    if (before) return before
    const byFile = new Uint8Array(bands.of.length)
    for (let k = chain.length - 1; k >= 0; k--) {
      const { trunk, kind } = chain[k]!
      const { boxes, holds, typeOf } = parents.get(trunk)!
      if (trunk.kinds.length === 1) {
        const { order } = trunk.bands
        for (let p = 0; p < holds.length; p++) if (holds[p]) byFile[order[p]!] = k + 1
        continue
      }
      const type = trunk.kinds.indexOf(kind)
      for (const [box, set] of boxes.holds.entries())
        if (typeOf[box] === type)
          set.forEach((file) => {
            byFile[file] = k + 1
          })
    }
    const states = new Uint8Array(bands.order.length)
    for (let p = 0; p < states.length; p++) states[p] = byFile[bands.order[p]!]!
    same.set(bands, states)
    return states
  }
}

/** The parents of a branch, once each. */
export const parentsIn = (chain: Branch['chain']): Branch['chain'] =>
  chain.filter(({ trunk }, k) => k === 0 || chain[k - 1]!.trunk !== trunk)
