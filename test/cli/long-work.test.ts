import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, jest, test } from '@jest/globals'
import { endedBySignals, Pauses } from '../../cli/long-work.ts'
import { start } from './harness.ts'

jest.setTimeout(120_000)

const site = (name: string, indent: string) =>
  [
    'apiVersion: fleet.weir.dev/v1alpha1',
    'kind: Site',
    `metadata: {name: ${name}, namespace: isp}`,
    'spec:',
    '  country: DE',
    '  metro: fra',
    '  fillWindows: [{start: "01:00", end: "05:00", maxGbps: 4}]',
  ]
    .map((line, i) => `${i === 0 ? indent.replace(/ {2}$/, '- ') : indent}${line}\n`)
    .join('')
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('Ctrl-C while manifests are read ends it within a second', () => {
  test.each<[string, () => string]>([
    [
      'many documents',
      () =>
        numbers(40_000)
          .map((i) => site(`s${i}`, ''))
          .join('---\n'),
    ],
    [
      'one plain document',
      () =>
        `apiVersion: v1\nkind: List\nitems:\n${numbers(60_000)
          .map((i) => site(`s${i}`, '    '))
          .join('')}`,
    ],
    [
      'one document that must be read with care',
      () =>
        `apiVersion: v1\nkind: &list List\nitems:\n${numbers(17_000)
          .map((i) => site(`s${i}`, '    '))
          .join('')}`,
    ],
  ])('%s', async (_what, text) => {
    const child = start(['validate', '-f', '-'], { input: '' })
    let stdout = ''
    child.stdout!.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
    })
    // Once all is written, all but what a pipe holds has been read.
    await new Promise<void>((resolve) => child.stdin!.end(text(), () => resolve()))
    // It is in the middle of it then, or has not begun, or paused: all the same.
    await delay(150)
    const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
    const pressed = performance.now()
    child.kill('SIGINT')
    const [code, signal] = await ended
    const afterMs = performance.now() - pressed
    // A shell says 130 of either.
    expect([
      [130, null],
      [null, 'SIGINT'],
    ]).toContainEqual([code, signal])
    expect(stdout).toBe('')
    // A fraction of a second, where there is nothing else to do.
    expect(afterMs).toBeLessThan(4000)
  })
})

test('while nobody listens to signals, they have no listeners; then the same as before', async () => {
  const listener = () => {}
  process.on('SIGINT', listener)
  try {
    const before = process.listeners('SIGINT')
    expect(await endedBySignals(undefined, () => process.listenerCount('SIGINT'))).toBe(0)
    const wrong = endedBySignals(undefined, () => {
      throw new Error('wrong')
    })
    await expect(wrong).rejects.toThrow('wrong')
    await expect(endedBySignals(AbortSignal.abort(), () => 1)).rejects.toMatchObject({ code: 130 })
    expect(process.listeners('SIGINT')).toEqual(before)
  } finally {
    process.removeListener('SIGINT', listener)
  }
})

test('pauses are due now and then, and end what was interrupted', async () => {
  const pauses = new Pauses(AbortSignal.abort())
  expect(pauses.areDue).toBe(false)
  await expect(pauses.take()).rejects.toMatchObject({ code: 130 })
})
