import { FileSet } from '../../blobs/file-set.ts'
import { type Bands, ONLY_ABOVE } from './bands.ts'
import type { SolverAppliance } from './input.ts'

/**
 * What a site may move by the plan that an appliance's leaving makes: what only that one held,
 *
 *     Σ over files f that it held: sizeᶠ · max(0, copiesᶠ − those that are left),
 *
 * which is all bytes of f where a file has one copy, and none where the others have enough; what appliances that joined by the same plan take; and what is free where files
 * were that went from the catalog meanwhile: as much may have, where the brake held plans back for days. Where kinds of appliance differ, a loss changes which files are best
 * on which kind: what is worth most is moved, within this. Later plans, which know nothing of the loss, move what pays still.
 * Infinite where none has left. In bytes.
 */
export function mostMoved(
  appliances: readonly SolverAppliance[],
  gone: readonly SolverAppliance[],
  bands: Bands,
): number {
  if (gone.length === 0) return Number.POSITIVE_INFINITY
  let most = 0
  const held: FileSet[] = []
  for (const { held: had, storageBytes } of appliances) {
    if (had && !had.isEmpty) {
      held.push(had)
      most += leftFree(had, storageBytes, bands.sizes)
    } else most += storageBytes
  }
  const lost = new FileSet()
  for (const { held: had } of gone) if (had) lost.addAll(had)
  lost.forEach((file) => {
    const copies = bands.copies[file]!
    if (!copies || copies === ONLY_ABOVE) return
    const left = held.reduce((sum, set) => sum + (set.has(file) ? 1 : 0), 0)
    most += bands.sizes[file]! * Math.max(0, copies - left)
  })
  return most
}

/** What is free on an appliance some of whose files are not in the catalog any more; 0 where all are. */
function leftFree(held: FileSet, storage: number, sizes: Float64Array): number {
  let free = storage
  let went = false
  held.forEach((file) => {
    const size = sizes[file] ?? Number.NaN
    if (Number.isNaN(size)) went = true
    else free -= size
  })
  return went ? Math.max(0, free) : 0
}
