import type { FileSet } from '../../blobs/file-set.ts'
import { compare } from '../../blobs/plan-index.ts'
import { hashString, mix } from '../hash.ts'
import { type Bands, ONLY_ABOVE } from './bands.ts'
import type { SolverInput } from './input.ts'
import type { SitePlacing } from './place.ts'

/** A site of a region while files are put on its appliances. */
export interface RegionMember {
  readonly key: string
  readonly placing: SitePlacing
  readonly bands: Bands
  /** Whether a file may be here. */
  readonly allows: (file: number) => boolean
  /** What the site serves is worth, for a file: in the unit of throughput. */
  readonly worthOf: (file: number) => number
}

type RegionInput = Pick<SolverInput, 'sizes' | 'fileHashes'>

/**
 * Sees to it that every file that is placed in a region is on at least so many of its appliances, or on as many as are large enough for it and may have it; or else on none.
 * The most valuable files per byte come first: they take room that is left, then that of the least valuable there; for one that finds none, it is better to have others in
 * its place. Pinned files (`pinned`, in no band) come before all others and stay, whatever their copies. Returns, by file, 1 for those that have their
 * copies, and how many have fewer than so many, for want of appliances or, if pinned, of storage.
 */
export function keepCopies(
  unsorted: readonly RegionMember[],
  perRegion: number,
  { sizes, fileHashes }: RegionInput,
  pinned: readonly number[],
): { readonly settled: Uint8Array; readonly tooFew: number; readonly noRoom: number } {
  const members = [...unsorted].sort((a, b) => compare(a.key, b.key))
  const hashes = members.map(({ key }) => hashString(key))
  const counts = new Uint16Array(sizes.length)
  for (const { placing } of members) for (const holds of placing.boxes.holds) for (const f of holds) counts[f]!++
  const ranked = rankedBy(members, counts, sizes, perRegion, pinned)
  const rank = new Uint32Array(sizes.length)
  for (const [i, f] of ranked.entries()) rank[f] = i + 1
  const queues = members.map(({ placing }) => placing.boxes.holds.map((): Victims | undefined => undefined))
  const queueOf = (m: number, box: number, holds: FileSet) => {
    const queue = queues[m]![box] ?? new Victims(holds, rank)
    queues[m]![box] = queue
    return queue
  }
  const settled = new Uint8Array(sizes.length)
  let [tooFew, noRoom] = [0, 0]
  for (const f of [...pinned, ...ranked]) {
    if (counts[f] === 0) continue
    if (counts[f]! >= perRegion) {
      settled[f] = 1
      continue
    }
    const hosts = members
      .map((member, m) => ({ member, m, score: mix(fileHashes[f]! ^ hashes[m]!) }))
      .filter(({ member }) => member.allows(f))
      .sort((a, b) => b.score - a.score || a.m - b.m)
    const able = hosts.reduce((sum, { member }) => sum + member.placing.boxes.ableToHold(sizes[f]!), 0)
    const wanted = Math.min(perRegion, able)
    for (const displacing of [false, true]) {
      for (const { member, m } of hosts) {
        if (counts[f]! >= wanted) break
        const { boxes } = member.placing
        if (!displacing && boxes.room(sizes[f]!) === 0) continue
        if (displacing && !boxes.holds.some((holds, box) => queueOf(m, box, holds).lowest > rank[f]!)) continue
        counts[f]! += addCopies(member, f, sizes[f]!, wanted - counts[f]!, (box) => {
          if (!displacing) return false
          const victims = queueOf(m, box, boxes.holds[box]!).after(rank[f]!)
          return makeRoom(member, box, sizes[f]!, victims, counts, sizes)
        })
      }
    }
    if (counts[f]! >= wanted) {
      settled[f] = 1
      if (wanted < perRegion) tooFew++
    } else if (rank[f] === 0) noRoom++
    else {
      for (const { placing } of members) placing.drop(f)
      counts[f] = 0
    }
  }
  return { settled, tooFew, noRoom }
}

