import type { Bands } from './bands.ts'
import { Ledger } from './ledger.ts'
import { lineOf } from './site-dual.ts'
import { Boxes, Spread } from './spread.ts'
import type { Branch, Trunk } from './tree.ts'

/** A search for something that still fits ends after so many files in a row for which there is no room. */
const REFUSALS = 1024
/** Parts of a group nearer than this to none or all are that. */
const NOTHING = 1e-6

export interface PlacingBox {
  readonly key: string
  readonly storage: number
  readonly throughput: number
}

/** Puts files on the appliances of one site. Files are told by their position in the bands of the site's class; pinned ones, which are in no band, by their index. */
export class SitePlacing {
  readonly boxes: Boxes
  readonly #bands: Bands
  /** Copies of each placed file. */
  readonly #perSite: number
  readonly #types: readonly Spread[]
  readonly #all: Spread
  /** By position: 1 for files that some appliance here holds. */
  readonly holds: Uint8Array
  /** Files held, and their bytes, each counted once; pinned files aside. */
  readonly held = { files: 0, bytes: 0 }
  readonly #heldOfBand: Uint32Array

  constructor(bands: Bands, perSite: number, types: readonly (readonly PlacingBox[])[]) {
    this.#bands = bands
    this.boxes = new Boxes(types.flat())
    this.#perSite = Math.min(perSite, this.boxes.count)
    let next = 0
    this.#types = types.map(
      (type) =>
        new Spread(
          this.boxes,
          Array.from(type, () => next++),
        ),
    )
    this.#all = new Spread(this.boxes, [...this.boxes.keys.keys()])
    this.holds = new Uint8Array(bands.order.length)
    this.#heldOfBand = new Uint32Array(bands.count)
  }

  /** Puts a pinned file anywhere. `demand` is that for the file here. Returns how many copies found room. */
  pin(file: number, hash: number, bytes: number, demand: number, copies: number): number {
    return this.#all.add(file, hash, bytes, demand / Math.max(1, copies), copies, false)
  }

  /** Puts up to `copies` more copies of a file anywhere. Returns how many found room. */
  put(position: number, demand: number, copies: number): number {
    const { order, hashAt } = this.#bands
    const placed = this.#all.add(
      order[position]!,
      hashAt[position]!,
      this.#bands.sizeAt[position]!,
      demand / copies,
      copies,
      false,
    )
    if (placed > 0) this.#holdsNow(position, this.#bands.of[order[position]!]!)
    return placed
  }

  /**
   * Admits what the branch's prices say to the types that they say. `atTrunk`, by position: 1 for files that the trunk holds.
   */
  admit(branch: Branch, trunk: Trunk | undefined, atTrunk: Uint8Array | undefined, tau: number): void {
    const { bands, demand, types } = branch
    const instead = trunk ? Math.max(0, branch.parentValue - trunk.price) : 0
    const without = new Float64Array(types.length)
    const beside = new Float64Array(types.length)
    const ledger = new Ledger(types, demand)
    for (let g = 0; g < bands.count; g++) {
      if (!(bands.demand[g]! > 0)) continue
      const ratio = bands.bytes[g]! / (bands.demand[g]! * demand)
      cumulate(branch, ratio, 0, tau, without)
      const all = whole(without)
      let allBeside = types.length
      if (trunk) {
        cumulate(branch, ratio, instead, tau, beside)
        allBeside = whole(beside)
      }
      if (all === types.length && allBeside === types.length) continue
      const [start, end] = [bands.start[g]!, bands.start[g + 1]!]
      // Where the trunk goes by the same bands, the files that it holds come first: a part that is nowhere here need not be looked at.
      const same = trunk !== undefined && trunk.bands === bands
      const border = same ? firstFrom(bands.placeAt, trunk.held[g]!, start, end) : start
      const from = same && allBeside === types.length ? border : start
      const to = same && all === types.length ? border : end
      for (let i = from; i < to; i++) {
        const covered = atTrunk !== undefined && atTrunk[i] === 1
        let type = covered ? allBeside : all
        if (type === -1) {
          const held = same ? trunk.held[g]! : trunk ? trunk.held[trunk.bands.of[bands.order[i]!]!]! : 0
          const place = placeWithin(bands.placeAt[i]!, held)
          type = ledger.choose(covered ? beside : without, place, bands.shareAt[i]! * demand)
        }
        if (type < types.length) this.#place(i, g, this.#types[type]!, bands.shareAt[i]! * demand)
      }
    }
  }

  /** Admits files by their parts of the trunk's bands: what the trunk itself holds. */
  admitTrunk({ bands, held, missed }: Trunk): void {
    for (let g = 0; g < bands.count; g++) {
      if (held[g]! < NOTHING) continue
      const perShare = bands.demand[g]! > 0 ? missed[g]! / bands.demand[g]! : 0
      const end = firstFrom(bands.placeAt, held[g]!, bands.start[g]!, bands.start[g + 1]!)
      for (let i = bands.start[g]!; i < end; i++) this.#place(i, g, this.#all, bands.shareAt[i]! * perShare)
    }
  }

  /** Uses what storage is left for the next best files. `discount`: what a file is worth that the trunk holds, 0–1. */
  fillUp(demand: number, atTrunk: Uint8Array | undefined, discount: number): void {
    const { start, shareAt } = this.#bands
    let refused = 0
    for (const { band, covered } of byWorth(this.#bands, atTrunk ? discount : undefined)) {
      if (this.#heldOfBand[band] === start[band + 1]! - start[band]!) continue
      for (let i = start[band]!; i < start[band + 1]!; i++) {
        if (this.holds[i] || (atTrunk && (atTrunk[i] === 1) !== covered)) continue
        if (this.#place(i, band, this.#all, shareAt[i]! * demand)) refused = 0
        else if (++refused === REFUSALS) return
      }
    }
  }

  /** All copies or none: a file below its minimum would be counted as safe while it is not. */
  #place(position: number, band: number, type: Spread, demand: number): boolean {
    const bands = this.#bands
    const file = bands.order[position]!
    const hash = bands.hashAt[position]!
    const bytes = bands.sizeAt[position]!
    const least = this.#perSite
    if (least > 1 && this.boxes.room(bytes) < least) return false
    const copies = type.copiesFor(demand, least)
    let placed = type.add(file, hash, bytes, demand / copies, copies, true)
    if (placed < least) placed += this.#all.add(file, hash, bytes, demand / copies, least - placed, false)
    if (placed > 0) this.#holdsNow(position, band)
    return placed > 0
  }

  #holdsNow(position: number, band: number): void {
    if (this.holds[position]) return
    this.holds[position] = 1
    this.held.files++
    this.held.bytes += this.#bands.sizeAt[position]!
    this.#heldOfBand[band]!++
  }
}

