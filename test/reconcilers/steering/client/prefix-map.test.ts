import { describe, expect, test } from '@jest/globals'
import { formatPrefix, maskWord, newAddress, newPrefix, type Prefix } from '../../../../reconcilers/steering/address.ts'
import { PrefixMap } from '../../../../reconcilers/steering/client/prefix-map.ts'
import { contains } from '../../../../reconcilers/steering/networks.ts'
import { random } from '../random.ts'

/** Few first bits and all lengths: prefixes that lie in each other in every way. */
function somePrefix(next: () => number, v6: boolean): Prefix {
  const prefix = { ...newPrefix(), v6 }
  const bits = v6 ? 128 : 32
  prefix.length = next() % 4 === 0 ? next() % (bits + 1) : Math.min(bits, 14 + (next() % 12))
  for (let w = 0; w < (v6 ? 4 : 1); w++) {
    const word = w === 0 ? 0x0a000000 | (next() & 0x00030103) : next() & 0xc0000003
    prefix.words[w] = (word & maskWord(prefix.length, w)) >>> 0
  }
  return prefix
}

describe.each([
  [false, 4],
  [true, 4],
  // So many that every /16 has its place.
  [false, 70_000],
])('IPv6 %s, room for %d', (v6, room) => {
  test('finds what looking through all prefixes finds, while they come and go', () => {
    const next = random(v6 ? 6 : 4)
    const map = new PrefixMap(room)
    const there = new Map<string, { readonly prefix: Prefix; value: number }>()
    const address = newAddress()
    let found = 0
    for (let step = 0; step < 6_000; step++) {
      const prefix = somePrefix(next, v6)
      const key = formatPrefix(prefix)
      if (next() % 5 < (step < 4_000 ? 3 : 1)) {
        map.set(prefix, step)
        there.set(key, { prefix, value: step })
      } else {
        const known = [...there.values()]
        const victim = next() % 2 === 0 && known.length > 0 ? known[next() % known.length]!.prefix : prefix
        expect(map.delete(victim)).toBe(there.delete(formatPrefix(victim)))
      }
      expect(map.size).toBe(there.size)
      for (let probe = 0; probe < 3; probe++) {
        const near = somePrefix(next, v6)
        address.v6 = v6
        address.words.set(near.words)
        let best: { readonly prefix: Prefix; value: number } | undefined
        for (const one of there.values()) {
          if (contains(one.prefix, address) && (!best || one.prefix.length > best.prefix.length)) best = one
        }
        expect(map.find(address)).toBe(best?.value ?? -1)
        if (best) found++
      }
    }
    expect(found).toBeGreaterThan(1_000)
    for (const { prefix } of [...there.values()]) expect(map.delete(prefix)).toBe(true)
    expect([map.size, map.find(address)]).toEqual([0, -1])
  })
})

test('grows from little room to many pages of memory, and keeps what it holds', () => {
  const map = new PrefixMap(1)
  const prefix = { ...newPrefix(), length: 24 }
  let wrong = 0
  for (let i = 0; i < 12_000; i++) {
    prefix.words[0] = ((i << 16) | ((i % 256) << 8)) >>> 0
    map.set(prefix, i)
    // What was there before is found at once after any growth.
    const earlier = Math.floor(i / 2)
    prefix.words[0] = ((earlier << 16) | ((earlier % 256) << 8) | 7) >>> 0
    if (map.find(prefix) !== earlier) wrong++
  }
  expect([map.size, wrong]).toEqual([12_000, 0])
})

test('a number is of its family', () => {
  const map = new PrefixMap()
  map.set({ ...newPrefix(), length: 0 }, 4)
  expect(map.find({ ...newAddress(), v6: true })).toBe(-1)
  expect(map.find(newAddress())).toBe(4)
  expect(map.get({ ...newPrefix(), length: 0 })).toBe(4)
})
