import { describe, expect, test } from '@jest/globals'
import { escapeName, unescapeName } from '../../../crds/cel/check/escaping.ts'

describe('names of fields as expressions write them', () => {
  test.each([
    ['a plain name stays', 'aB_1', 'aB_1'],
    ['a dash', 'a-b', 'a__dash__b'],
    ['a dot', 'a.b', 'a__dot__b'],
    ['a slash', 'a/b', 'a__slash__b'],
    ['two underscores', 'a__b', 'a__underscores__b'],
    ['three underscores', 'a___b', 'a__underscores___b'],
    ['a reserved word', 'namespace', '__namespace__'],
    ['a reserved word within a name stays', 'namespaces', 'namespaces'],
    ['all at once', '_a.b/c-d__e', '_a__dot__b__slash__c__dash__d__underscores__e'],
  ])('%s', (_why, name, escaped) => {
    expect(escapeName(name)).toBe(escaped)
    expect(unescapeName(escaped)).toBe(name)
  })

  test.each([
    ['a digit first', '1a'],
    ['a space', 'a b'],
    ['a dollar', '$a'],
    ['a letter beyond ASCII', 'é'],
    ['nothing', ''],
  ])('cannot be written: %s', (_why, name) => expect(escapeName(name)).toBeUndefined())

  test.each([
    ['an unknown spelling', 'a__plus__b'],
    ['a reserved word within a name', 'a__namespace__'],
  ])('mean no field: %s', (_why, escaped) => expect(unescapeName(escaped)).toBeUndefined())
})
