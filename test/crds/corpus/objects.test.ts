import { describe, expect, test } from '@jest/globals'
import { type Answer, answers, load, type ObjectFile } from './corpus.ts'
import { ourAnswer } from './ours.ts'

/** Every object that Kubernetes was asked about is answered as Kubernetes answered. */
for (const file of load<ObjectFile>('objects')) {
  describe(`${file.name}: ${file.why}`, () => {
    const recorded = answers<Answer>('objects', file.name)
    test('each case has an answer', () => expect(recorded).toHaveLength(file.cases.length))
    test.each(file.cases.map((one, i) => [one.why, one, recorded[i]] as const))('%s', (_why, one, answer) => {
      expect(ourAnswer(file, one)).toEqual(answer)
    })
  })
}
