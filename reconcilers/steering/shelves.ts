import type { FileSet } from '../blobs/file-set.ts'
import { packShelf, SHELF, unpackMember } from './shelf.ts'
import type { World } from './world.ts'

/** Replaces what an appliance holds of a catalog; the others on its shelf keep what they have. About 2 ms for a million files. */
export function putOnShelf(world: World, catalog: number, appliance: number, files: FileSet | undefined): void {
  const shelf = world.applianceShelf[appliance]!
  if (shelf < 0) return
  const shelves = world.shelves[catalog]!
  const packed = shelves[shelf]
  if (!packed && !files) return
  const members: (FileSet | undefined)[] = []
  for (let m = 0; m < SHELF; m++) {
    const other = world.shelfMembers[shelf * SHELF + m]!
    members.push(other === appliance ? files : other >= 0 && packed ? unpackMember(packed, m) : undefined)
  }
  shelves[shelf] = packShelf(members)
}

/** Gives an appliance a place on a shelf of its site, with everything that it holds. Returns by catalog what that is. */
export function moveToShelf(world: World, appliance: number, site: number): (FileSet | undefined)[] {
  const shelf = world.applianceShelf[appliance]!
  const held = world.shelves.map((shelves, catalog) => {
    const packed = shelf < 0 ? undefined : shelves[shelf]
    const files = packed && unpackMember(packed, world.applianceBit[appliance]!)
    if (files) putOnShelf(world, catalog, appliance, undefined)
    return files
  })
  if (shelf >= 0) world.shelfMembers[shelf * SHELF + world.applianceBit[appliance]!] = -1
  const place = freePlace(world, site)
  world.shelfMembers[place] = appliance
  world.applianceShelf[appliance] = Math.floor(place / SHELF)
  world.applianceBit[appliance] = place % SHELF
  held.forEach((files, catalog) => {
    if (files) putOnShelf(world, catalog, appliance, files)
  })
  return held
}

/** A free place on a shelf of the site, or on a new one: an index into `shelfMembers`. */
function freePlace(world: World, site: number): number {
  let shelves = world.siteShelves.get(site)
  if (!shelves) {
    shelves = []
    world.siteShelves.set(site, shelves)
  }
  for (const shelf of shelves) {
    for (let place = shelf * SHELF; place < (shelf + 1) * SHELF; place++) {
      if (world.shelfMembers[place] === -1) return place
    }
  }
  const shelf = world.shelfCount++
  shelves.push(shelf)
  if (world.shelfMembers.length < world.shelfCount * SHELF) {
    const longer = new Int32Array(Math.max(64, world.shelfMembers.length * 2)).fill(-1)
    longer.set(world.shelfMembers)
    world.shelfMembers = longer
  }
  return shelf * SHELF
}
