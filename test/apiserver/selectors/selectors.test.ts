import { describe, expect, test } from '@jest/globals'
import { fieldsMatch, parseFieldSelector } from '../../../apiserver/selectors/field-selector.ts'
import { parseLabelSelector, SelectorError } from '../../../apiserver/selectors/label-selector.ts'

describe('label selectors', () => {
  const labels = { tier: 'web', n: '5', 'example.com/on': '' }
  test.each<[string, boolean]>([
    ['', true],
    ['tier=web', true],
    ['tier==web', true],
    [' tier = web , n = 5 ', true],
    ['tier!=web', false],
    ['other!=web', true],
    ['tier in (web, db)', true],
    ['tier in (db)', false],
    ['tier notin (db)', true],
    ['other notin (db)', true],
    ['tier', true],
    ['other', false],
    ['!other', true],
    ['! tier', false],
    ['n>4', true],
    ['n>5', false],
    ['n<10', true],
    ['tier>1', false],
    ['other>1', false],
    ['example.com/on', true],
    ['example.com/on=', true],
    ['example.com/on in ()', true],
    ['tier in (,web)', true],
  ])('%j matches: %s', (text, matches) => {
    expect(parseLabelSelector(text).matches(labels)).toBe(matches)
  })

  test.each([
    'a=b=c',
    'a in b',
    'a in (b',
    ',a',
    'a,',
    'a b',
    '=a',
    'a>b',
    '!a=b',
    'a notin',
    '-bad',
    'a=-bad',
    'a/b/c',
    `a=${'x'.repeat(64)}`,
    '(a)',
  ])('%j is none', (text) => {
    expect(() => parseLabelSelector(text)).toThrow(SelectorError)
  })

  test('the same selector written otherwise has the same source', () => {
    expect(parseLabelSelector('a in (x,y),b').source).toBe(parseLabelSelector('b,a in (y, x)').source)
  })

  test('objects without labels', () => {
    expect(parseLabelSelector('a').matches(undefined)).toBe(false)
    expect(parseLabelSelector('!constructor').matches({})).toBe(true)
  })
})

describe('field selectors', () => {
  const fields: Record<string, string> = { a: '1', b: 'x,y=z' }
  const read = (field: string) => fields[field] ?? ''
  test.each<[string, boolean]>([
    ['', true],
    ['a=1', true],
    ['a==1,b!=x', true],
    ['a!=1', false],
    ['c=', true],
    [String.raw`b=x\,y\=z`, true],
  ])('%j matches: %s', (text, matches) => {
    expect(fieldsMatch(parseFieldSelector(text), read)).toBe(matches)
  })

  test.each(['a', String.raw`a=\x`, 'a=1=2'])('%j is none', (text) => {
    expect(() => parseFieldSelector(text)).toThrow(SelectorError)
  })
})
