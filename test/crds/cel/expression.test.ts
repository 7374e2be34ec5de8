import { describe, expect, test } from '@jest/globals'
import { ADMISSION_REQUEST, compileExpression, NAMESPACE, NamedExpressions } from '../../../crds/cel/expression.ts'

/** Messages are those of Kubernetes' admission policies: their compiler, activation and composition. */
const variables = {
  object: 'dyn',
  oldObject: 'dyn',
  params: 'dyn',
  request: ADMISSION_REQUEST,
  namespaceObject: NAMESPACE,
} as const

const bindings = {
  object: {
    metadata: { name: 'a', labels: { 'a.b/c': 'd' } },
    spec: { replicas: 5, ratio: 1.5, list: [1, 'x', null] },
  },
  request: {
    operation: 'CREATE',
    userInfo: { username: 'joe', groups: ['a', 'b'], extra: { k: ['v'] } },
    dryRun: false,
  },
  namespaceObject: { metadata: { name: 'n', labels: { tier: 'one' }, creationTimestamp: '2024-01-02T03:04:05Z' } },
}

function evaluate(source: string, budget?: number) {
  const compilation = compileExpression(source, { variables })
  if (!compilation.ok) throw new Error(compilation.error)
  return compilation.expression.evaluate(bindings, budget)
}

describe('values', () => {
  test.each([
    ['whole numbers are ints', 'object.spec.replicas + 1', 6],
    ['fractions are doubles', 'object.spec.ratio * 2.0', 3],
    ['numbers compare across types', 'object.spec.replicas > 4.5', true],
    ['fields by any name', "object.metadata.labels['a.b/c']", 'd'],
    ['what is not bound is null', 'oldObject == null && params == null', true],
    ['null is a value', 'object.spec.list[2] == null', true],
    ['lists of anything', 'object.spec.list.size()', 3],
    ['fields that are not there can be asked for', 'has(object.spec.nope)', false],
    ['optionals', "object.?spec.?nope.orValue('none')", 'none'],
    ['typed fields', "request.userInfo.groups.exists(g, g == 'b') && !request.dryRun", true],
    ['typed maps', "request.userInfo.extra['k'][0]", 'v'],
    ['typed times', 'namespaceObject.metadata.creationTimestamp.getFullYear()', 2024],
    ['objects come out as they went in', 'object.metadata', bindings.object.metadata],
    ['times come out as texts', "timestamp('2020-01-01T00:00:00Z') + duration('1m')", '2020-01-01T00:01:00Z'],
    ['durations come out as texts', "duration('90s')", '90s'],
    ['bytes come out in base64', "b'abc'", 'YWJj'],
    ['maps and lists', "{'a': [1, 2], 'b': []}", { a: [1, 2], b: [] }],
    ['nothing comes out as null', 'optional.none()', null],
    ['something comes out as itself', 'optional.of(5)', 5],
    ['types come out by name', 'type(1)', 'int'],
    ['unsigned numbers', '7u', 7],
    ['quantities come out as texts where they have one', "string(quantity('1Gi').asInteger())", '1073741824'],
  ])('%s', (_why, source, value) => expect(evaluate(source)).toMatchObject({ ok: true, value }))
})

describe('what does not compile', () => {
  const error = (source: string, result?: 'bool' | readonly ('string' | 'null')[]) => {
    const compilation = compileExpression(source, result === undefined ? { variables } : { variables, result })
    return compilation.ok ? undefined : compilation.error
  }
  test.each([
    ['an unknown name', 'nope', undefined, /^compilation failed: ERROR: <input>:1:1: undeclared reference to 'nope'/],
    ['an unknown field of the request', 'request.nope', undefined, /^compilation failed: .* undefined field 'nope'/],
    ['a syntax error', '1 +', undefined, /^compilation failed: .*Syntax error/],
    ['another type', '1', 'bool', /^must evaluate to bool but got int$/],
    [
      'a time',
      "timestamp('2020-01-01T00:00:00Z')",
      'bool',
      /^must evaluate to bool but got google.protobuf.Timestamp$/,
    ],
    [
      'none of several types',
      '[1]',
      ['string', 'null'],
      /^must evaluate to one of \[string null_type\] but got list\(int\)$/,
    ],
    ['anything that is not known to be a boolean', 'object.spec', 'bool', /^must evaluate to bool but got dyn$/],
  ] as const)('%s', (_why, source, result, expected) => expect(error(source, result)).toMatch(expected))

  test('one of several types', () => expect(error('null', ['string', 'null'])).toBeUndefined())
})

