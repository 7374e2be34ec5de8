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
