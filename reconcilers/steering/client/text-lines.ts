/** Characters that a line, or an element of JSON, may go on for beyond the piece that it begins in: what never ends is not gathered in memory. */
const LONGEST = 1 << 20

/** What has come of something that has not ended yet. Throws where it is too long to be what it should be. */
export function unended(text: string, what: string): string {
  if (text.length > LONGEST) throw new Error(`${what} does not end within ${LONGEST} characters`)
  return text
}

/**
 * The lines of a text that comes in pieces, without what ends them, and the number of each from 1. An end of the last line may be missing. Throws where a line
 * is too long.
 */
export function* linesOf(pieces: Iterable<string>): Generator<readonly [line: string, number: number]> {
  let number = 1
  let rest = ''
  for (const piece of pieces) {
    let at = 0
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', at)) {
      yield [withoutReturn(rest + piece.slice(at, end)), number++]
      rest = ''
      at = end + 1
    }
    rest = unended(rest, `line ${number}`) + piece.slice(at)
  }
  if (rest !== '') yield [withoutReturn(rest), number]
}

const withoutReturn = (line: string) => (line.charCodeAt(line.length - 1) === 13 ? line.slice(0, -1) : line)

/** The first piece of a text, and all of it. */
export function peek(pieces: Iterable<string>): readonly [first: string, all: Iterable<string>] {
  const iterator = pieces[Symbol.iterator]()
  const { value: first = '' } = iterator.next() as IteratorResult<string, undefined>
  function* all(): Generator<string> {
    yield first
    yield* { [Symbol.iterator]: () => iterator }
  }
  return [first, all()]
}
