import { expect, test } from '@jest/globals'
import { execute } from '../../../cli/apply/execute.ts'
import { ApiError, ConnectError, TimeoutError } from '../../../runtime/errors.ts'

const never = new AbortController().signal

function run(
  waves: readonly (readonly string[])[],
  send: (item: string, signal: AbortSignal) => Promise<string>,
  interrupted = never,
  concurrency = 2,
) {
  const told: string[] = []
  const onDone = async (item: string, result: string) => {
    told.push(`${item}=${result}`)
  }
  return execute(waves, { concurrency, interrupted, send, onDone }).then((execution) => ({ ...execution, told }))
}

test('tells of what is done in the order of the items, whatever is done first, and keeps waves apart', async () => {
  const open = new Map<string, () => void>()
  const begun: string[] = []
  const done = run([['a', 'b'], ['c']], async (item) => {
    begun.push(item)
    await new Promise<void>((resolve) => open.set(item, resolve))
    return 'ok'
  })
  await Promise.resolve()
  open.get('b')!()
  await new Promise((resolve) => setImmediate(resolve))
  expect(begun).toEqual(['a', 'b'])
  open.get('a')!()
  await new Promise((resolve) => setImmediate(resolve))
  open.get('c')!()
  expect(await done).toMatchObject({ done: ['a', 'b', 'c'], pending: [], unknown: [], told: ['a=ok', 'b=ok', 'c=ok'] })
})

test.each<[string, unknown, string[], string[]]>([
  ['a refusal is an answer: it was not done', new ApiError('PATCH', { code: 403 }, 403), ['b', 'c', 'd'], []],
  [
    'a connection that breaks may have carried it out',
    new ConnectError('http://x', new Error('reset'), true),
    ['c', 'd'],
    ['b'],
  ],
  [
    'a connection that was never made has not',
    new ConnectError('http://x', new Error('refused'), false),
    ['b', 'c', 'd'],
    [],
  ],
  ['no answer in time is none', new TimeoutError('PATCH', 1), ['c', 'd'], ['b']],
])('%s', async (_, error, pending, unknown) => {
  const execution = await run(
    [['a', 'b', 'c'], ['d']],
    async (item) => {
      if (item === 'b') throw error
      return 'ok'
    },
    never,
    1,
  )
  expect(execution).toMatchObject({ done: ['a'], pending, unknown, failure: { item: 'b', error }, told: ['a=ok'] })
})

test('once interrupted it begins nothing, and what is under way is done', async () => {
  const controller = new AbortController()
  const execution = await run(
    [['a', 'b', 'c', 'd']],
    async (item) => {
      if (item === 'b') controller.abort()
      await new Promise((resolve) => setImmediate(resolve))
      return 'ok'
    },
    controller.signal,
  )
  expect(execution).toMatchObject({ done: ['a', 'b'], pending: ['c', 'd'], unknown: [], failure: undefined })
})
