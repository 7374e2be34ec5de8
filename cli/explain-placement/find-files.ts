import type { CatalogContent } from '../../reconcilers/blobs/catalog.ts'
import { globMatcher } from '../../reconcilers/placement/glob.ts'
import { usageError } from '../exit.ts'

/** Files that were asked for, by index. */
export interface FoundFiles {
  readonly indices: readonly number[]
  /** Where a title was named, and not one file. */
  readonly title?: string
}

/** How many matches of a glob are named. */
const NAMED = 3

/** A path, else a title, else a glob that one path matches. Undefined where the catalog has nothing of the sort; a usage error where a glob matches several. */
export function findFiles({ files }: CatalogContent, asked: string): FoundFiles | undefined {
  const titled: number[] = []
  for (const [i, file] of files.entries()) {
    if (file?.path === asked) return { indices: [i] }
    if (file?.title === asked) titled.push(i)
  }
  if (titled.length > 0) return { indices: titled, title: asked }
  if (!/[*?]/.test(asked)) return undefined
  const matches = globMatcher(asked)
  const matching = [...files.keys()].filter((i) => files[i] && matches(files[i].path))
  if (matching.length <= 1) return matching.length === 0 ? undefined : { indices: matching }
  const some = matching.slice(0, NAMED).map((i) => files[i]!.path)
  throw usageError(
    `${JSON.stringify(asked)} matches ${matching.length} files, such as ${some.join(', ')}: name one of them, or a title`,
  )
}
