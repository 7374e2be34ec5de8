import { expect, test } from '@jest/globals'
import { formatPrefix, maskWord, newPrefix, type Prefix } from '../../../../reconcilers/steering/address.ts'
import { PrefixTable } from '../../../../reconcilers/steering/client/prefix-table.ts'
import { random } from '../random.ts'

function draw(next: () => number, v6: boolean, into: Prefix): Prefix {
  into.v6 = v6
  into.length = next() % (v6 ? 65 : 33)
  into.words.fill(0)
  for (let w = 0; w < (v6 ? 2 : 1); w++)
    into.words[w] = ((next() & 0x1f0ff) << (next() % 16)) & maskWord(into.length, w)
  return into
}

test.each([
  ['IPv4', false],
  ['IPv6', true],
])('%s: holds what a Map holds, over many growths, and goes through all that stays', (_, v6) => {
  const next = random(v6 ? 16 : 14)
  const table = new PrefixTable(v6)
  const there = new Map<string, number>()
  const prefix = newPrefix()
  let wrong = 0
  const change = (into: Prefix, isFilling: boolean) => {
    const key = formatPrefix(draw(next, v6, into))
    if (next() % 4 < (isFilling ? 3 : 1)) {
      const value = next() % 2 === 0 ? 0xfffffffe : next() >>> 1
      if (table.set(into, value) === there.has(key)) wrong++
      there.set(key, value)
    } else if (table.delete(into) !== there.delete(key)) wrong++
    return key
  }
  const check = () => {
    const met = new Map<string, number>()
    for (const _ of table.prefixes(prefix)) met.set(formatPrefix(prefix), table.get(prefix, prefix.length))
    expect([table.size, wrong]).toEqual([there.size, 0])
    expect([...met].filter(([key, value]) => there.get(key) !== value)).toEqual([])
    expect(met.size).toBe(there.size)
  }
  let most = 0
  for (const isFilling of [true, false, true]) {
    for (let step = 0; step < 8000; step++) change(prefix, isFilling)
    most = Math.max(most, there.size)
    check()
    // Prefixes come and go while somebody goes through them.
    const missed = new Set(there.keys())
    const other = newPrefix()
    for (const _ of table.prefixes(prefix)) {
      missed.delete(formatPrefix(prefix))
      missed.delete(change(other, isFilling))
    }
    expect([...missed]).toEqual([])
    check()
  }
  // From 64 buckets on: six rounds of splits.
  expect(most).toBeGreaterThan(4096)
  for (let i = 0; i < 2000; i++) {
    if (table.get(draw(next, v6, prefix), prefix.length) !== (there.get(formatPrefix(prefix)) ?? -1)) wrong++
  }
  expect(wrong).toBe(0)
})
