import type { Place } from '../manifests/source-text.ts'

/**
 * A GitHub workflow command that puts a note beside a line of a file, or beside none.
 * Source: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts
 */
export function annotation(
  level: 'notice' | 'warning' | 'error',
  place: Place | undefined,
  title: string,
  text: string,
): string {
  // What came through a pipe is no file of the repository.
  const at =
    place === undefined || place.file === '<stdin>'
      ? []
      : [`file=${property(place.file)}`, `line=${place.line}`, `col=${place.column}`]
  return `::${level} ${[...at, `title=${property(title)}`].join(',')}::${data(text)}`
}

const data = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const property = (text: string) => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
