import { expect, test } from '@jest/globals'
import { LINE_WORDS, LineArena } from '../../../reconcilers/steering/line-arena.ts'
import { random } from './random.ts'

test('runs that come and go keep what is in them, and what is given back is used again', () => {
  const next = random(5)
  const arena = new LineArena()
  const runs: { readonly start: number; readonly lines: number; readonly mark: number }[] = []
  const wrong: number[] = []
  const check = ({ start, lines, mark }: (typeof runs)[number]) => {
    const words = arena.words.subarray(start * LINE_WORDS, (start + lines) * LINE_WORDS)
    if (words.length !== lines * LINE_WORDS || words.some((word) => word !== mark)) wrong.push(mark)
  }
  let most = 0
  for (let step = 1; step <= 4000; step++) {
    if (runs.length < 100 || next() % 2 === 0) {
      const lines = 1 + (next() % 400)
      const start = arena.allocate(lines)
      arena.words.fill(step, start * LINE_WORDS, (start + lines) * LINE_WORDS)
      runs.push({ start, lines, mark: step })
    }
    if (runs.length > 120) {
      const [run] = runs.splice(next() % runs.length, 1)
      check(run!)
      arena.release(run!.start, run!.lines)
    }
    most = Math.max(most, arena.used)
  }
  for (const run of runs) check(run)
  expect(wrong).toEqual([])
  expect(arena.used).toBe(runs.reduce((sum, { lines }) => sum + lines, 0))
  // Within a step of growing and a quarter of what was ever in use at once.
  expect(arena.words.length / LINE_WORDS).toBeLessThan(most * 1.25 + 65_536)
  for (const { start, lines } of runs) arena.release(start, lines)
  const all = arena.words.length / LINE_WORDS
  expect(arena.allocate(all)).toBe(0)
  expect(arena.words.length / LINE_WORDS).toBe(all)
})
