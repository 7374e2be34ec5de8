import { describe, expect, test } from '@jest/globals'
import { answers, type ExpressionAnswer, type ExpressionFile, load, runtimeCosts } from './corpus.ts'
import { ourExpressionAnswer, runtimeCost } from './ours.ts'

/** Every expression that Kubernetes was asked about compiles, costs, and holds or fails as it did there. */
for (const file of load<ExpressionFile>('expressions')) {
  describe(`${file.name}: ${file.why}`, () => {
    const recorded = answers<ExpressionAnswer>('expressions', file.name)
    test('each expression has an answer', () => expect(recorded).toHaveLength(file.expressions.length))
    test.each(file.expressions.map((one, i) => [one, recorded[i]] as const))('%s', (expression, answer) => {
      expect(ourExpressionAnswer(file, expression, answer?.cost?.times)).toEqual(answer)
    })
    const expected = runtimeCosts(file.name)
    if (!expected) return
    test('what they cost when they run is what cel-go counts', () => {
      const ours = Object.keys(expected).map((expression) => [expression, runtimeCost(file, expression)])
      expect(Object.fromEntries(ours)).toEqual(expected)
    })
  })
}
