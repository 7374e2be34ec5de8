import type { FileSet } from '../blobs/file-set.ts'
import { mix } from '../placement/hash.ts'
import type { SteerRequest } from './types.ts'
import type { World } from './world.ts'

/** The bit of a site in the masks of `world.holders`: 32 sites in 32 have different ones at best. */
const bitOf = (site: number) => 1 << (mix(site + 1) & 31)

/**
 * Notes that somebody at the site of this appliance holds these files. A bit that is not set says that nobody at any of the sites that share it
 * holds the file, so that these need not be asked; one that is set says nothing. Bits are not taken back.
 */
export function noteHolder(world: World, catalog: number, appliance: number, { words }: FileSet): void {
  const site = world.applianceSite[appliance]!
  if (site < 0) return
  let masks = world.holders[catalog] ?? new Uint32Array(0)
  if (masks.length < words.length * 32) {
    const longer = new Uint32Array(words.length * 32)
    longer.set(masks)
    masks = longer
    world.holders[catalog] = masks
  }
  const bit = bitOf(site)
  for (let w = 0; w < words.length; w++) {
    for (let word = words[w]!; word !== 0; word &= word - 1) {
      masks[w * 32 + 31 - Math.clz32(word & -word)]! |= bit
    }
  }
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
