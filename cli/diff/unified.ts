const CONTEXT = 3
/** Texts that differ in more lines than this are shown as replaced: time and memory grow with the square. */
const MAX_EDITS = 2000

interface Edit {
  readonly kind: ' ' | '-' | '+'
  readonly line: string
}

/** A unified diff of two texts, without its two head lines; empty when they are the same. */
export function unifiedDiff(before: string, after: string): string {
  const edits = editScript(linesOf(before), linesOf(after))
  const changed = edits.flatMap(({ kind }, index) => (kind === ' ' ? [] : [index]))
  if (changed.length === 0) return ''
  let out = ''
  for (const [first, last] of hunks(changed)) {
    const from = Math.max(0, first - CONTEXT)
    const to = Math.min(edits.length, last + CONTEXT + 1)
    out += hunkHead(edits, from, to)
    for (const { kind, line } of edits.slice(from, to)) out += `${kind}${line}\n`
  }
  return out
}

const linesOf = (text: string) => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))

/** Changes that are near enough to share their context lie in one hunk. */
function hunks(changed: readonly number[]): [number, number][] {
  const found: [number, number][] = []
  for (const index of changed) {
    const last = found.at(-1)
    if (last && index - last[1] <= 2 * CONTEXT + 1) last[1] = index
    else found.push([index, index])
  }
  return found
}

function hunkHead(edits: readonly Edit[], from: number, to: number): string {
  const count = (upTo: number, start: number, kind: '-' | '+') =>
    edits.slice(start, upTo).filter((edit) => edit.kind === ' ' || edit.kind === kind).length
  const range = (kind: '-' | '+') => {
    const length = count(to, from, kind)
    const start = count(from, 0, kind) + (length === 0 ? 0 : 1)
    return length === 1 ? `${start}` : `${start},${length}`
  }
  return `@@ -${range('-')} +${range('+')} @@\n`
}

/**
 * The shortest way from one list of lines to the other. Source: E. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986.
 */
function editScript(before: readonly string[], after: readonly string[]): Edit[] {
  let head = 0
  while (head < before.length && head < after.length && before[head] === after[head]) head++
  let tail = 0
  while (tail < before.length - head && tail < after.length - head && before.at(-1 - tail) === after.at(-1 - tail))
    tail++
  const same = (lines: readonly string[]): Edit[] => lines.map((line) => ({ kind: ' ', line }))
  return [
    ...same(before.slice(0, head)),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...same(before.slice(before.length - tail)),
  ]
}

function middle(before: readonly string[], after: readonly string[]): Edit[] {
  const trace = before.length > 0 && after.length > 0 ? walk(before, after) : undefined
  if (!trace)
    return [...before.map((line): Edit => ({ kind: '-', line })), ...after.map((line): Edit => ({ kind: '+', line }))]
  const edits: Edit[] = []
  let x = before.length
  let y = after.length
  for (let d = trace.length - 1; d >= 0; d--) {
    const reach = trace[d]!
    const k = x - y
    const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1))
    const fromX = d === 0 ? 0 : reach.get(down ? k + 1 : k - 1)!
    const fromY = d === 0 ? 0 : fromX - (down ? k + 1 : k - 1)
    while (x > fromX && y > fromY) {
      edits.push({ kind: ' ', line: before[--x]! })
      y--
    }
    if (d > 0) edits.push(down ? { kind: '+', line: after[--y]! } : { kind: '-', line: before[--x]! })
  }
  return edits.reverse()
}

/** For each number of edits, how far along each diagonal one gets with one edit fewer; undefined where it takes too many. */
function walk(before: readonly string[], after: readonly string[]): ReadonlyMap<number, number>[] | undefined {
  const trace: ReadonlyMap<number, number>[] = []
  const reach = new Map<number, number>([[1, 0]])
  for (let d = 0; d <= MAX_EDITS; d++) {
    trace.push(new Map(reach))
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1))
      let x = down ? reach.get(k + 1)! : reach.get(k - 1)! + 1
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) x++
      reach.set(k, x)
      if (x >= before.length && x - k >= after.length) return trace
    }
  }
  return undefined
}
