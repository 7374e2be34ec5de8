import type { FileSet } from '../blobs/file-set.ts'
import { type Changed, changeLines, putSpill } from './change-shelf.ts'
import { LINE_WORDS } from './line-arena.ts'
import { type PackedShelf, packShelf, readMember, readMembers, unpackMember } from './pack-shelf.ts'
import {
  clearPlace,
  copyPlace,
  firstShelf,
  linkShelf,
  morePlaces,
  NOBODY,
  nextShelf,
  ordinalAt,
  placeCount,
  putOrdinalAt,
} from './places.ts'
import { FILL, layoutAt, putRecord, RECORD_WORDS, SHELF, spillLines } from './shelf.ts'
import type { WaitingShelf, World } from './world.ts'

/** Shelves that wait for their other members at most: what they wait with takes up to half a MiB each in a catalog of a million files. */
const MAX_WAITING = 32

/**
 * Replaces what an appliance holds of a catalog; the others on its shelf keep what they have. In force at once, except that the first inventory of an
 * appliance waits for those of the others on its shelf, to be packed with them: until all are there, or `packWaiting`. `files` is not changed from here on.
 */
export function putOnShelf(world: World, catalog: number, appliance: number, files: FileSet | undefined): void {
  const place = world.appliancePlace[appliance]!
  if (place < 0) return
  const shelf = Math.floor(place / SHELF)
  const member = place % SHELF
  const waiting = world.waitingShelves.get(waitingKey(catalog, shelf))
  if (waiting?.members[member]) {
    if (files) waiting.members[member] = files
    else stopWaiting(world, waiting, member)
    return
  }
  if (!holdsAnything(world, catalog, shelf)) {
    if (files) wait(world, catalog, shelf, member, files)
    return
  }
  const { words } = world.lines
  const records = world.shelves[catalog]!
  const before = readMember(words, records, shelf, member)
  if (files && before.set.isEmpty && files.size > before.files * FEW) wait(world, catalog, shelf, member, files)
  else changeShelf(world, catalog, shelf, member, before, files)
}

const NOTHING = new Uint32Array(0)

/** Of a first inventory, so few files beside those on the shelf that it is not worth waiting for others. */
const FEW = 0.1

const waitingKey = (catalog: number, shelf: number) => catalog * 2 ** 32 + shelf

function wait(world: World, catalog: number, shelf: number, member: number, files: FileSet): void {
  const { waitingShelves } = world
  const key = waitingKey(catalog, shelf)
  let waiting = waitingShelves.get(key)
  if (!waiting) {
    const members = Array.from({ length: SHELF }, () => undefined)
    waiting = { catalog, shelf, members }
    waitingShelves.set(key, waiting)
  }
  waiting.members[member] = files
  if (waiting.members.every((set) => set !== undefined)) packWaitingShelf(world, waiting)
  else if (waitingShelves.size > MAX_WAITING) packWaitingShelf(world, waitingShelves.values().next().value!)
}

function stopWaiting({ waitingShelves }: World, { catalog, shelf, members }: WaitingShelf, member: number): void {
  members[member] = undefined
  if (members.every((set) => set === undefined)) waitingShelves.delete(waitingKey(catalog, shelf))
}

/** Has everything in force that waits. */
export function packWaiting(world: World): void {
  for (const waiting of world.waitingShelves.values()) packWaitingShelf(world, waiting)
}

function packWaitingShelf(world: World, { catalog, shelf, members }: WaitingShelf): void {
  world.waitingShelves.delete(waitingKey(catalog, shelf))
  const held = holdsAnything(world, catalog, shelf)
    ? readMembers(world.lines.words, world.shelves[catalog]!, shelf)
    : undefined
  const sets = members.map((files, m) => files ?? held?.[m])
  replaceShelf(world, catalog, shelf, packShelf(sets))
}

function changeShelf(
  world: World,
  catalog: number,
  shelf: number,
  member: number,
  before: { readonly set: FileSet; readonly files: number },
  files: FileSet | undefined,
): void {
  const { words } = world.lines
  const records = world.shelves[catalog]!
  const after = files?.words ?? NOTHING
  const changed = changeLines(words, records, shelf, member, before.set.words, after, before.files)
  if (changed && isWorthKeeping(records, shelf, changed) && putSpill(words, records, shelf, changed)) return
  // What is in the lines has changed by now, the spill has not: nobody may look anything up before it is packed.
  const waiting = world.waitingShelves.get(waitingKey(catalog, shelf))
  const held = readMembers(words, records, shelf, changed?.spilled)
  const sets = held.map((set, m) => (m === member ? files : (waiting?.members[m] ?? set)))
  replaceShelf(world, catalog, shelf, packShelf(sets, true))
}

/** Whether there are so many files still that lines for fewer would not take half the memory. */
function isWorthKeeping(records: Uint32Array, shelf: number, { files }: Changed): boolean {
  const { lines, capacity } = layoutAt(records, shelf)
  return files > lines * capacity * FILL * 0.5
}

