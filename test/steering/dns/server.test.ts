import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Answer, decode, encode } from 'dns-packet'
import { type Clock, FakeClock, systemClock } from '../../../runtime/clock.ts'
import { silentLog } from '../../../runtime/log.ts'
import { Counters } from '../../../steering/counters.ts'
import { DnsResponder } from '../../../steering/dns/responder.ts'
import { type DnsServer, listenDns } from '../../../steering/dns/server.ts'
import { eventually } from '../../gateway/harness.ts'

const HOSTS: Readonly<Record<string, readonly string[]>> = {
  one: ['192.0.2.1'],
  many: ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8::4'],
  alias: ['box.example.net'],
  ['x'.repeat(63)]: ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8::4'],
}
let counters: Counters
let server: DnsServer
const sockets: Socket[] = []

async function start(clock: Clock = systemClock, perNetwork = 0): Promise<void> {
  counters = new Counters()
  const responder = new DnsResponder({
    ...{ zone: 'play.example', nameServers: ['ns.example'], ttlSeconds: 20, serial: () => 1 },
    scopeOf: (_, sourceLength) => sourceLength,
    find: (labels) => {
      const hosts = HOSTS[labels[0]!]
      return hosts && { hosts, ttlSeconds: 60, perClient: true }
    },
  })
  server = await listenDns({
    ...{ listen: { host: '127.0.0.1', port: 0 }, responder, counters, clock, log: silentLog, perNetwork },
  })
}
beforeEach(() => start())
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await server.close()
})

const port = () => Number(server.address.split(':').pop())
const opt = (options: { code: number; data: Buffer }[] = [], udpPayloadSize = 4096, flags = 0) =>
  ({ type: 'OPT', name: '.', udpPayloadSize, ednsVersion: 0, flags, options }) as unknown as Answer
const asked = (name: string, type = 'A', additionals: Answer[] = [], id = 77) =>
  encode({ id, type: 'query', flags: 0x100, questions: [{ name, type: type as 'A' }], additionals })
const framed = (message: Buffer) => Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message])

async function udp(message: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4')
  try {
    await new Promise<unknown>((resolve) => socket.send(message, port(), '127.0.0.1', resolve))
    const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(5000) })) as [Buffer]
    return answer
  } finally {
    socket.close()
  }
}

/** A connection, the ids that have been answered on it, and whether it is closed. */
async function open(localAddress = '127.0.0.1') {
  const socket = connect({ port: port(), host: '127.0.0.1', localAddress })
  sockets.push(socket)
  const state = { socket, ids: [] as number[], closed: false }
  let rest = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('close', () => {
    state.closed = true
  })
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      state.ids.push(rest.readUInt16BE(2))
      rest = rest.subarray(2 + rest.readUInt16BE(0))
    }
  })
  await once(socket, 'connect')
  return state
}