/** The first position from `start` whose value is not below `limit`; `end` where there is none. Values rise. */
function firstFrom(values: Float64Array, limit: number, start: number, end: number): number {
  let [low, high] = [start, end]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (values[middle]! < limit) low = middle + 1
    else high = middle
  }
  return low
}

/** The one option that has all of a group (the number of types: none of them), or -1. */
function whole(limits: Float64Array): number {
  let below = 0
  for (let t = 0; t < limits.length; t++) {
    const part = limits[t]! - below
    if (part > 1 - NOTHING) return t
    below = limits[t]!
  }
  return below < NOTHING ? limits.length : -1
}

/** The parts of a group that go to the first type, to the first two, …. */
function cumulate({ types, prices }: Branch, ratio: number, instead: number, tau: number, out: Float64Array): void {
  let best = 0
  for (let t = 0; t < types.length; t++) {
    out[t] = lineOf(types, prices, t, ratio) - instead
    if (out[t]! > best) best = out[t]!
  }
  let sum = Math.exp(-best / tau)
  for (let t = 0; t < types.length; t++) {
    out[t] = Math.exp((out[t]! - best) / tau)
    sum += out[t]!
  }
  let all = 0
  for (let t = 0; t < types.length; t++) {
    all += out[t]! / sum
    out[t] = all
  }
}

/** The place of a file among those of its band that the trunk holds, or among those that it does not, 0–1. */
function placeWithin(place: number, held: number): number {
  return place < held ? place / held : (place - held) / (1 - held)
}

/** Bands by what a byte of them is worth here; where the trunk has a part of them, that part comes later. */
function byWorth(bands: Bands, discount: number | undefined): { readonly band: number; readonly covered: boolean }[] {
  const entries: { band: number; covered: boolean; worth: number }[] = []
  for (let band = 0; band < bands.count; band++) {
    const worth = bands.bytes[band]! > 0 ? bands.demand[band]! / bands.bytes[band]! : Number.MAX_VALUE
    entries.push({ band, covered: false, worth })
    if (discount !== undefined) entries.push({ band, covered: true, worth: worth * discount })
  }
  return entries.sort((a, b) => b.worth - a.worth || a.band - b.band)
}
