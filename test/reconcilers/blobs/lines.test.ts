import { expect, test } from '@jest/globals'
import { countLines, linesOf } from '../../../reconcilers/blobs/lines.ts'

const MIB = 1 << 20
const long = 'é'.repeat(MIB)

test.each([
  ['nothing', '', []],
  ['one line without its newline', 'a', ['a']],
  ['empty lines', '\n\na\n', ['', '', 'a']],
  ['a line longer than what is decoded at a time', `a\n${long}\nb\n`, ['a', long, 'b']],
  ['a last line like that', `a\n${long}`, ['a', long]],
  ['many blocks', `${'0123456789\n'.repeat(300_000)}x`, [...Array(300_000).fill('0123456789'), 'x']],
])('%s', (_, text, lines) => {
  const bytes = new TextEncoder().encode(text)
  const found = [...linesOf(bytes)]
  expect(found.length).toBe(lines.length)
  expect(found.every((line, i) => line === lines[i])).toBe(true)
  expect(countLines(bytes)).toBe(lines.length)
})
