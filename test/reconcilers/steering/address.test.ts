import { isIP } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import {
  formatAddress,
  formatPrefix,
  newAddress,
  newPrefix,
  parseAddress,
  parsePrefix,
} from '../../../reconcilers/steering/address.ts'
import { random } from './random.ts'

describe('addresses', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['fe80::1:0:0', 'fe80::1:0:0'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
  ])('%s is read, and written as %s', (text, written) => {
    const address = newAddress()
    expect(parseAddress(text, address)).toBe(true)
    expect(formatAddress(address)).toBe(written)
  })

  test('every text is an address exactly when Node says so, zones and IPv4 in the middle aside', () => {
    const next = random(1)
    const parts = [
      '0',
      '1',
      '00',
      '01',
      '255',
      '256',
      'ffff',
      '12345',
      '.',
      '.',
      '.',
      ':',
      ':',
      ':',
      '::',
      'g',
      ' ',
      '-',
      '%',
    ]
    const address = newAddress()
    let addresses = 0
    for (let i = 0; i < 20_000; i++) {
      const made =
        i % 2 === 0
          ? Array.from({ length: 1 + (next() % 9) }, () => parts[next() % parts.length]).join('')
          : mutate(next() % 2 ? '192.0.2.17' : '2001:db8::1:c0a8:5', parts, next)
      const expected = isIP(made) > 0 && !made.includes('%')
      expect([made, parseAddress(made, address)]).toEqual([made, expected])
      if (expected) addresses++
    }
    expect(addresses).toBeGreaterThan(100)
  })
})

function mutate(text: string, parts: readonly string[], next: () => number): string {
  const at = next() % text.length
  return text.slice(0, at) + parts[next() % parts.length] + text.slice(at + (next() % 3))
}

describe('prefixes', () => {
  test.each(['0.0.0.0/0', '10.0.0.0/8', '192.0.2.1/32', '::/0', '2001:db8::/33', '2001:db8:8000::/33'])(
    '%s',
    (text) => {
      const prefix = newPrefix()
      expect(parsePrefix(text, prefix)).toBeUndefined()
      expect(formatPrefix(prefix)).toBe(text)
    },
  )

  test.each([
    ['192.0.2.1', '192.0.2.1/32', undefined],
    ['2001:db8::1', '2001:db8::1/128', undefined],
    ['::ffff:192.0.2.0/120', '192.0.2.0/24', undefined],
    ['192.0.2.1/24', '', 'has bits set beyond its length'],
    ['192.0.2.0/33', '', 'is no prefix length from 0 to 32'],
    ['192.0.2.0/', '', 'is no prefix length from 0 to 32'],
    ['192.0.2.0/024', '', 'is no prefix length'],
    ['192.0.2.0/-1', '', 'is no prefix length'],
    ['2001:db8::/129', '', 'is no prefix length from 0 to 128'],
    ['nonsense/8', '', 'is no IP address'],
    ['', '', 'is no IP address'],
  ])('%s', (text, written, problem) => {
    const prefix = newPrefix()
    if (problem) expect(parsePrefix(text, prefix)).toContain(problem)
    else {
      expect(parsePrefix(text, prefix)).toBeUndefined()
      expect(formatPrefix(prefix)).toBe(written)
    }
  })
})
