import { type Bands, NO_BAND, ONLY_ABOVE } from './bands.ts'
import { CRUMBS } from './keep.ts'
import type { Boxes } from './spread.ts'

/** Files of one band that are filled up with together. */
export interface Rest {
  readonly band: number
  readonly state: number
  readonly fresh: boolean
}

/** Bands by what a byte of them is worth here, the part that each parent has apart; what is here already comes first. */
export function byWorth(bands: Bands, worths: readonly number[], bonus: number | undefined): Rest[] {
  const entries: (Rest & { worth: number })[] = []
  for (let band = 0; band < bands.count; band++) {
    const density = bands.bytes[band]! > 0 ? bands.demand[band]! / bands.bytes[band]! : Number.MAX_VALUE
    for (const [state, part] of worths.entries()) {
      const worth = density * part
      entries.push({ band, state, fresh: true, worth })
      if (bonus !== undefined) entries.push({ band, state, fresh: false, worth: worth * (1 + bonus) })
    }
  }
  return entries.sort((a, b) => Number(a.fresh) - Number(b.fresh) || b.worth - a.worth || a.band - b.band)
}

/**
 * What a plan takes from an appliance is not filled up again with what does not pay by the same plan: an appliance with C bytes of storage, which gives up D bytes of files that
 * may still be here, takes files by filling up to
 *
 *     max(used, C − D):
 *
 * only what was free before. So a new appliance is filled up in full, and where it takes the hottest files of the others those do not fetch cold ones in their place at once:
 * what is left free is there for what pays, or for a later plan. Where all files that are left fit into what is free, they come: there is nothing to choose.
 * `holds`: by position, 1 for files that the site has now.
 */
export function limitToFree(boxes: Boxes, bands: Bands, holds: Uint8Array): void {
  const { before, storage, used, limit } = boxes
  if (!before || fits(boxes, bands, holds)) return
  for (const [box, had] of before.entries()) {
    let given = 0
    had?.difference(boxes.holds[box]!).forEach((file) => {
      // Of a catalog that was made anew, or that is another one, there may be files beyond the last.
      if ((bands.of[file] ?? NO_BAND) !== NO_BAND) given += bands.sizes[file]!
    })
    limit[box] = Math.max(used[box]!, storage[box]! - given)
  }
}

/** Whether `limitToFree` has left notable room. */
export function isRoomLeft({ storage, used, limit }: Boxes): boolean {
  let [left, all] = [0, 0]
  for (let b = 0; b < storage.length; b++) {
    if (limit[b]! < storage[b]!) left += storage[b]! - used[b]!
    all += storage[b]!
  }
  return left > CRUMBS * all
}

/** Whether there is room for all files that the site does not have. */
function fits({ storage, used }: Boxes, { sizeAt, copiesAt }: Bands, holds: Uint8Array): boolean {
  let room = 0
  for (let b = 0; b < storage.length; b++) room += storage[b]! - used[b]!
  for (let p = 0; p < holds.length && room >= 0; p++)
    if (!holds[p] && copiesAt[p] !== ONLY_ABOVE) room -= sizeAt[p]! * copiesAt[p]!
  return room >= 0
}
