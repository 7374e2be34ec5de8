import { expect, test } from '@jest/globals'
import { globMatcher } from '../../../reconcilers/placement/glob.ts'

const cases: [reason: string, glob: string, path: string, matches: boolean][] = [
  ['a plain path is itself', 'a/b.txt', 'a/b.txt', true],
  ['a dot is a dot', 'a.b', 'axb', false],
  ['* stays within a segment', 'a/*', 'a/b', true],
  ['* does not cross segments', 'a/*', 'a/b/c', false],
  ['** crosses segments', 'a/**', 'a/b/c', true],
  ['**/ also matches no folder at all', '**/x.ts', 'x.ts', true],
  ['**/ matches folders', '**/x.ts', 'a/b/x.ts', true],
  ['**/ does not match half a name', '**/x.ts', 'a/bx.ts', false],
  ['? is one character', 'a?c', 'abc', true],
  ['? is one character beyond the BMP', 'a?c', 'a😀c', true],
  ['? is no slash', 'a?c', 'a/c', false],
  ['brackets and braces are themselves', 'a[1]{2}(3)', 'a[1]{2}(3)', true],
  ['a newline in a name is a character', 'a*', 'a\nb', true],
]

test.each(cases)('%s', (_reason, glob, path, matches) => {
  expect(globMatcher(glob)(path)).toBe(matches)
})

/** Globs and paths of few characters, so that they often match; the expression is what globs of few wildcards go by. */
test('many wildcards match what few would, put together', () => {
  const parts = ['a', '/', 'b', '*', '**', '**/', '?', 'ab', '.']
  const letters = ['a', 'b', '/', '.', 'ab', 'a/b']
  let [seed, matched] = [7, 0]
  const next = (n: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
    return (seed >>> 8) % n
  }
  const some = (from: readonly string[], n: number) => Array.from({ length: n }, () => from[next(from.length)]).join('')
  for (let i = 0; i < 20_000; i++) {
    const glob = some(parts, 1 + next(6))
    const path = some(letters, next(6))
    const pattern = glob.replace(/\*\*\/|\*\*|[\s\S]/gu, (token) =>
      token === '**/'
        ? '(?:.*/)?'
        : token === '**'
          ? '.*'
          : token === '*'
            ? '[^/]*'
            : token === '?'
              ? '[^/]'
              : token === '.'
                ? '\\.'
                : token,
    )
    const expected = new RegExp(`^${pattern}$`, 'su').test(path)
    if (expected) matched++
    expect([glob, path, globMatcher(glob)(path)]).toEqual([glob, path, expected])
  }
  expect(matched).toBeGreaterThan(1000)
})

test('a glob that an expression would try for ever is done at once', () => {
  const hard = globMatcher('**a**a**a**a**a**a**a**a**b')
  expect(hard('a'.repeat(4096))).toBe(false)
  expect(hard(`${'a'.repeat(4096)}b`)).toBe(true)
})
