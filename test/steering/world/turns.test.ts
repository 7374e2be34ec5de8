import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { Turns } from '../../../steering/world/turns.ts'

test('each has a turn of the event loop for itself, in the order in which they came', async () => {
  const turns = new Turns()
  const began: (readonly [who: number, turn: number])[] = []
  let count = 0
  const all = Promise.all([0, 1, 2, 3].map((who) => turns.next().then(() => began.push([who, count]))))
  while (began.length < 4) {
    await turn()
    count++
  }
  await all
  expect(began.map(([who]) => who)).toEqual([0, 1, 2, 3])
  expect(new Set(began.map(([, at]) => at)).size).toBe(4)
})
