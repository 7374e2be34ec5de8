import type { Bands } from './bands.ts'
import type { Branch, Trunk } from './model.ts'
import type { SitePlacing } from './place.ts'

/** What is asked of a parent: by class and position, and in all: by its own viewers, and what all of it would be worth. */
export interface Asked {
  readonly columns: Map<Bands, Float64Array>
  own: number
  worth: number
}

/** Adds what viewers ask of their parents: of each, the files that it is the first to hold, and their own site does not. `states`: see `Coverage`. */
export function askParents(
  { bands, demand, chain }: Branch,
  states: Uint8Array,
  here: Uint8Array | undefined,
  asked: ReadonlyMap<Trunk, Asked>,
): void {
  const { shareAt } = bands
  const columns = chain.map(({ trunk }) => {
    const { columns: all } = asked.get(trunk)!
    const column = all.get(bands) ?? new Float64Array(bands.order.length)
    all.set(bands, column)
    return column
  })
  const sums = new Float64Array(chain.length)
  for (let p = 0; p < states.length; p++) {
    const k = states[p]! - 1
    if (k < 0 || here?.[p]) continue
    const more = shareAt[p]! * demand
    columns[k]![p]! += more
    sums[k]! += more
  }
  for (const [k, { trunk, value }] of chain.entries()) {
    const entry = asked.get(trunk)!
    entry.worth += sums[k]! * value
    if (!here && trunk === chain[0]!.trunk) entry.own += sums[k]!
  }
}

/** Columns by position, of several classes, as one by file index. */
export function byFile(columns: ReadonlyMap<Bands, Float64Array>, files: number): Float64Array {
  const all = new Float64Array(files)
  for (const [{ order }, column] of columns) for (let p = 0; p < column.length; p++) all[order[p]!]! += column[p]!
  return all
}

/** What a trunk serves of what is asked of it, where several appliances hold a file each serving an equal part. */
export function servedBy({ boxes }: SitePlacing, asked: Float64Array): { served: number; all: number } {
  const copies = new Uint16Array(asked.length)
  for (const holds of boxes.holds)
    holds.forEach((file) => {
      copies[file]!++
    })
  let [served, all] = [0, 0]
  for (const [b, holds] of boxes.holds.entries()) {
    let load = 0
    holds.forEach((file) => {
      load += asked[file]! / copies[file]!
    })
    served += Math.min(load, boxes.throughput[b]!)
    all += load
  }
  return { served, all }
}
