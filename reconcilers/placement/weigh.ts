import type { FileSet } from '../blobs/file-set.ts'

/** How many files a set has, and how many bytes those have. `sizes`: bytes by file index. */
export function weigh(
  sizes: ArrayLike<number>,
  { words }: FileSet,
): { readonly files: number; readonly bytes: number } {
  let files = 0
  let bytes = 0
  for (let i = 0; i < words.length; i++) {
    for (let word = words[i]!; word !== 0; word &= word - 1) {
      files++
      bytes += sizes[i * 32 + 31 - Math.clz32(word & -word)]!
    }
  }
  return { files, bytes }
}
