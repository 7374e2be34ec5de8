import type { Bands } from './bands.ts'
import type { SitePlacing } from './place.ts'

/** Adds what viewers ask of the trunk: files that it holds and their own site does not. Returns the sum. */
export function askTrunk(
  { shareAt }: Bands,
  demand: number,
  atTrunk: Uint8Array,
  here: Uint8Array | undefined,
  asked: Float64Array,
): number {
  let sum = 0
  for (let p = 0; p < atTrunk.length; p++) {
    const more = atTrunk[p]! * (here ? 1 - here[p]! : 1) * shareAt[p]! * demand
    asked[p]! += more
    sum += more
  }
  return sum
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
  for (const holds of boxes.holds) for (const file of holds) copies[file]!++
  let [served, all] = [0, 0]
  for (const [b, holds] of boxes.holds.entries()) {
    let load = 0
    for (const file of holds) load += asked[file]! / copies[file]!
    served += Math.min(load, boxes.throughput[b]!)
    all += load
  }
  return { served, all }
}
