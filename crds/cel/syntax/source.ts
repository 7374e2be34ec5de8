/** A place in an expression: line from 1, column in code points from 0. */
export interface Location {
  readonly line: number
  readonly column: number
}

/** Something wrong in an expression. `offset` counts UTF-16 units from its start; absent where there is no one place. */
export interface Issue {
  readonly offset: number | undefined
  readonly message: string
}

/** Where an offset is. */
export function locate(source: string, offset: number): Location {
  const before = source.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  const line = before.split('\n').length
  return { line, column: [...before.slice(lineStart)].length }
}

/** All issues in cel-go's layout: sentence, source line, and a caret under the place; ordered by place. */
export function formatIssues(source: string, issues: readonly Issue[]): string {
  const placed = issues.map((issue, i) => ({
    issue,
    i,
    at: issue.offset === undefined ? { line: -1, column: -1 } : locate(source, issue.offset),
  }))
  placed.sort((a, b) => a.at.line - b.at.line || a.at.column - b.at.column || a.i - b.i)
  return placed.map(({ issue, at }) => formatIssue(source, issue.message, at)).join('\n')
}

function formatIssue(source: string, message: string, at: Location): string {
  const head = `ERROR: <input>:${at.line}:${at.column + 1}: ${message}`
  const line = at.line < 1 ? undefined : source.split('\n')[at.line - 1]
  if (line === undefined || source === '') return head
  const snippet = line.replaceAll('\t', ' ')
  const characters = [...snippet]
  const dots = characters.slice(0, at.column).map((char) => (isWide(char) ? '．' : '.'))
  const caret = isWide(characters[at.column] ?? '') ? '＾' : '^'
  return `${head}\n | ${snippet}\n | ${dots.join('')}${caret}`
}

const isWide = (char: string): boolean => (char.codePointAt(0) ?? 0) > 0x7f
