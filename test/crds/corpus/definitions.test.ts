import { describe, expect, test } from '@jest/globals'
import { type Answer, answers, type DefinitionFile, load } from './corpus.ts'
import { ourDefinitionAnswer } from './ours.ts'

/** Every definition that Kubernetes was asked about is answered as Kubernetes answered. */
for (const file of load<DefinitionFile>('definitions')) {
  describe(`${file.name}: ${file.why}`, () => {
    const recorded = answers<Answer>('definitions', file.name)
    test('each case has an answer', () => expect(recorded).toHaveLength(file.cases.length))
    test.each(file.cases.map((one, i) => [one.why, one, recorded[i]] as const))('%s', (_why, one, answer) => {
      expect(ourDefinitionAnswer(one)).toEqual(answer)
    })
  })
}
