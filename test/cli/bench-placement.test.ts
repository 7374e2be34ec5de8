import { expect, test } from '@jest/globals'
import { weir } from './harness.ts'

interface Row {
  readonly method: string
  readonly ofBound: number
}

test('weir bench placement: the solver is near its bound and above the other ways; the exact optimum is between', async () => {
  const args = ['bench', 'placement', '--files', '300', '--appliances', '14', '--workers', '1', '--exact', '-o', 'json']
  const { code, stdout } = await weir(args)
  expect(code).toBe(0)
  const { rows } = JSON.parse(stdout) as { rows: readonly Row[] }
  const of = (method: string) => rows.find((row) => row.method === method)!.ofBound
  expect(of('exact linear program')).toBeLessThanOrEqual(1)
  expect(of('exact linear program')).toBeGreaterThan(0.998)
  for (const method of ['uniform hashing', 'bounded-load hashing', 'popularity cut-offs', 'LRU, simulated'])
    expect(of(method)).toBeLessThan(of('weir'))
})