describe('over UDP', () => {
  test.each([
    ['not longer than everybody takes, without EDNS', `${'x'.repeat(63)}.${'y'.repeat(60)}`, [], 512, true],
    ['as long as the resolver takes', `${'x'.repeat(63)}.${'y'.repeat(60)}`, [opt()], 1232, false],
    [
      'not longer than goes through in one piece',
      `${`${'x'.repeat(63)}.`.repeat(3)}${'y'.repeat(40)}`,
      [opt()],
      1232,
      true,
    ],
  ])('an answer is %s', async (_, name, additionals, most, isCut) => {
    const answer = await udp(asked(`${name}.play.example`, 'AAAA', additionals))
    expect(answer.length).toBeLessThanOrEqual(most)
    const { answers, flag_tc } = decode(answer)
    expect([flag_tc, answers?.length]).toEqual([isCut, isCut ? 0 : 4])
  })

  test('who forges a source address gets at most ten times as much sent there', async () => {
    const questions = ['one', 'many', 'alias', 'nobody', '']
      .flatMap((label) => ['A', 'AAAA', 'ANY', 'NS', 'SOA', 'TXT'].map((type) => [label, type] as const))
      .map(([label, type]) => asked(label === '' ? 'play.example' : `${label}.play.example`, type))
    for (const question of questions) expect((await udp(question)).length / question.length).toBeLessThan(10)
  })

  test('flags that a resolver expects back, and an alias for every type', async () => {
    const answer = decode(await udp(asked('alias.play.example', 'TXT', [opt([], 1232, 0x8000)])))
    expect(answer.answers).toMatchObject([{ type: 'CNAME', data: 'box.example.net' }])
    expect(answer).toMatchObject({ flag_aa: true, flag_rd: true, rcode: 'NOERROR' })
    expect(answer.additionals).toMatchObject([{ type: 'OPT', flag_do: true }])
  })

  test('what is to be done that is not known is said again, with that', async () => {
    const update = asked('one.play.example')
    update[2] = 5 << 3
    expect(decode(await udp(update))).toMatchObject({ opcode: 'UPDATE', rcode: 'NOTIMP' })
  })

  test('a subnet of length 0, with a family or without, is answered for everybody', async () => {
    for (const family of [0, 1, 2]) {
      const subnet = { code: 8, data: Buffer.from([0, family, 0, 0]) }
      const answer = decode(await udp(asked('one.play.example', 'A', [opt([subnet])])))
      expect(answer).toMatchObject({ rcode: 'NOERROR', answers: [{ data: '192.0.2.1' }] })
      const [said] = answer.additionals as unknown as { options: { scopePrefixLength: number }[] }[]
      expect(said!.options[0]!.scopePrefixLength).toBe(0)
    }
  })

  test('what no query has costs no time: more records are not even read', async () => {
    const stuffed = Buffer.from(asked('one.play.example'))
    for (const count of [4, 6, 8, 10]) {
      const message = Buffer.concat([stuffed, Buffer.alloc(600)])
      message.writeUInt16BE(9, count)
      expect(decode(await udp(message))).toMatchObject({ rcode: 'FORMERR' })
    }
  })
})

describe('over TCP', () => {
  test('many questions at once are answered in their order', async () => {
    const one = await open()
    const ids = Array.from({ length: 500 }, (_, i) => i)
    one.socket.write(Buffer.concat(ids.map((id) => framed(asked('one.play.example', 'A', [], id)))))
    await eventually(async () => one.ids.length === ids.length, 'all are answered')
    expect(one.ids).toEqual(ids)
  })

  test('one client has so many connections, others as many of their own', async () => {
    const all = await Promise.all(Array.from({ length: 25 }, () => open()))
    await eventually(async () => all.filter(({ closed }) => closed).length === 5, 'five are refused')
    const other = await open('127.0.0.2')
    other.socket.write(framed(asked('one.play.example')))
    await eventually(async () => other.ids.length === 1, 'another client is answered')
    expect(counters.refusedConnections).toBe(5)
    for (const { socket } of all) socket.destroy()
    await eventually(async () => {
      const again = await open()
      again.socket.write(framed(asked('one.play.example')))
      await eventually(async () => again.ids.length === 1 || again.closed, 'it is heard')
      return again.ids.length === 1
    }, 'when they are closed, others are taken')
  })

  test('who asks nothing whole is not listened to for ever, however many bytes he sends', async () => {
    await server.close()
    const clock = new FakeClock()
    await start(clock)
    const slow = await open()
    const brisk = await open()
    const message = framed(asked('one.play.example'))
    for (let i = 0; i < 9; i++) {
      slow.socket.write(message.subarray(i, i + 1))
      brisk.socket.write(message)
      await eventually(async () => brisk.ids.length === i + 1, 'it is answered')
      await clock.advance(1500)
    }
    await eventually(async () => slow.closed, 'the slow one is closed')
    expect(brisk.closed).toBe(false)
  })

  test('above the rate of its network a connection waits', async () => {
    await server.close()
    const clock = new FakeClock()
    await start(clock, 10)
    const one = await open()
    const ids = Array.from({ length: 35 }, (_, i) => i)
    one.socket.write(Buffer.concat(ids.map((id) => framed(asked('one.play.example', 'A', [], id)))))
    await eventually(async () => one.ids.length === 10, 'ten are answered')
    for (const [ms, count] of [
      [999, 10],
      [251, 20],
      [2000, 35],
    ] as const) {
      await clock.advance(ms)
      await eventually(async () => one.ids.length >= count, `${count} are answered`)
      expect(one.ids).toHaveLength(count)
    }
  })
})
