import { FileSet } from '../../blobs/file-set.ts'
import { type Bands, ONLY_ABOVE } from './bands.ts'
import type { SolverAppliance } from './input.ts'

/**
 * What a site may move by the plan that an appliance's leaving makes: what only that one held,
 *
 *     Σ over files f that it held: sizeᶠ · max(0, copiesᶠ − those that are left),
 *
 * which is all bytes of f where a file has one copy, and none where the others have enough; and what appliances that joined by the same plan take. Where kinds of appliance
 * differ, a loss changes which files are best on which kind: what is worth most is moved, within this. Later plans, which know nothing of the loss, move what pays still.
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
    if (had && !had.isEmpty) held.push(had)
    else most += storageBytes
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
