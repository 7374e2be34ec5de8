/** One document's stretch of a file, in UTF-16 offsets. */
export interface Chunk {
  readonly start: number
  readonly end: number
}

/**
 * Cuts a stream into documents: YAML's `---` and `...` lines, and JSON values that follow each other (`kubectl … -o json` twice in
 * one file). Directives stay with the document after them. Stretches of nothing but comments and blank lines are left out.
 */
export function splitDocuments(text: string): Chunk[] {
  const chunks: Chunk[] = []
  let start = 0
  const add = (end: number, next: number) => {
    const stretch = text.slice(start, end)
    const content = stretch.replace(/^(---(?=\s|$)|[ \t]*#.*$|\.\.\.(?=\s|$))/gm, '').trim()
    if (content === '') start = next
    else if (content.split('\n').every((line) => line.startsWith('%'))) return
    else {
      chunks.push(...splitJson(text, start, end))
      start = next
    }
  }
  for (const marker of text.matchAll(/^(?:---|\.\.\.)(?=\s|$)/gm)) {
    const isEnd = marker[0] === '...'
    add(marker.index, isEnd ? marker.index + 3 : marker.index)
  }
  add(text.length, text.length)
  if (start < text.length && chunks.length === 0 && text.slice(start).trim() !== '')
    chunks.push({ start, end: text.length })
  return chunks
}

/** Cuts where a JSON object ends and another begins; one chunk where the text is not JSON objects. */
function splitJson(text: string, start: number, end: number): Chunk[] {
  const whole = [{ start, end }]
  const first = /\S/.exec(text.slice(start, end))
  if (first?.[0] !== '{') return whole
  const chunks: Chunk[] = []
  let depth = 0
  let from = start
  for (let at = start + first.index; at < end; at++) {
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
