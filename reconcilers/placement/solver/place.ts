import type { FileSet } from '../../blobs/file-set.ts'
import { weigh } from '../weigh.ts'
import { type Bands, firstFrom, NO_BAND, ONLY_ABOVE, STORED } from './bands.ts'
import { slotOf, slotsOf } from './churn.ts'
import { byWorth, isRoomLeft, limitToFree, type Rest } from './fill-up.ts'
import { Ledger } from './ledger.ts'
import type { Branch, Trunk } from './model.ts'
import { bestType, type GroupParts, placeInGroup } from './parts.ts'
import { spansOf } from './spans.ts'
import { Boxes, holdersOf, NOBODY, SEVERAL, Spread } from './spread.ts'

/** A search for something that still fits ends after so many files in a row for which there is no room. */
const REFUSALS = 1024
/** Up to this part of its throughput an appliance need not be relieved, whatever the others do. */
const COMFORT = 0.95
/** How far above what is planned it may be. */
const SLACK = 0.01
/** Parts of a group nearer than this to none or all are that. */
const NOTHING = 1e-6

/** Where files are besides, by position. */
export interface Coverage {
  /** Which of the parents is the first that holds a file: 1 for the nearest; 0 for none. */
  readonly states?: Uint8Array | undefined
  /** Whether those are not just the first of each band. */
  readonly scattered?: boolean
  /** Who of the site holds each file already, as `holdersOf` says it. */
  readonly before?: Uint8Array | undefined
  /** Bytes and demand of each group of files, where `before` is known. */
  readonly groupBytes?: Float64Array | undefined
  readonly groupDemand?: Float64Array | undefined
  /** 1 by file index for what must outlive the loss of appliances; `most`: how much of it the others could serve. */
  readonly head?: { readonly files: Uint8Array; readonly most: number } | undefined
}

export interface PlacingBox {
  readonly key: string
  readonly storage: number
  readonly throughput: number
  /** What it holds already. */
  readonly before?: FileSet | undefined
}

/** Puts files on the appliances of one site. Files are told by their position in the bands of the site's class; pinned ones, which are in no band, by their index. */
export class SitePlacing {
  readonly boxes: Boxes
  readonly #bands: Bands
  readonly #types: readonly Spread[]
  /** The type of each appliance. */
  readonly typeOf: Uint8Array
  readonly #all: Spread
  /** By position: 1 for files that some appliance here holds. */
  readonly holds: Uint8Array
  /** Files held, and their bytes, each counted once; pinned files aside. */
  readonly held = { files: 0, bytes: 0 }
  readonly #heldOfBand: Uint32Array
  #fillLeft: number
  #isLimited = false

