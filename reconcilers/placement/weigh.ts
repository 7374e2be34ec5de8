import type { FileSet } from '../blobs/file-set.ts'

/** How many files a set has, and how many bytes those have. `sizes`: bytes by file index. */
export function weigh(sizes: Float64Array, set: FileSet): { readonly files: number; readonly bytes: number } {
  let files = 0
  let bytes = 0
  for (const file of set) {
    files++
    bytes += sizes[file]!
  }
  return { files, bytes }
}
