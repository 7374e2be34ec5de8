import type { FileSet } from '../blobs/file-set.ts'
import { mix } from '../placement/hash.ts'
import { LINE_WORDS } from './line-arena.ts'
import { decodeLine } from './line-codec.ts'
import { readSpill } from './pack-shelf.ts'
import { NOBODY, ordinalAt } from './places.ts'
import { gather, layoutAt, RECORD_WORDS, SHELF } from './shelf.ts'
import { packWaiting } from './shelves.ts'
import type { SteerRequest } from './types.ts'
import type { HoldersRenewal, World } from './world.ts'

/** The bit of a site in the masks of `world.holders`: 32 sites in 32 have different ones at best. */
const bitOf = (site: number) => 1 << (mix(site + 1) & 31)

/**
 * Notes that somebody at the site of this appliance holds these files. A bit that is not set says that nobody at any of the sites that share it
 * holds the file, so that these need not be asked; one that is set says nothing. Only `renewHolders` takes bits back.
 */
export function noteHolder(world: World, catalog: number, appliance: number, files: FileSet): void {
  const site = world.applianceSite[appliance]!
  if (site < 0) return
  const bit = bitOf(site)
  world.holders[catalog] = withBit(world.holders[catalog] ?? NOTHING, files, bit)
  const renewal = world.holdersRenewal
  if (renewal?.catalog === catalog) renewal.masks = withBit(renewal.masks, files, bit)
}

const NOTHING = new Uint32Array(0)

/** Sets a bit of these files, in the masks or in longer ones. */
function withBit(before: Uint32Array, { words }: FileSet, bit: number): Uint32Array {
  let masks = before
  if (masks.length < words.length * 32) {
    masks = new Uint32Array(words.length * 32)
    masks.set(before)
  }
  for (let w = 0; w < words.length; w++) {
    for (let word = words[w]!; word !== 0; word &= word - 1) {
      masks[w * 32 + 31 - Math.clz32(word & -word)]! |= bit
    }
  }
  return masks
}

/**
 * Goes on to make masks anew from what is held, so that bits of what has been withdrawn do not stay for ever: catalog by catalog, some `mostLines` lines of shelves
 * at a time, but a shelf as a whole. True: those of all catalogs have been made.
 */
export function renewHolders(world: World, mostLines: number): boolean {
  // What waits is on no shelf, though it has been noted.
  packWaiting(world)
  let renewal = world.holdersRenewal ?? beginRenewal(world, 0)
  for (let lines = 0; renewal && lines < mostLines; ) {
    if (renewal.shelf * RECORD_WORDS < world.shelves[renewal.catalog]!.length) {
      lines += 1 + renewShelf(world, renewal)
      renewal.shelf++
      continue
    }
    if (world.holders[renewal.catalog]) world.holders[renewal.catalog] = renewal.masks
    renewal = beginRenewal(world, renewal.catalog + 1)
  }
  return renewal === undefined
}

/** Begins with the masks of the first catalog from this one on that has any; undefined: there is none. */
function beginRenewal(world: World, from: number): HoldersRenewal | undefined {
  const catalog = world.holders.findIndex((masks, ordinal) => ordinal >= from && masks !== undefined)
  const masks = world.holders[catalog]
  world.holdersRenewal = masks && { catalog, shelf: 0, masks: new Uint32Array(masks.length) }
  return world.holdersRenewal
}

/** Notes what is held on the shelf that it is at. Returns how many lines that were. */
function renewShelf(world: World, { catalog, shelf, masks }: HoldersRenewal): number {
  const records = world.shelves[catalog]!
  const first = records[shelf * RECORD_WORDS]!
  const layout = layoutAt(records, shelf)
  const site = siteOfShelf(world, shelf)
  if (layout.span === 0 || site < 0) return 0
  const { words } = world.lines
  const bit = bitOf(site)
  const keys = new Uint32Array(layout.capacity)
  for (let line = 0; line < layout.lines; line++) {
    const count = decodeLine(words, (first + line) * LINE_WORDS, layout, line * layout.span, keys)
    for (let i = 0; i < count; i++) masks[gather(keys[i]! >>> 4, layout.bits)]! |= bit
  }
  for (const key of readSpill(words, records, shelf)) masks[gather(key >>> 4, layout.bits)]! |= bit
  return layout.lines
}

/** The site of those who stand at a shelf; -1: nobody does, or their site is not known. */
function siteOfShelf({ places, applianceSite }: World, shelf: number): number {
  for (let place = shelf * SHELF; place < (shelf + 1) * SHELF; place++) {
    const appliance = ordinalAt(places, place)
    if (appliance !== NOBODY) return applianceSite[appliance]!
  }
  return -1
}

/** The sites that may have somebody who holds all files that are asked for. */
export function holderMask(world: World, { catalog, files }: SteerRequest): number {
  const masks = world.holders[catalog]
  if (masks === undefined || files.length === 0) return 0
  let mask = EVERYWHERE
  for (let i = 0; i < files.length && mask !== 0; i++) mask &= masks[files[i]!] ?? 0
  return mask
}

/** The mask of files that somebody may hold at every site. */
export const EVERYWHERE = -1

/** Whether somebody at the site may hold what the mask is of. */
export const mayHold = (mask: number, site: number) => (mask & bitOf(site)) !== 0
