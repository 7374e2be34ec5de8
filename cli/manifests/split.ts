/** One document's stretch of a file, in UTF-16 offsets. */
export interface Chunk {
  readonly start: number
  readonly end: number
}

const LF = 10
const CR = 13
const SPACE = 32
const HASH = 35
const PERCENT = 37

/**
 * Cuts a stream into documents: YAML's `---` and `...` lines, and JSON values that follow each other (`kubectl … -o json` twice in
 * one file). Directives stay with the document after them. Stretches of nothing but comments and blank lines are left out.
 */
export function* splitDocuments(text: string): Generator<Chunk> {
  let start = 0
  let any = false
  const marker = /^(?:---|\.\.\.)(?=\s|$)/gm
  for (;;) {
    const found = marker.exec(text)
    const end = found ? found.index : text.length
    const first = firstContent(text, start, end)
    const directives = first < end && text.charCodeAt(first) === PERCENT && onlyDirectives(text, first, end)
    if (first < end && !directives) {
      any = true
      yield* splitJson(text, start, end, first)
    }
    if (!found) {
      // Directives without a document are for the parser to refuse.
      if (directives && !any) yield { start, end }
      return
    }
    if (!directives) start = found[0] === '...' ? found.index + 3 : found.index
  }
}

/** Where a stretch has something other than markers, comments and white space; `end` where it does not. */
function firstContent(text: string, start: number, end: number): number {
  let at = start
  while (at < end) {
    if (isMarker(text, at)) at += 3
    while (at < end && isBlank(text.charCodeAt(at))) at++
    if (at >= end) return end
    const c = text.charCodeAt(at)
    if (c === LF) at++
    else if (c === HASH) {
      const next = text.indexOf('\n', at)
      if (next < 0) return end
      at = next + 1
    } else return at
  }
  return end
}

function isMarker(text: string, at: number): boolean {
  return (
    (text.startsWith('---', at) || text.startsWith('...', at)) &&
    (at === 0 || text.charCodeAt(at - 1) === LF) &&
    (at + 3 >= text.length || /\s/.test(text[at + 3]!))
  )
}

const isBlank = (c: number) => c === SPACE || c === 9 || c === CR

function onlyDirectives(text: string, start: number, end: number): boolean {
  return text
    .slice(start, end)
    .split('\n')
    .every((line) => line.startsWith('%') || /^\s*(?:#.*)?$/.test(line))
}

/** Cuts where a JSON object ends and another begins; one chunk where the text is not JSON objects. */
function splitJson(text: string, start: number, end: number, first: number): Chunk[] {
  const whole = [{ start, end }]
  if (text[first] !== '{') return whole
  const chunks: Chunk[] = []
  let depth = 0
  let from = start
  for (let at = first; at < end; at++) {
    const c = text[at]
    if (c === '"') {
      for (at++; at < end && text[at] !== '"'; at++) if (text[at] === '\\') at++
    } else if (c === '{' || c === '[') {
      if (depth++ === 0) from = at
    } else if (c === '}' || c === ']') {
      if (--depth === 0) chunks.push({ start: from, end: at + 1 })
    } else if (depth === 0 && !/\s/.test(c!)) return whole
  }
  return depth === 0 && chunks.length > 1 ? chunks : whole
}
