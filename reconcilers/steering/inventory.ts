import type { FileSet } from '../blobs/file-set.ts'

/** What one appliance verifiably holds of one catalog, packed for asking. Immutable: a new inventory replaces it whole. */
export interface Inventory {
  readonly words: Uint32Array
}

/** Packs an inventory. */
export function packInventory(files: FileSet): Inventory {
  return { words: files.words.slice() }
}

/** Whether the file of that index is held. Any index that is no file's is not. */
export function holds(inventory: Inventory, file: number): boolean {
  const word = inventory.words[file >>> 5]
  return word !== undefined && (word & (1 << (file & 31))) !== 0
}
