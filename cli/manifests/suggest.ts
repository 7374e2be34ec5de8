/**
 * The candidate most like `word`, or undefined when none is like it. Likeness is the optimal string alignment distance
 * (insert, delete, replace, swap neighbours; case counts half), at most a third of the longer word and at most 3.
 */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > 100) return undefined
  let best: { readonly candidate: string; readonly distance: number } | undefined
  for (const candidate of candidates) {
    if (candidate === word) continue
    const limit = Math.min(3, Math.max(word.length, candidate.length) / 3)
    if (Math.abs(candidate.length - word.length) > limit) continue
    const distance = alignmentDistance(word, candidate)
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { candidate, distance }
  }
  return best?.candidate
}

/** `; did you mean "x"?`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const like = closest(word, candidates)
  return like === undefined ? '' : `; did you mean "${like}"?`
}

function alignmentDistance(a: string, b: string): number {
  const width = b.length + 1
  const cost = new Float64Array((a.length + 1) * width)
  for (let i = 0; i <= a.length; i++) cost[i * width] = i
  for (let j = 0; j <= b.length; j++) cost[j] = j
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const replace = a[i - 1] === b[j - 1] ? 0 : a[i - 1]?.toLowerCase() === b[j - 1]?.toLowerCase() ? 0.5 : 1
      let least = Math.min(
        cost[(i - 1) * width + j]! + 1,
        cost[i * width + j - 1]! + 1,
        cost[(i - 1) * width + j - 1]! + replace,
      )
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, cost[(i - 2) * width + j - 2]! + 1)
      }
      cost[i * width + j] = least
    }
  }
  return cost[a.length * width + b.length]!
}
