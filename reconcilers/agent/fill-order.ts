import { hashString, mix } from '../placement/hash.ts'

/** Files whose order among themselves is left to chance. */
export const FILL_BUCKET = 64

/**
 * The order in which an appliance fetches files that are given most wanted first. Within a small bucket each appliance has an order of its
 * own, always the same, so that appliances of a site that want the same files fetch different ones first and then give them to each other.
 * `key` is the file's sha256. Does not change the array that it is given.
 */
export function fillOrder<T extends { readonly sha256: string }>(wanted: readonly T[], appliance: string): T[] {
  const seed = hashString(appliance)
  const ordered: T[] = []
  for (let start = 0; start < wanted.length; start += FILL_BUCKET) {
    const bucket = wanted.slice(start, start + FILL_BUCKET).map((file) => ({
      file,
      rank: mix(seed ^ Number.parseInt(file.sha256.slice(0, 8), 16)),
    }))
    bucket.sort((a, b) => a.rank - b.rank)
    for (const { file } of bucket) ordered.push(file)
  }
  return ordered
}
