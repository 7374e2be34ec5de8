import type { FileSet } from '../blobs/file-set.ts'
import { LINE_WORDS } from './line-arena.ts'
import { type PackedShelf, packShelf, unpackMember } from './pack-shelf.ts'
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
import { putRecord, RECORD_WORDS, SHELF, spillLines } from './shelf.ts'
import type { World } from './world.ts'

/** Replaces what an appliance holds of a catalog; the others on its shelf keep what they have. About 5 ms for a million files. */
export function putOnShelf(world: World, catalog: number, appliance: number, files: FileSet | undefined): void {
  const place = world.appliancePlace[appliance]!
  if (place < 0) return
  const shelf = Math.floor(place / SHELF)
  const there = holdsAnything(world, catalog, shelf)
  if (!there && !files) return
  const members: (FileSet | undefined)[] = []
  for (let m = 0; m < SHELF; m++) {
    if (shelf * SHELF + m === place) members.push(files)
    else {
      const isHeld = there && ordinalAt(world.places, shelf * SHELF + m) !== NOBODY
      members.push(isHeld ? unpackMember(world.lines.words, world.shelves[catalog]!, shelf, m) : undefined)
    }
  }
  replaceShelf(world, catalog, shelf, packShelf(members))
}

/** Puts a packed shelf in the place of what is there; undefined: nobody holds anything. */
export function replaceShelf(world: World, catalog: number, shelf: number, packed: PackedShelf | undefined): void {
  const { lines } = world
  const records = recordsFor(world, catalog, shelf)
  dropShelf(world, catalog, shelf)
  if (!packed) return
  const start = lines.allocate(packed.words.length / LINE_WORDS)
  lines.words.set(packed.words, start * LINE_WORDS)
  putRecord(records, shelf, start, packed.layout, packed.spillBits)
}

/** Forgets what anybody holds of a catalog. */
export function dropShelves(world: World, catalog: number): void {
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
    const shelf = Math.floor(before / SHELF)
    if (before < 0 || !holdsAnything(world, catalog, shelf)) return undefined
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
  linkShelf(world.places, first, last, added)
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
