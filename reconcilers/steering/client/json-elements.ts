import { unended } from './text-lines.ts'

const [QUOTE, BACKSLASH, COMMA] = [34, 92, 44]
const OPEN = new Set([91, 123])
const CLOSE = new Set([93, 125])

/**
 * The elements of a JSON array that comes in pieces, each as it was parsed, so that the whole is never there at once. SyntaxError where it is no JSON array,
 * when all that comes before has been given; Error where an element is too long.
 */
export function* jsonElements(pieces: Iterable<string>): Generator<unknown> {
  let depth = 0
  let inString = false
  let escaped = false
  let isOver = false
  let count = 0
  let rest = ''
  for (const piece of pieces) {
    let from = 0
    for (let at = 0; at < piece.length; at++) {
      const code = piece.charCodeAt(at)
      if (inString) {
        if (escaped) escaped = false
        else if (code === BACKSLASH) escaped = true
        else if (code === QUOTE) inString = false
      } else if (depth > 0 && code === QUOTE) inString = true
      else if (depth === 0) {
        if (isBlank(code)) continue
        if (isOver || code !== 91) throw new SyntaxError(`Unexpected ${JSON.stringify(piece[at])} outside the array`)
        depth = 1
        from = at + 1
      } else if (OPEN.has(code)) depth++
      else if (CLOSE.has(code) && depth > 1) depth--
      else if (code === COMMA ? depth === 1 : CLOSE.has(code)) {
        const element = rest + piece.slice(from, at)
        rest = ''
        from = at + 1
        if (code !== COMMA) {
          if (code !== 93) throw new SyntaxError('Unexpected "}" instead of "]"')
          depth = 0
          isOver = true
          if (count === 0 && element.trim() === '') continue
        }
        count++
        yield JSON.parse(element)
      }
    }
    if (depth > 0) rest = unended(rest, `element ${count}`) + piece.slice(from)
  }
  if (!isOver) throw new SyntaxError('Unexpected end of JSON input')
}

const isBlank = (code: number) => code === 32 || (code >= 9 && code <= 13)
