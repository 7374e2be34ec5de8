import { expect, test } from '@jest/globals'
import { HttpProblem, problemBody } from '../../../steering/http/problem.ts'
import { askOfBody, askOfQuery } from '../../../steering/http/read-ask.ts'

function problemOf(read: () => unknown): HttpProblem {
  try {
    read()
  } catch (error) {
    if (error instanceof HttpProblem) return error
    throw error
  }
  throw new Error('nothing was refused')
}

test.each([
  ['a body of fields that are not known', () => askOfBody(`{${Array.from({ length: 6000 }, (_, i) => `"x${i}":0`)}}`)],
  ['a query of parameters that are empty', () => askOfQuery('a&'.repeat(4000))],
])('an answer is not many times as long as what was wrong: %s', (_, read) => {
  const problem = problemOf(read)
  expect(problem.status).toBe(400)
  expect(problem.faults).toHaveLength(20)
  expect(problemBody(problem).length).toBeLessThan(10_000)
})
