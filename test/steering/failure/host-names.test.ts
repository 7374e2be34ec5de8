import type { LookupAddress, lookup } from 'node:dns'
import { expect, test } from '@jest/globals'
import { HostNames } from '../../../steering/failure/host-names.ts'

const address = (text: string): LookupAddress => ({ address: text, family: 4 })

/** A resolver that answers when it is told to. */
function resolver() {
  const asked: { host: string; answer: (error: string | null, ...addresses: string[]) => void }[] = []
  const ask = ((host: string, _: object, callback: (error: Error | null, addresses: LookupAddress[]) => void) => {
    const answer = (code: string | null, ...addresses: string[]) =>
      callback(code === null ? null : Object.assign(new Error(code), { code }), addresses.map(address))
    asked.push({ host, answer })
  }) as unknown as typeof lookup
  const time = { ms: 0 }
  const names = new HostNames(() => time.ms, ask)
  const find = (host: string) =>
    new Promise<string>((resolve) => {
      names.lookup(host, { all: true }, (error, addresses) =>
        resolve(error?.code ?? (addresses as LookupAddress[]).map(({ address }) => address).join()),
      )
    })
  return { asked, find, names, time }
}

test('who asks for one name shares one look-up, and few are under way at once', async () => {
  const { asked, find } = resolver()
  const found = Promise.all(['a', 'a', 'b', 'c'].map(find))
  expect(asked.map(({ host }) => host)).toEqual(['a', 'b'])
  asked[0]!.answer(null, '192.0.2.1', '192.0.2.2')
  asked[1]!.answer('EAI_AGAIN')
  asked[2]!.answer('ENOTFOUND')
  expect(await found).toEqual(['192.0.2.1,192.0.2.2', '192.0.2.1,192.0.2.2', 'EAI_AGAIN', 'ENOTFOUND'])
  expect(await find('a')).toBe('192.0.2.1,192.0.2.2')
  expect(asked).toHaveLength(3)
})

test('one address is given to who wants one', async () => {
  const { asked, names } = resolver()
  const found = new Promise((resolve) => names.lookup('a', {}, (...said) => resolve(said)))
  asked[0]!.answer(null, '192.0.2.1')
  expect(await found).toEqual([null, '192.0.2.1', 4])
})

test('a name that could not be looked up is looked up again', async () => {
  const { asked, find } = resolver()
  const first = find('a')
  asked[0]!.answer('EAI_AGAIN')
  expect(await first).toBe('EAI_AGAIN')
  const second = find('a')
  asked[1]!.answer(null, '192.0.2.1')
  expect(await second).toBe('192.0.2.1')
})

test('what was found is used while the resolver is silent or in trouble, until it says otherwise', async () => {
  const { asked, find, time } = resolver()
  const first = find('a')
  asked[0]!.answer(null, '192.0.2.1')
  expect(await first).toBe('192.0.2.1')
  time.ms = 60_000
  expect([await find('a'), await find('a')]).toEqual(['192.0.2.1', '192.0.2.1'])
  expect(asked).toHaveLength(2)
  asked[1]!.answer('EAI_AGAIN')
  time.ms = 120_000
  expect(await find('a')).toBe('192.0.2.1')
  asked[2]!.answer(null, '192.0.2.2')
  expect(await find('a')).toBe('192.0.2.2')
  time.ms = 180_000
  expect(await find('a')).toBe('192.0.2.2')
  asked[3]!.answer('ENOTFOUND')
  const gone = find('a')
  asked[4]!.answer('ENOTFOUND')
  expect(await gone).toBe('ENOTFOUND')
})