  /** `fillBytes`: the most that may be moved in by what is admitted and filled up, where it is known what the site holds. */
  constructor(bands: Bands, types: readonly (readonly PlacingBox[])[], fillBytes: number) {
    this.#fillLeft = fillBytes
    this.#bands = bands
    this.boxes = new Boxes(types.flat())
    let next = 0
    this.#types = types.map(
      (type) =>
        new Spread(
          this.boxes,
          Array.from(type, () => next++),
        ),
    )
    this.typeOf = Uint8Array.from(types.flatMap((type, t) => type.map(() => t)))
    this.#all = new Spread(this.boxes, [...this.boxes.keys.keys()])
    this.holds = new Uint8Array(bands.order.length)
    this.#heldOfBand = new Uint32Array(bands.count)
  }

  /** Who holds each file already, by position; undefined where nobody is to hold anything by the plan in force. */
  holdersBefore(): Uint8Array | undefined {
    // What boxes held may be read from disk each time that it is looked at.
    this.#before ??= { holders: this.#findHolders() }
    return this.#before.holders
  }

  #before: { readonly holders: Uint8Array | undefined } | undefined

  #findHolders(): Uint8Array | undefined {
    const { before } = this.boxes
    if (!before?.some((held) => held && !held.isEmpty)) return undefined
    return holdersOf(before, this.#bands.order, this.#bands.of.length)
  }

  /** Whether an appliance of this type held a file before, by who did. */
  #wasOf(holder: number, type: number): boolean {
    return holder !== NOBODY && (holder === SEVERAL || this.typeOf[holder - 1] === type)
  }

  /** Whether more would have been moved in, had it been allowed. */
  get isLimited(): boolean {
    return this.#isLimited || this.boxes.isHeldBack
  }

  /** Tells that what is admitted was chosen so that no more is moved in than is allowed. */
  limit(): void {
    this.#isLimited = true
  }

  /** Puts a pinned file anywhere. `demand` is that for the file here. Returns how many copies found room. */
  pin(file: number, hash: number, bytes: number, demand: number, copies: number): number {
    const fitting = Math.min(copies, this.boxes.room(bytes))
    return this.#all.add(file, hash, bytes, demand / Math.max(1, fitting), fitting, false, SEVERAL, true)
  }

  /** Puts a file on appliances that have room and do not hold it. What it brings them to serve is not counted; see `count`. */
  putOn(file: number, boxes: readonly number[]): void {
    for (const box of boxes) {
      this.boxes.holds[box]!.add(file)
      this.boxes.used[box]! += this.#bands.sizes[file]!
    }
    const band = this.#bands.of[file]!
    if (boxes.length > 0 && band !== NO_BAND) this.#holdsNow(this.#positionOf(file), band)
  }

  /** Puts every file where it was. What they bring to serve is not counted; see `count`. */
  restore(): void {
    const { before = [], holds, used } = this.boxes
    const { order, of, sizes } = this.#bands
    for (const [box, set] of before.entries()) {
      if (!set) continue
      holds[box]!.addAll(set)
      used[box] = weigh(sizes, set).bytes
    }
    const holders = this.holdersBefore()
    for (let p = 0; holders && p < order.length; p++) if (holders[p] !== NOBODY) this.#holdsNow(p, of[order[p]!]!)
  }

  /** Takes a file from one appliance, or from all. Returns how many held it. See `count`, too. */
  drop(file: number, only?: number): number {
    let dropped = 0
    for (let box = 0; box < this.boxes.count; box++) {
      if ((only !== undefined && box !== only) || !this.boxes.holds[box]!.has(file)) continue
      this.boxes.holds[box]!.delete(file)
      this.boxes.used[box]! -= this.#bands.sizes[file]!
      dropped++
    }
    const position = this.#positionOf(file)
    if (dropped === 0 || position === -1 || !this.holds[position] || this.boxes.has(file)) return dropped
    this.holds[position] = 0
    this.held.files--
    this.held.bytes -= this.#bands.sizeAt[position]!
    this.#heldOfBand[this.#bands.of[file]!]!--
    return dropped
  }

  /** Counts anew what each appliance has to serve. `demandOf`: what is asked for here of a file. */
  count(demandOf: (file: number) => number): void {
    const { holds, load } = this.boxes
    const copies = new Uint16Array(this.#bands.sizes.length)
    for (const set of holds)
      set.forEach((file) => {
        copies[file]!++
      })
    for (const [box, set] of holds.entries()) {
      load[box] = 0
      set.forEach((file) => {
        load[box]! += demandOf(file) / copies[file]!
      })
    }
  }

  #positions: Int32Array | undefined

  /** -1 for files that are in no band. */
  #positionOf(file: number): number {
    if (!this.#positions) {
      this.#positions = new Int32Array(this.#bands.sizes.length).fill(-1)
      for (const [position, each] of this.#bands.order.entries()) this.#positions[each] = position
    }
    return this.#positions[file]!
  }

  /**
   * Admits what the parts say. Groups are as `slotOf` says where `groupBytes` are known; otherwise group g + count · state holds the files of band g.
   * `states` and `before` go by position. The `head` comes first, whatever the parts say, as far as those who are left could
   * serve it after a loss.
   */
  admit(branch: Branch, parts: GroupParts, at: Coverage): void {
    const { bands, demand, chain } = branch
    const [nearest] = chain
    const { whole, types } = parts
    const { states, before, groupBytes, groupDemand, head } = at
    let headLeft = head?.most ?? 0
    const n = bands.count
    const ledger = new Ledger(branch.types, demand)
    const slots = groupBytes ? slotsOf(types) : 1
    const stride = n * (1 + chain.length)
    const seen = new Float64Array(groupBytes ? stride * slots : 0)
    if (before && groupDemand) this.#shed(branch, parts, at, groupDemand)
    // Where the trunk goes by the same bands and by place alone, the files that it holds come first: a part that is nowhere here need not be looked at.
    const sorted = nearest?.trunk.bands === bands && !at.scattered && !groupBytes && !head
    const passes = head ? [true, false] : [false]
    for (const [isFirst, g] of passes.flatMap((isFirst) =>
      Array.from({ length: n }, (_, g) => [isFirst, g] as const),
    )) {
      const nowhere = (j: number) => whole[j] === types
      let isNowhere = !isFirst
      for (let k = 0; isNowhere && k < (1 + chain.length) * slots; k++) isNowhere = nowhere(g + k * n)
      if (isNowhere) continue
      let [from, to] = [bands.start[g]!, bands.start[g + 1]!]
      if (sorted) {
        const border = firstFrom(bands.placeAt, nearest.kind.held[g]!, from, to)
        if (nowhere(g)) to = border
        else if (nowhere(g + n)) from = border
      }
      for (let i = from; i < to; i++) {
        if (head && (head.files[bands.order[i]!] === 1) !== isFirst) continue
        const slot = groupBytes ? slotOf(before?.[i] ?? NOBODY, this.typeOf, types) : 0
        const j = g + n * (states?.[i] ?? 0) + stride * slot
        let type = whole[j]!
        if (type === -1)
          type = ledger.choose(parts, j, placeInGroup(i, j, branch, seen, groupBytes), bands.shareAt[i]! * demand)
        if (isFirst) {
          headLeft -= bands.shareAt[i]! * demand
          if (type === types && headLeft >= 0) type = bestType(branch, g)
        }
        if (type < types)
          this.#place(i, g, this.#types[type]!, bands.shareAt[i]! * demand, before, (states?.[i] ?? 0) > 0)
      }
    }
    // What is filled up with is not planned to be served: it stays where it is.
    this.boxes.excess.fill(0)
    this.boxes.due.fill(0)
  }

  /**
   * Says how much of its load each appliance is to give up: what its files that stay with its type would bring it above what the type is planned to serve, or above what is
   * comfortable, if that is more. The densest go, which are few bytes; all else stays, whatever comes besides: planned are the parts, and what is new was given its own.
   * Where nobody is to be relieved, nothing moves about.
   */
  #shed(
    { bands, demand, types, chain }: Branch,
    { limits }: GroupParts,
    { states, before }: Coverage,
    groupDemand: Float64Array,
  ): void {
    const { load, throughput, excess, due, most } = this.boxes
    const count = types.length
    const planned = new Float64Array(count)
    const part = (j: number, t: number) => limits[j * count + t]! - (t > 0 ? limits[j * count + t - 1]! : 0)
    for (let j = 0; j < groupDemand.length; j++)
      for (let t = 0; t < count; t++) planned[t]! += part(j, t) * groupDemand[j]!
    const n = bands.count
    const stride = n * (1 + chain.length)
    const kept = load.slice()
    for (let g = 0; g < n; g++) {
      for (let i = bands.start[g]!; i < bands.start[g + 1]!; i++) {
        const holder = before![i]!
        if (holder === NOBODY || holder === SEVERAL) continue
        const t = this.typeOf[holder - 1]!
        kept[holder - 1]! += part(g + n * (states?.[i] ?? 0) + stride * t, t) * bands.shareAt[i]! * demand
      }
    }
    for (let box = 0; box < kept.length; box++) {
      const t = this.typeOf[box]!
      const comfort = Math.max(COMFORT, planned[t]! / types[t]!.throughput + SLACK)
      excess[box] = Math.max(0, kept[box]! - comfort * throughput[box]!)
      due[box] = kept[box]! - load[box]! - excess[box]!
      most[box] = Number.POSITIVE_INFINITY
    }
  }

  /**
   * Admits files by their parts of the trunk's bands: what the trunk itself holds. In bands that it holds in part all files are worth its storage price, the ones as the
   * others, and go by place; kinds of appliances follow each other in each band. What it held `before` stays unless a file that is worth `bonus` more needs the room.
   */
  admitTrunk(trunk: Trunk, before: Uint8Array | undefined, bonus: number): void {
    if (before) {
      this.#admitAmongHeld(trunk, before, bonus)
      return
    }
    const { shareAt } = trunk.bands
    for (const { kind, band, part, from, to, perShare } of spansOf(trunk, false))
      if (part >= NOTHING)
        for (let i = from; i < to; i++) this.#place(i, band, this.#types[kind]!, shareAt[i]! * perShare, before)
  }

  /** What a byte is worth here decides; of files that are not here, those of each band come up to its part. */
  #admitAmongHeld(trunk: Trunk, before: Uint8Array, bonus: number): void {
    const { bands, kinds } = trunk
    const heldBytes = kinds.map(() => new Float64Array(bands.count))
    const entries = [...spansOf(trunk, true)].flatMap((span) => {
      const gain = kinds[span.kind]!.gain[span.band]! / bands.bytes[span.band]!
      if (!(gain > 0)) return []
      const here = { ...span, kept: true, worth: gain * (1 + bonus) }
      return span.part < NOTHING ? [here] : [here, { ...span, kept: false, worth: gain }]
    })
    entries.sort((a, b) => b.worth - a.worth || Number(b.kept) - Number(a.kept) || a.band - b.band || a.kind - b.kind)
    for (const { kind, band, part, from, to, perShare, kept } of entries) {
      const most = (part > 1 - NOTHING ? 1 : part) * bands.bytes[band]!
      for (let i = from; i < to; i++) {
        if (this.holds[i] || this.#wasOf(before[i]!, kind) !== kept) continue
        const bytes = bands.sizeAt[i]! * STORED[bands.copiesAt[i]!]!
        if (!kept && heldBytes[kind]![band]! + bytes / 2 > most) continue
        if (this.#place(i, band, this.#types[kind]!, bands.shareAt[i]! * perShare, before))
          heldBytes[kind]![band]! += bytes
      }
    }
  }

  /**
   * Uses what storage is left for the next best files, but for what was freed: see `limitToFree`. `worths`: by state, what a file is worth here, 0–1; `bonus`: how much
   * more one counts that is here already. `only`: 1 by file index for those that may come. What a parent holds comes only where it can be
   * served here, too.
   */
  fillUp(
    demand: number,
    { states, before }: Coverage,
    worths: readonly number[],
    bonus: number,
    only?: Uint8Array,
  ): void {
    const { storage, limit } = this.boxes
    const rest = byWorth(this.#bands, worths, before && bonus)
    // What is here already comes first.
    const first = before ? rest.length / 2 : 0
    this.#fill(rest.slice(0, first), demand, { states, before }, only)
    if (before) limitToFree(this.boxes, this.#bands, this.holds)
    this.#fill(rest.slice(first), demand, { states, before }, only)
    this.#isLimited ||= isRoomLeft(this.boxes)
    limit.set(storage)
  }

  #fill(rest: readonly Rest[], demand: number, { states, before }: Coverage, only: Uint8Array | undefined): void {
    const { start, shareAt, order, sizeAt, copiesAt } = this.#bands
    let refused = 0
    for (const { band, state, fresh } of rest) {
      const files = start[band + 1]! - start[band]!
      if (this.#heldOfBand[band] === files) continue
      const isSpare = state > 0
      if (isSpare && (this.#bands.demand[band]! * demand) / files > this.boxes.mostSpare) continue
      for (let i = start[band]!; i < start[band + 1]!; i++) {
        if (this.holds[i] || (only && !only[order[i]!])) continue
        if (states && states[i] !== state) continue
        if (before && (before[i] === NOBODY) !== fresh) continue
        // Smaller ones may still come, and what is here already stays: this is no refusal.
        if (before && fresh && sizeAt[i]! * copiesAt[i]! > this.#fillLeft) {
          this.#isLimited = true
          continue
        }
        if (this.#place(i, band, this.#all, shareAt[i]! * demand, before, isSpare)) refused = 0
        else if (++refused === REFUSALS) return
      }
    }
  }

  /** All copies or none: a file below its minimum would be counted as safe while it is not. */
  #place(
    position: number,
    band: number,
    type: Spread,
    demand: number,
    before: Uint8Array | undefined,
    isSpare = false,
  ): boolean {
    const bands = this.#bands
    const file = bands.order[position]!
    const hash = bands.hashAt[position]!
    const bytes = bands.sizeAt[position]!
    const least = bands.copiesAt[position]!
    if (least === ONLY_ABOVE) return false
    if (least > 1 && this.boxes.room(bytes) < least) return false
    const holder = before?.[position] ?? NOBODY
    const isFresh = before !== undefined && holder === NOBODY
    if (isFresh && bytes * least > Math.min(this.#fillLeft, this.boxes.moveLeft)) {
      this.#isLimited = true
      return false
    }
    const wanted = type.copiesFor(demand, least)
    const isShort = isFresh && wanted * bytes > this.#fillLeft
    if (isShort) this.#isLimited = true
    const copies = isShort ? Math.max(least, Math.floor(this.#fillLeft / bytes)) : wanted
    // Fewer copies than are asked for are none to do with.
    const must = least > 1 && !isFresh
    this.boxes.isSparing = isSpare && type === this.#all
    let placed = type.add(file, hash, bytes, demand / copies, copies, true, holder, must)
    this.boxes.isSparing = isSpare && placed === 0
    if (placed < least) placed += this.#all.add(file, hash, bytes, demand / copies, least - placed, false, holder, must)
    this.boxes.isSparing = false
    if (isFresh) this.#fillLeft -= placed * bytes
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
