import { expect, test } from '@jest/globals'
import { FillQueue } from '../../../agent/content/fill-queue.ts'

const files = (names: string) => [...names].map((sha256) => ({ sha256, size: 1, names: [] }))
const always = () => true

/** Takes until there is none; what was taken is worked on from then on. */
function takeAll(queue: FillQueue, nowMs: number, isIdle: (sha256: string) => boolean = always): string {
  let taken = ''
  const isFree = (sha256: string) => !taken.includes(sha256) && isIdle(sha256)
  for (let next = queue.take(nowMs, isFree); next !== undefined; next = queue.take(nowMs, isFree)) taken += next
  return taken
}

test('first what was put first, then what is due, then the rest in order', () => {
  const queue = new FillQueue()
  queue.reset(files('abcdef'), always)
  queue.wait('e', 100)
  queue.wait('b', 200)
  queue.putFirst('x')
  queue.putFirst('y')
  queue.putFirst('z', true)
  expect(queue.dueMs).toBe(100)
  expect(takeAll(queue, 150)).toBe('zxyeacdf')
  expect(takeAll(queue, 199)).toBe('')
  expect(takeAll(queue, 200)).toBe('b')
  expect(queue.dueMs).toBe(Number.POSITIVE_INFINITY)
})

test('what somebody works on is passed over', () => {
  const queue = new FillQueue()
  queue.reset(files('abc'), always)
  queue.putFirst('b')
  expect(takeAll(queue, 0, (sha256) => sha256 !== 'b')).toBe('ac')
})

test('a new order forgets what was put first, and those that wait unless they are wanted still', () => {
  const queue = new FillQueue()
  queue.reset(files('abc'), always)
  queue.putFirst('c')
  queue.wait('a', 100)
  queue.wait('b', 100)
  queue.reset(files('adb'), (sha256) => sha256 !== 'b')
  expect(takeAll(queue, 0)).toBe('db')
  expect(takeAll(queue, 100)).toBe('a')
})
