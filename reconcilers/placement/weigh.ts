import type { FileSet } from '../blobs/file-set.ts'

/** How many files a set has, and how many bytes those have; but for files of `without`. `sizes`: bytes by file index. */
export function weigh(
  sizes: ArrayLike<number>,
  { words }: FileSet,
  without?: FileSet,
): { readonly files: number; readonly bytes: number } {
  const others = without?.words
  let files = 0
  let bytes = 0
  for (let i = 0; i < words.length; i++) {
    const left = others && i < others.length ? words[i]! & ~others[i]! : words[i]!
    for (let word = left; word !== 0; word &= word - 1) {
      files++
      bytes += sizes[i * 32 + 31 - Math.clz32(word & -word)]!
    }
  }
  return { files, bytes }
}