/**
 * Puts a packed shelf in the place of what is there, and of what waits; undefined: nobody holds anything. One that there is no memory for is left out, and
 * counted: nobody on it is named for files of this catalog until an inventory of the shelf changes and finds room.
 */
export function replaceShelf(world: World, catalog: number, shelf: number, packed: PackedShelf | undefined): void {
  const { lines } = world
  world.waitingShelves.delete(waitingKey(catalog, shelf))
  const records = recordsFor(world, catalog, shelf)
  dropShelf(world, catalog, shelf)
  if (!packed) return
  const start = allocated(world, packed.words.length / LINE_WORDS)
  if (start === undefined) return
  lines.words.set(packed.words, start * LINE_WORDS)
  putRecord(records, shelf, start, packed.layout, packed.spillBits)
}

/** The first of so many lines; undefined where there is no memory for them: one fleet too large must not end what answers all others. */
function allocated(world: World, count: number): number | undefined {
  try {
    return world.lines.allocate(count)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    world.shelvesLeftOut++
    return undefined
  }
}

/** Forgets what anybody holds of a catalog. */
export function dropShelves(world: World, catalog: number): void {
  for (const waiting of world.waitingShelves.values()) {
    if (waiting.catalog === catalog) world.waitingShelves.delete(waitingKey(catalog, waiting.shelf))
  }
  const { length } = world.shelves[catalog]!
  for (let shelf = 0; shelf * RECORD_WORDS < length; shelf++) dropShelf(world, catalog, shelf)
  world.shelves[catalog] = new Uint32Array(0)
}

function dropShelf({ lines, shelves }: World, catalog: number, shelf: number): void {
  const records = shelves[catalog]!
  const at = shelf * RECORD_WORDS
  if ((records[at + 3] ?? 0) === 0) return
  lines.release(records[at]!, records[at + 3]! + spillLines((records[at + 2]! >>> 17) & 31))
  records.fill(0, at, at + RECORD_WORDS)
}

const holdsAnything = ({ shelves }: World, catalog: number, shelf: number) =>
  (shelves[catalog]![shelf * RECORD_WORDS + 3] ?? 0) > 0

function recordsFor(world: World, catalog: number, shelf: number): Uint32Array {
  const records = world.shelves[catalog]!
  if ((shelf + 1) * RECORD_WORDS <= records.length) return records
  // For all that there are, at once: pages that nobody writes to take no memory.
  const longer = new Uint32Array((placeCount(world.places) / SHELF) * RECORD_WORDS)
  longer.set(records)
  world.shelves[catalog] = longer
  return longer
}

/** Gives an appliance a place on a shelf of its site, with everything that it holds and all that is known of it. Returns by catalog what it holds. */
export function moveToShelf(world: World, appliance: number, site: number): (FileSet | undefined)[] {
  const before = world.appliancePlace[appliance]!
  const held = world.shelves.map((records, catalog) => {
    if (before < 0) return undefined
    const shelf = Math.floor(before / SHELF)
    const waiting = world.waitingShelves.get(waitingKey(catalog, shelf))
    if (waiting?.members[before % SHELF]) {
      const files = waiting.members[before % SHELF]
      stopWaiting(world, waiting, before % SHELF)
      return files
    }
    if (!holdsAnything(world, catalog, shelf)) return undefined
    const files = unpackMember(world.lines.words, records, shelf, before % SHELF)
    putOnShelf(world, catalog, appliance, undefined)
    return files
  })
  const place = freePlace(world, site)
  if (before >= 0) {
    copyPlace(world.places, before, place)
    clearPlace(world.places, before)
  } else putOrdinalAt(world.places, place, appliance)
  world.appliancePlace[appliance] = place
  held.forEach((files, catalog) => {
    if (files) putOnShelf(world, catalog, appliance, files)
  })
  return held
}

/** A free place on a shelf of the site, or on a new one. */
function freePlace(world: World, site: number): number {
  if (site >= 0) reserveShelves(world, firstShelf(site) + 1)
  else if (world.lostShelf === 0) world.lostShelf = oddShelf(world)
  const first = site >= 0 ? firstShelf(site) : world.lostShelf
  let last = first
  for (let shelf = first; ; shelf = nextShelf(world.places, shelf)) {
    for (let place = shelf * SHELF; place < (shelf + 1) * SHELF; place++) {
      if (ordinalAt(world.places, place) === NOBODY) return place
    }
    last = shelf
    if (nextShelf(world.places, shelf) === 0) break
  }
  const added = oddShelf(world)
  linkShelf(world.places, last, added)
  return added * SHELF
}

/** A new shelf that is not the first of a site. */
function oddShelf(world: World): number {
  const shelf = 2 * world.oddShelves++ + 1
  reserveShelves(world, shelf + 1)
  return shelf
}

/** Makes room for so many shelves. */
export function reserveShelves(world: World, count: number): void {
  const there = placeCount(world.places)
  if (there < count * SHELF) world.places = morePlaces(world.places, Math.max(64, there * 2, count * SHELF))
}
