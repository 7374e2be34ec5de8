import { FileSet } from '../../blobs/file-set.ts'
import { hashString, mix, rendezvousScore } from '../hash.ts'

/** The appliances of a site while files are put on them; columns by their position. */
export class Boxes {
  readonly keys: readonly string[]
  readonly hashes: Uint32Array
  /** Bytes in all, and used. */
  readonly storage: Float64Array
  readonly used: Float64Array
  /** Up to how many bytes files may be put there now: its storage, unless what was freed is to stay free. */
  readonly limit: Float64Array
  /** Whether files go only where they can be served, too. */
  isSparing = false
  /** Demand that each can serve, and that its files bring, in the unit of throughput. */
  readonly throughput: Float64Array
  readonly load: Float64Array
  /** Of its load with what it held before: what it is to give up still, and what it is to keep that is not put there yet. */
  readonly excess: Float64Array
  readonly due: Float64Array
  /** Up to what part of its throughput it keeps files that it held; infinite where `excess` says what it gives up. */
  readonly most: Float64Array
  readonly holds: readonly FileSet[]
  /** Bytes that may still be put where they were not, but for what must be; and whether more would have been. */
  moveLeft = Number.POSITIVE_INFINITY
  isHeldBack = false
  /** What each held before; undefined where none held anything. */
  readonly before: readonly (FileSet | undefined)[] | undefined

  constructor(
    boxes: readonly {
      readonly key: string
      readonly storage: number
      readonly throughput: number
      readonly before?: FileSet | undefined
    }[],
  ) {
    this.before = boxes.some(({ before }) => before) ? boxes.map(({ before }) => before) : undefined
    this.keys = boxes.map(({ key }) => key)
    this.hashes = Uint32Array.from(boxes, ({ key }) => hashString(key))
    this.storage = Float64Array.from(boxes, ({ storage }) => storage)
    this.used = new Float64Array(boxes.length)
    this.limit = this.storage.slice()
    this.throughput = Float64Array.from(boxes, ({ throughput }) => throughput)
    this.load = new Float64Array(boxes.length)
    this.excess = new Float64Array(boxes.length)
    this.due = new Float64Array(boxes.length)
    this.most = new Float64Array(boxes.length).fill(1)
    this.holds = boxes.map(() => new FileSet())
  }

  get count(): number {
    return this.keys.length
  }

  /** Whether any of them holds a file. */
  has(file: number): boolean {
    return this.holds.some((holds) => holds.has(file))
  }

  /** How many have room for a file of so many bytes. */
  room(bytes: number): number {
    let room = 0
    for (let b = 0; b < this.count; b++) if (this.limit[b]! - this.used[b]! >= bytes) room++
    return room
  }

  /**
   * Where a file goes that is best put on `box`: there, unless it was not there before and no more may be moved; then to who held it and has room for it, or nowhere: -1.
   * `must`: it goes there all the same.
   */
  allowed(box: number, file: number, bytes: number, must: boolean): number {
    if (this.moveLeft === Number.POSITIVE_INFINITY || this.before?.[box]?.has(file)) return box
    if (must || bytes <= this.moveLeft) {
      this.moveLeft -= bytes
      return box
    }
    this.isHeldBack = true
    const mayStay = (b: number) =>
      this.before?.[b]?.has(file) && !this.holds[b]!.has(file) && this.used[b]! + bytes <= this.limit[b]!
    return this.keys.findIndex((_, b) => mayStay(b))
  }

  /** How many are large enough for a file of so many bytes. */
  ableToHold(bytes: number): number {
    return this.storage.reduce((sum, storage) => sum + (storage >= bytes ? 1 : 0), 0)
  }

  /** What one of them could serve besides, at most. */
  get mostSpare(): number {
    let most = 0
    for (let b = 0; b < this.count; b++) most = Math.max(most, this.throughput[b]! - this.load[b]!)
    return most
  }

  /** Demand that they serve: none more than it can. */
  get served(): number {
    let served = 0
    for (let b = 0; b < this.count; b++) served += Math.min(this.load[b]!, this.throughput[b]!)
    return served
  }
}

/** Nobody held a file before. */
export const NOBODY = 0
/** More than one did, or one whose number does not fit. */
export const SEVERAL = 255

/** Who of the boxes holds each file of a column `order` of files, by its place there: NOBODY, the position of the only one + 1, or SEVERAL. */
export function holdersOf(held: readonly (FileSet | undefined)[], order: Uint32Array, files: number): Uint8Array {
  const byFile = new Uint8Array(files)
  for (const [box, set] of held.entries())
    set?.forEach((file) => {
      if (file < files) byFile[file] = byFile[file] === NOBODY && box + 1 < SEVERAL ? box + 1 : SEVERAL
    })
  // `Uint8Array.from` with a function goes by iteration: twenty times as slow.
  const holders = new Uint8Array(order.length)
  for (let p = 0; p < order.length; p++) holders[p] = byFile[order[p]!]!
  return holders
}

/** A file of which one appliance would have to serve more than this part of its throughput gets another copy. */
const HEAD = 0.5
/** How far above the average of its type an appliance may be, in load and in bytes used, as a part of what it has. */
const SLACK = 0.01
/** Who holds a file already wins it from all who do not. Above every score. */
const INCUMBENT = 1e30
/** How much further ahead in load an appliance may be with files that it holds already. */
const INCUMBENT_SLACK = 0.04
/** Before a file with more than this part of all the demand that can be served, the average is found anew. */
const WEIGHTY = 0.0002

/**
 * Some of a site's appliances, of like kind. A file stays where it is, or goes to the one that wins it by (weighted) rendezvous hashing, among those that are not ahead of the others, in what
 * they use or in what they have to serve: consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam, SODA 2018). So an appliance more or less moves little
 * more than its share, and where storage and throughput are both short no appliance has one left without the other.
 */
