import { describe, expect, test } from '@jest/globals'
import { compileRe2 } from '../../../crds/validation/re2.ts'

/** A pattern's first match in a text; null for none. */
function find(pattern: string, text: string): string | null {
  const compiled = compileRe2(pattern)
  if (!compiled.ok) throw new Error(compiled.error)
  return compiled.regexp.exec(text)?.[0] ?? null
}

describe('matches as RE2 does', () => {
  test.each([
    ['the end of the text, not before a newline', 'a$', 'a\n', null],
    ['every line, where asked', '(?m)^b$', 'a\nb\nc', 'b'],
    ['a dot is no newline', 'a.b', 'a\nb', null],
    ['a dot is a newline, where asked', '(?s)a.b', 'a\nb', 'a\nb'],
    ['a dot is one character, not half of one', '^.$', '😀', '😀'],
    ['upper and lower case alike', '(?i)straSSe', 'STRASSE', 'STRASSE'],
    ['flags for a part', 'a(?i:b)c', 'aBc', 'aBc'],
    ['flags for a part end there', 'a(?i:b)c', 'aBC', null],
    ['flags until the end of a group', '(a(?i)b)c', 'aBc', 'aBc'],
    ['flags turned off', '(?i)a(?-i)b', 'AB', null],
    ['as little as needed', 'a+?', 'aaa', 'a'],
    ['greed and thrift swapped', '(?U)a+', 'aaa', 'a'],
    ['names of Perl', '^\\d\\s\\w$', '1 a', '1 a'],
    ['digits are those of ASCII', '\\d', '٣', null],
    ['word boundaries are those of ASCII', '\\bé', 'é', null],
    ['classes of POSIX', '^[[:alpha:]]+$', 'abC', 'abC'],
    ['negated classes of POSIX', '^[[:^digit:]]+$', 'a1', null],
    ['scripts', '^\\p{Greek}+$', 'αβγ', 'αβγ'],
    ['categories of one letter', '^\\pL\\PL$', 'a1', 'a1'],
    ['negated categories within classes', '^[\\P{Lu}]$', 'a', 'a'],
    ['a bracket first in a class is itself', '[]a]+', ']a]', ']a]'],
    ['a dash last in a class is itself', '[a-]+', 'a-a', 'a-a'],
    ['literal text', '\\Qa.b\\E+', 'a.bbb', 'a.bbb'],
    ['literal text that is empty', 'a\\Q\\E+', 'aa', 'aa'],
    ['literal text that does not end', '\\Qa)', 'a)', 'a)'],
    ['a repetition after flags is of what came before', 'a(?i)+B', 'aab', 'aab'],
    ['a repetition after flags may repeat a repetition', 'a*(?i)*', 'aa', 'aa'],
    ['no flags at all', '(?)a', 'a', 'a'],
    ['the whole text', '\\Aab\\z', 'ab', 'ab'],
    ['numbers in octal and hex', '\\x41\\x{1F600}\\101', 'A😀A', 'A😀A'],
    ['the bell', '\\a', '\x07', '\x07'],
    ['counts', '^a{2,3}$', 'aaaa', null],
    ['what is no count is itself', 'a{,2}', 'a{,2}', 'a{,2}'],
    ['a brace alone is itself', 'a{', 'a{', 'a{'],
    ['names of groups, even twice', '(?P<x>a)(?<x>b)', 'ab', 'ab'],
    ['empty alternatives', 'a(|b)c', 'ac', 'ac'],
  ])('%s', (_why, pattern, text, found) => expect(find(pattern, text)).toBe(found))
})

describe('refuses what RE2 refuses, in its words', () => {
  test.each([
    ['an open group', '(a', 'missing closing ): `(a`'],
    ['a closing one too many', 'a)', 'unexpected ): `a)`'],
    ['an open class', '[a', 'missing closing ]: `[a`'],
    ['a range the wrong way', '[b-a]', 'invalid character class range: `b-a`'],
    ['nothing to repeat', '*a', 'missing argument to repetition operator: `*`'],
    ['repeating a repetition', 'a**', 'invalid nested repetition operator: `**`'],
    ['counts the wrong way', 'a{3,2}', 'invalid repeat count: `{3,2}`'],
    ['counts too large', 'a{1001}', 'invalid repeat count: `{1001}`'],
    ['looking ahead', 'a(?=b)', 'invalid or unsupported Perl syntax: `(?=`'],
    ['looking back', '(?<=a)b', 'invalid named capture: `(?<=a)b`'],
    ['references to groups', '(a)\\1', 'invalid escape sequence: `\\1`'],
    ['unknown escapes', '\\j', 'invalid escape sequence: `\\j`'],
    ['flags repeated', '(?i){2}', 'missing argument to repetition operator: `{2}`'],
    ['hex that is none', '\\xg1', 'invalid escape sequence: `\\xg1`'],
    ['hex in braces that is none', '\\x{1,3}', 'invalid escape sequence: `\\x{1,`'],
    ['a backslash at the end', 'a\\', 'trailing backslash at end of expression: ``'],
    ['unknown scripts', '\\p{Nope}', 'invalid character class range: `\\p{Nope}`'],
    ['unknown names of POSIX', '[[:nope:]]', 'invalid character class range: `[:nope:]`'],
    ['names that are none', '(?P<a-b>x)', 'invalid named capture: `(?P<a-b>`'],
  ])('%s', (_why, pattern, error) => {
    expect(compileRe2(pattern)).toEqual({ ok: false, error: `error parsing regexp: ${error}` })
  })
})

test('a pattern is compiled once', () => {
  const [first, second] = [compileRe2('^once$'), compileRe2('^once$')]
  expect(first).toBe(second)
})