/** Files that are somewhere, but for pinned ones, by what a byte of their copies is worth in the region. */
function rankedBy(
  members: readonly RegionMember[],
  counts: Uint16Array,
  sizes: Float64Array,
  perRegion: number,
  pinned: readonly number[],
): number[] {
  const isPinned = new Set(pinned)
  const worth = new Float64Array(sizes.length)
  const files: number[] = []
  for (let f = 0; f < counts.length; f++) {
    if (counts[f] === 0 || isPinned.has(f)) continue
    let sum = 0
    for (const member of members) sum += member.worthOf(f)
    worth[f] = sizes[f]! > 0 ? sum / (sizes[f]! * perRegion) : Number.MAX_VALUE
    files.push(f)
  }
  return files.sort((a, b) => worth[b]! - worth[a]! || a - b)
}

/** Puts up to `copies` more copies of a file at a site, and no fewer there in all than the site has to have of it. `makeRoom`: may make room on an appliance. */
function addCopies(
  { placing, bands }: RegionMember,
  file: number,
  bytes: number,
  copies: number,
  makeRoomOn: (box: number) => boolean,
): number {
  const { boxes } = placing
  const there = boxes.holds.reduce((sum, holds) => sum + (holds.has(file) ? 1 : 0), 0)
  const asked = bands.copies[file]!
  if (asked === ONLY_ABOVE) return 0
  const least = Math.max(0, asked - there)
  const free = [...boxes.keys.keys()]
    .filter((box) => !boxes.holds[box]!.has(file) && boxes.storage[box]! >= bytes)
    .sort((a, b) => mix(file ^ boxes.hashes[b]!) - mix(file ^ boxes.hashes[a]!) || a - b)
  const wanted = Math.max(copies, least)
  const chosen: number[] = []
  for (const box of free) {
    if (chosen.length === wanted) break
    if (boxes.storage[box]! - boxes.used[box]! >= bytes || makeRoomOn(box)) chosen.push(box)
  }
  if (chosen.length < least) return 0
  placing.putOn(file, chosen)
  return chosen.length
}

/** Drops files of lower rank from an appliance until a file of so many bytes has room; none where that is not enough. */
function makeRoom(
  { placing, bands }: RegionMember,
  box: number,
  bytes: number,
  victims: Iterable<number>,
  counts: Uint16Array,
  sizes: Float64Array,
): boolean {
  const { boxes } = placing
  let room = boxes.storage[box]! - boxes.used[box]!
  const dropped: number[] = []
  for (const victim of victims) {
    if (room >= bytes) break
    dropped.push(victim)
    room += sizes[victim]!
  }
  if (room < bytes) return false
  for (const victim of dropped) {
    const there = boxes.holds.reduce((sum, holds) => sum + (holds.has(victim) ? 1 : 0), 0)
    // With fewer than it has to have at a site, a file has none there.
    counts[victim]! -= there > bands.copies[victim]! ? placing.drop(victim, box) : placing.drop(victim)
  }
  return true
}

/** What an appliance holds, the least valuable first. */
class Victims {
  readonly #holds: FileSet
  readonly #files: Uint32Array
  readonly #rank: Uint32Array
  #next = 0

  constructor(holds: FileSet, rank: Uint32Array) {
    this.#holds = holds
    this.#rank = rank
    // Files without a rank are pinned.
    this.#files = Uint32Array.from([...holds].filter((f) => rank[f]! > 0)).sort((a, b) => rank[b]! - rank[a]!)
  }

  /** The rank of the least valuable that it holds still; 0 where there is none. */
  get lowest(): number {
    // What went does not come back as one that others may displace.
    while (this.#next < this.#files.length && !this.#holds.has(this.#files[this.#next]!)) this.#next++
    return this.#next < this.#files.length ? this.#rank[this.#files[this.#next]!]! : 0
  }

  /** Those of lower rank than this that it holds still. */
  *after(limit: number): Generator<number> {
    if (this.lowest <= limit) return
    for (let i = this.#next; i < this.#files.length; i++) {
      const f = this.#files[i]!
      if (this.#rank[f]! <= limit) return
      if (this.#holds.has(f)) yield f
    }
  }
}