export class Spread {
  readonly #boxes: Boxes
  readonly #members: Uint32Array
  /** By position among the boxes. */
  readonly #isMember: Uint8Array
  readonly #equal: boolean
  readonly #storage: number
  readonly #throughput: number
  readonly #typical: number
  /** How far an appliance may be at most now, as parts; found anew now and then. */
  #mostUsed = SLACK
  #mostLoad = SLACK
  #calls = 0

  /** `members`: positions among the boxes. */
  constructor(boxes: Boxes, members: readonly number[]) {
    this.#boxes = boxes
    this.#members = Uint32Array.from(members)
    this.#isMember = new Uint8Array(boxes.count)
    for (const box of members) this.#isMember[box] = 1
    this.#equal = members.every((b) => boxes.storage[b] === boxes.storage[members[0]!])
    this.#storage = members.reduce((sum, b) => sum + boxes.storage[b]!, 0)
    this.#throughput = members.reduce((sum, b) => sum + boxes.throughput[b]!, 0)
    this.#typical = this.#throughput / Math.max(1, members.length)
  }

  /** How many copies a file needs here so that no appliance serves too much of its demand. */
  copiesFor(demand: number, least: number): number {
    if (demand <= HEAD * this.#typical) return least
    return Math.max(least, Math.min(this.#members.length, Math.ceil(demand / (HEAD * this.#typical))))
  }

  /**
   * Puts up to `copies` more copies of a file that brings `demand` to each. `fresh`: none holds it yet. `holder`: who held it before, as `holdersOf` says it. `must`: as
   * `Boxes.allowed` has it.
   * Returns how many found room.
   */
  add(
    file: number,
    hash: number,
    bytes: number,
    demand: number,
    copies: number,
    fresh: boolean,
    holder: number,
    must: boolean,
  ): number {
    let placed = 0
    while (placed < copies) {
      const best = this.#best(file, hash, bytes, demand, !fresh || placed > 0, holder)
      const box = best === -1 ? -1 : this.#boxes.allowed(best, file, bytes, must)
      if (box === -1) break
      this.#boxes.holds[box]!.add(file)
      this.#boxes.used[box]! += bytes
      this.#boxes.load[box]! += demand
      placed++
    }
    return placed
  }

  /** The best appliance with room that does not hold the file; one that is not ahead of the others where there is one. */
  #best(file: number, hash: number, bytes: number, demand: number, checked: boolean, holder: number): number {
    const { storage, limit, used, throughput, load, hashes, holds } = this.#boxes
    const before = holder === NOBODY ? undefined : this.#boxes.before
    const members = this.#members
    const count = members.length
    const { isSparing } = this.#boxes
    const isBusy = (box: number) => isSparing && load[box]! + demand > throughput[box]!
    if (count === 1) {
      const only = members[0]!
      if (isBusy(only)) return -1
      return used[only]! + bytes > limit[only]! || (checked && holds[only]!.has(file)) ? -1 : only
    }
    if ((this.#calls++ & 15) === 0 || demand > WEIGHTY * this.#throughput) this.#look(bytes, demand)
    const mostUsed = this.#mostUsed
    const mostLoad = this.#mostLoad
    // The only one that held it keeps it, unless it is full or has to be relieved: then it goes to another that has room, if there is one.
    let relieved = -1
    if (holder !== NOBODY && holder !== SEVERAL && !checked && this.#isMember[holder - 1]) {
      const box = holder - 1
      const { excess, due, most } = this.#boxes
      const isFull = used[box]! + bytes > limit[box]!
      const isOver = load[box]! + demand > (most[box]! + INCUMBENT_SLACK) * throughput[box]! && load[box]! > 0
      if (!isFull && !isOver && demand > 2 * excess[box]!) {
        due[box] = Math.max(0, due[box]! - demand)
        return box
      }
      if (!isFull) relieved = box
    }
    const equal = this.#equal
    const due = this.#boxes.due
    let best = -1
    let bestScore = -1
    let second = -1
    let secondScore = -1
    for (let i = 0; i < count; i++) {
      const box = members[i]!
      if (box === relieved) continue
      const usedThen = used[box]! + bytes
      if (usedThen > limit[box]! || (checked && holds[box]!.has(file)) || isBusy(box)) continue
      let score = equal ? mix(hash ^ hashes[box]!) : rendezvousScore(hash, hashes[box]!, storage[box]!)
      let slack = 0
      let most = mostUsed
      if (before?.[box]?.has(file)) {
        score += INCUMBENT
        slack = INCUMBENT_SLACK
        most = 1
      }
      const ahead =
        (load[box]! + due[box]! + demand > (mostLoad + slack) * throughput[box]! && load[box]! + due[box]! > 0) ||
        (relieved === -1 && usedThen > most * storage[box]! && used[box]! > 0)
      if (ahead) {
        if (score > secondScore) {
          second = box
          secondScore = score
        }
      } else if (score > bestScore) {
        best = box
        bestScore = score
      }
    }
    if (relieved === -1) return best === -1 ? second : best
    // Moved to one that is ahead itself, a file would be moved for nothing.
    if (best === -1) return relieved
    this.#boxes.excess[relieved]! -= demand
    return best
  }

  #look(bytes: number, demand: number): void {
    const { used, load, due, excess } = this.#boxes
    let allUsed = bytes
    let allLoad = demand
    for (let i = 0; i < this.#members.length; i++) {
      allUsed += used[this.#members[i]!]!
      const box = this.#members[i]!
      allLoad += load[box]! + due[box]! + excess[box]!
    }
    this.#mostUsed = allUsed / this.#storage + SLACK
    this.#mostLoad = allLoad / this.#throughput + SLACK
  }
}
