import { describe, expect, test } from '@jest/globals'
import type { JsonValue } from '../../../crds/metadata.ts'
import { goFloat, goJson, goNumber, goQuote } from '../../../crds/validation/go-format.ts'

describe('%q', () => {
  test.each([
    ['plain text', 'abc', '"abc"'],
    ['nothing', '', '""'],
    ['quotes and backslashes', 'a"b\\c', '"a\\"b\\\\c"'],
    ['control characters with a letter of their own', '\x07\b\f\n\r\t\v', '"\\a\\b\\f\\n\\r\\t\\v"'],
    ['other control characters', '\x00\x1f\x7f', '"\\x00\\x1f\\x7f"'],
    ['letters of any script are printed', 'é日本😀', '"é日本😀"'],
    ['spaces but the plain one are not', '\u00a0\u2003', '"\\u00a0\\u2003"'],
    ['what is above the first plane and not printable', '\u{e0001}', '"\\U000e0001"'],
    ['half a pair', '\ud800', '"\\ufffd"'],
    ['what HTML escapes stays', '<&>', '"<&>"'],
  ])('%s', (_why, text, quoted) => expect(goQuote(text)).toBe(quoted))
})

describe('%v of numbers', () => {
  test.each([
    ['zero', 0, '0', '0'],
    ['minus zero', -0, '-0', '0'],
    ['a small whole number', 12, '12', '12'],
    ['the last one without an exponent', 999_999, '999999', '999999'],
    ['the first one with an exponent, where it is a float', 1_000_000, '1e+06', '1000000'],
    ['more digits', 12_345_678, '1.2345678e+07', '12345678'],
    ['a fraction', 1.5, '1.5', '1.5'],
    ['a small fraction', 0.0001, '0.0001', '0.0001'],
    ['a smaller fraction has an exponent', 0.00001, '1e-05', '1e-05'],
    ['a negative fraction', -2.5e-7, '-2.5e-07', '-2.5e-07'],
    ['too large for an integer', 1e21, '1e+21', '1e+21'],
    ['an exponent of three digits', 1e100, '1e+100', '1e+100'],
    ['the fewest digits that tell it', 0.1 + 0.2, '0.30000000000000004', '0.30000000000000004'],
  ])('%s', (_why, value, float, number) => {
    expect(goFloat(value)).toBe(float)
    expect(goNumber(value)).toBe(number)
  })

  test('what is no number', () =>
    expect([Number.NaN, Infinity, -Infinity].map(goFloat)).toEqual(['NaN', '+Inf', '-Inf']))
})

describe('JSON', () => {
  const cases: readonly (readonly [string, JsonValue, string])[] = [
    ['keys are sorted by code unit', { b: 1, a: 2, B: 3, é: 4 }, '{"B":3,"a":2,"b":1,"é":4}'],
    ['what HTML escapes is escaped', '<a>&\u2028', '"\\u003ca\\u003e\\u0026\\u2028"'],
    ['absent fields are left out', { a: undefined, b: null } as unknown as JsonValue, '{"b":null}'],
    ['nested', [1, 'a', [true, null], {}], '[1,"a",[true,null],{}]'],
  ]
  test.each(cases)('%s', (_why, value, text) => expect(goJson(value)).toBe(text))
})
