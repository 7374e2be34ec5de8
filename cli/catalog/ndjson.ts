/** One line of a catalog source. */
export interface CatalogLine {
  readonly path: string
  readonly size: number
  readonly sha256: string
}

/** The lines of a catalog source, in parts of about 1 MiB, so that a million files do not become one string. */
export function* catalogNdjson(files: Iterable<CatalogLine>): Generator<string> {
  let part = ''
  for (const { path, size, sha256 } of files) {
    part += `${JSON.stringify({ path, size, sha256 })}\n`
    if (part.length > 1 << 20) {
      yield part
      part = ''
    }
  }
  if (part !== '') yield part
}
