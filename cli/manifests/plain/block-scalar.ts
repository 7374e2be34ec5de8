/** A block text: `|` keeps lines, `>` folds them. */
export interface BlockScalar {
  readonly value: string
  /** The start of the line after it. */
  readonly next: number
}

const HEADER = /([|>])([-+]?) *(\r?\n)/y

/**
 * Reads the block text whose header is at `start` and that belongs to something at `column`. Undefined for what is rare: indentation
 * indicators, comments behind the header, texts without lines, lines of nothing but too many spaces.
 */
export function blockScalar(text: string, start: number, end: number, column: number): BlockScalar | undefined {
  HEADER.lastIndex = start
  const header = HEADER.exec(text)
  if (!header || HEADER.lastIndex > end) return undefined
  const lines: string[] = []
  let indent = -1
  let at = HEADER.lastIndex
  while (at < end) {
    let lineEnd = text.indexOf('\n', at)
    if (lineEnd < 0 || lineEnd > end) lineEnd = end
    let first = at
    while (first < lineEnd && text.charCodeAt(first) === 32) first++
    const contentEnd = lineEnd > at && text.charCodeAt(lineEnd - 1) === 13 ? lineEnd - 1 : lineEnd
    if (first >= contentEnd) {
      // A blank line with spaces of its own is content, or a mistake.
      if (first > at) return undefined
      lines.push('')
    } else {
      if (indent < 0) indent = first - at
      if (first - at < indent) {
        if (first - at > column) return undefined
        break
      }
      if (text.charCodeAt(first) === 9) return undefined
      lines.push(text.slice(at + indent, contentEnd))
    }
    at = lineEnd + 1
  }
  if (indent <= column || indent < 1) return undefined
  let last = lines.length
  while (lines[last - 1] === '') last--
  const body = header[1] === '|' ? lines.slice(0, last).join('\n') : folded(lines, last)
  const chomp = header[2]
  if (chomp === '-') return { value: body, next: Math.min(at, end) }
  if (chomp === '+') {
    const ended = text.charCodeAt(end - 1) === 10 || at < end
    // Without a line end at the end of the document there is nothing more to keep.
    if (!ended) return undefined
    return { value: body + '\n'.repeat(lines.length - last + 1), next: Math.min(at, end) }
  }
  return { value: `${body}\n`, next: Math.min(at, end) }
}

/** A line end becomes a space, unless one of its lines is empty or indented further. */
function folded(lines: readonly string[], count: number): string {
  let start = 0
  while (lines[start] === '') start++
  let value = '\n'.repeat(start)
  let separator = ''
  let indented = false
  for (let i = start; i < count; i++) {
    const line = lines[i]!
    if (line === '') {
      if (separator === '\n') value += '\n'
      else separator = '\n'
      continue
    }
    const further = line.charCodeAt(0) === 32
    if (further) {
      if (separator === ' ') separator = '\n'
      else if (!indented && separator === '\n') separator = '\n\n'
    }
    value += separator + line
    separator = further ? '\n' : ' '
    indented = further
  }
  return value
}