describe('what cannot be evaluated', () => {
  test.each([
    [
      'a missing field',
      'object.spec.nope == 1',
      "expression 'object.spec.nope == 1' resulted in error: no such key: nope",
    ],
    ['a division by zero', '1 / (object.spec.replicas - 5) == 1', /resulted in error: division by zero$/],
    ['unlike types', "object.spec.replicas + 'a' == 'x'", /resulted in error: no such overload/],
    ['a place beyond the end', 'object.spec.list[7] == 1', /resulted in error: index out of bounds: 7$/],
  ])('%s', (_why, source, message) => {
    const outcome = evaluate(source)
    expect(outcome).toMatchObject({ ok: false, exhausted: false })
    expect(outcome.ok ? '' : outcome.error).toMatch(message)
  })

  test('an error beside what decides is none', () => {
    expect(evaluate('object.spec.nope == 1 || object.spec.replicas == 5')).toMatchObject({ ok: true, value: true })
  })

  test('what costs more than it may is stopped', () => {
    const costly = '[1,2,3,4,5].all(a, [1,2,3,4,5].all(b, [1,2,3,4,5].all(c, a + b + c > 0)))'
    const whole = evaluate(costly)
    expect(whole).toMatchObject({ ok: true, value: true })
    expect(evaluate(costly, whole.cost)).toEqual(whole)
    expect(evaluate(costly, whole.cost - 1)).toMatchObject({
      ok: false,
      exhausted: true,
      error: 'validation failed due to running out of cost budget, no further validation rules will be run',
    })
  })
})

describe('named expressions', () => {
  const named = new NamedExpressions(
    [
      { name: 'replicas', expression: 'object.spec.replicas' },
      { name: 'many', expression: 'variables.replicas > 3' },
      { name: 'when', expression: "timestamp('2020-01-01T00:00:00Z')" },
      { name: 'broken', expression: 'nope' },
      { name: 'failing', expression: 'object.spec.nope' },
      { name: 'early', expression: 'variables.late' },
      { name: 'late', expression: '1' },
    ],
    variables,
  )
  const compile = (source: string) => compileExpression(source, { variables, named })
  const run = (source: string) => {
    const compilation = compile(source)
    return compilation.ok ? compilation.expression.evaluate(bindings) : compilation
  }

  test('are used by name, by each other too', () => {
    expect(run("variables.many ? 'many' : 'few'")).toMatchObject({ ok: true, value: 'many' })
  })

  test('keep their type', () => {
    expect(run('variables.when.getFullYear() + 1')).toMatchObject({ ok: true, value: 2021 })
    expect(run('variables.when + 1')).toMatchObject({
      ok: false,
      error: expect.stringContaining('no matching overload'),
    })
  })

  test('tell which do not compile; one may only use those before it', () => {
    expect([...named.errors.keys()]).toEqual(['broken', 'early'])
    expect(run('variables.broken == 1')).toMatchObject({
      error: expect.stringContaining('composited variable "broken" fails to compile: compilation failed'),
    })
    expect(run('variables.nope')).toMatchObject({ error: expect.stringContaining("undefined field 'nope'") })
  })

  test('fail where they are used', () => {
    expect(run('variables.failing == 1')).toMatchObject({
      error: expect.stringContaining('composited variable "failing" fails to evaluate: no such key: nope'),
    })
    expect(run('variables.many || variables.failing == 1')).toMatchObject({ ok: true, value: true })
  })

  test('are evaluated once for one scope, and paid for by the first that asks', () => {
    const compilation = compile('variables.many')
    if (!compilation.ok) throw new Error(compilation.error)
    const scope = named.scope(bindings)
    const [first, second] = [0, 1].map(() => compilation.expression.evaluate(bindings, undefined, scope))
    expect(first).toMatchObject({ ok: true, value: true })
    expect(second!.cost).toBeLessThan(first!.cost)
    expect(compilation.expression.evaluate(bindings)).toEqual(first)
  })
})
