import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { ProbeRound, TICK_MS } from '../../../steering/failure/probe-round.ts'
import { eventually } from '../../gateway/harness.ts'

test('those that wait for their turn are asked once, however often they are asked for', async () => {
  let answers = false
  const sockets = new Set<Socket>()
  /** The most questions that one connection has had without an answer. */
  let unanswered = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    let asked = 0
    socket.on('data', (chunk) => {
      asked += chunk.toString().split('HEAD ').length - 1
      unanswered = Math.max(unanswered, asked)
      if (!answers) return
      asked = 0
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const up = new Set<number>()
  const round = new ProbeRound({
    times: { intervalMs: 20, timeoutMs: 60, retryTimeoutMs: 60, downIntervalMs: 60 },
    ...{ perSecond: 1e6, maxKept: 100, maxOpening: 3, opensPerSecond: 1e6, random: () => 0.5 },
    monotonicMs: () => performance.now(),
    onVerdict: (id, isUp) => (isUp ? up.add(id) : up.delete(id)),
    onLoad: () => {},
  })
  const ids = [0, 1, 2, 3]
  for (const id of ids) round.set(id, { secure: false, host: '127.0.0.1', port, path: '/healthz' })
  const timer = setInterval(() => {
    round.tick()
    if (!answers) for (const id of ids) round.askNow(id)
  }, TICK_MS)
  try {
    const before = round.probes
    await eventually(async () => round.probes > before + 40, 'they are asked, and nobody answers')
    expect(unanswered).toBe(1)
    answers = true
    await eventually(async () => up.size === ids.length, 'all are found to be there')
  } finally {
    clearInterval(timer)
    round.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  }
})

test('as many connections are kept open as may be; who goes down makes room for another', async () => {
  const open = new Map<string, Set<Socket>>()
  const server = createServer((socket) => {
    const address = socket.localAddress!
    const sockets = open.get(address) ?? new Set()
    open.set(address, sockets.add(socket))
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
  })
  server.listen(0, '0.0.0.0')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const verdicts = new Map<number, boolean>()
  const round = new ProbeRound({
    times: { intervalMs: 20, timeoutMs: 3000, retryTimeoutMs: 3000, downIntervalMs: 60 },
    ...{ perSecond: 1e6, maxKept: 2, maxOpening: 10, opensPerSecond: 200, random: () => 0.5 },
    monotonicMs: () => performance.now(),
    onVerdict: (id, isUp) => verdicts.set(id, isUp),
    onLoad: () => {},
  })
  const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4']
  addresses.forEach((host, id) => {
    round.set(id, { secure: false, host, port, path: '/healthz' })
  })
  const timer = setInterval(() => round.tick(), TICK_MS)
  /** Who has one and the same connection for as long as many probes take. */
  const kept = async () => {
    const before = new Map([...open].flatMap(([address, sockets]) => [...sockets].map((socket) => [socket, address])))
    const probes = round.probes
    await eventually(async () => round.probes > probes + 16, 'they are probed')
    return [...before].filter(([socket, address]) => open.get(address)!.has(socket)).map(([, address]) => address)
  }
  try {
    await eventually(async () => verdicts.size === addresses.length, 'all are known')
    expect(await kept()).toHaveLength(2)
    const [first] = await kept()
    round.remove(addresses.indexOf(first!))
    await eventually(async () => (await kept()).length === 2, 'another has the connection')
    expect(await kept()).not.toContain(first)
    expect([...verdicts.values()]).toEqual([true, true, true, true])
  } finally {
    clearInterval(timer)
    round.close()
    for (const sockets of open.values()) for (const socket of sockets) socket.destroy()
    server.close()
  }
})

test('a thread that had no time itself does not blame the appliances', async () => {
  const server = createServer((socket) => {
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  let nowMs = 0
  const verdicts: boolean[] = []
  const round = new ProbeRound({
    times: { intervalMs: 60_000, timeoutMs: 500, retryTimeoutMs: 400, downIntervalMs: 60_000 },
    ...{ perSecond: 1e6, maxKept: 1, maxOpening: 1, opensPerSecond: 1000, random: () => 0.5 },
    monotonicMs: () => nowMs,
    onVerdict: (_, isUp) => verdicts.push(isUp),
    onLoad: () => {},
  })
  try {
    round.set(1, { secure: false, host: '127.0.0.1', port, path: '/healthz' })
    for (nowMs = 20; round.probes === 0; nowMs += TICK_MS) round.tick()
    // Nothing can have been read in between.
    for (const ms of [700, 900, 2000]) {
      nowMs += ms
      round.tick()
    }
    expect([round.probes, verdicts]).toEqual([1, []])
    await eventually(async () => verdicts.length > 0, 'its answer is read')
    expect(verdicts).toEqual([true])
  } finally {
    round.close()
    server.close()
  }
})

test('the end of a connection right after an answer is asked about at once, but not each time', async () => {
  let ends = true
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', () => {
      const answer = 'HTTP/1.1 200 OK\r\nWeir-Load: requests=0, bytes-per-second=0\r\nContent-Length: 0\r\n\r\n'
      if (ends) socket.end(answer)
      else socket.write(answer)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  let nowMs = 0
  let answers = 0
  const verdicts: boolean[] = []
  const round = new ProbeRound({
    times: { intervalMs: 2000, timeoutMs: 1900, retryTimeoutMs: 1900, downIntervalMs: 2000 },
    ...{ perSecond: 1e6, maxKept: 10, maxOpening: 10, opensPerSecond: 1000, random: () => 0.5 },
    monotonicMs: () => nowMs,
    onVerdict: (_, isUp) => verdicts.push(isUp),
    onLoad: () => answers++,
  })
  /** A tick, and what arrives after it. */
  const tick = async () => {
    nowMs += TICK_MS
    round.tick()
    await new Promise(setImmediate)
  }
  const untilAnswers = (count: number) =>
    eventually(async () => {
      if (answers < count) await tick()
      return answers >= count
    }, `${count} probes are answered`)
  const untilClosed = () =>
    eventually(async () => [...sockets].every(({ destroyed }) => destroyed), 'its connections have ended')
  try {
    round.set(1, { secure: false, host: '127.0.0.1', port, path: '/healthz' })
    await untilAnswers(1)
    await untilClosed()
    // Once at once; then it is known for one that keeps no connections, and is asked when it is due.
    await untilAnswers(2)
    expect(nowMs).toBeLessThan(1000)
    await untilClosed()
    ends = false
    const sentMs = nowMs
    await untilAnswers(3)
    expect(nowMs - sentMs).toBeGreaterThan(1700)
    await untilAnswers(4)
    expect([answers, round.probes]).toEqual([4, 4])
    expect(verdicts).toEqual([true])
    // The connection that was kept between these two ends with its process, just after an answer.
    const endedMs = nowMs
    server.close()
    for (const socket of sockets) socket.destroy()
    await eventually(async () => {
      await tick()
      return verdicts.length === 2
    }, 'it is known to be down')
    expect(verdicts).toEqual([true, false])
    expect(nowMs - endedMs).toBeLessThan(1000)
  } finally {
    round.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  }
})

test('of many whose connections end, no more are asked per second than are probed otherwise', async () => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  let nowMs = 0
  const up = new Set<number>()
  const round = new ProbeRound({
    times: { intervalMs: 100, timeoutMs: 1e4, retryTimeoutMs: 1e4, downIntervalMs: 2000 },
    ...{ perSecond: 5, maxKept: 100, maxOpening: 100, opensPerSecond: 1e6, random: () => 0.5 },
    monotonicMs: () => nowMs,
    onVerdict: (id, isUp) => isUp && up.add(id),
    onLoad: () => {},
  })
  const passes = (ms: number) => {
    for (const endMs = nowMs + ms; nowMs < endMs; ) {
      nowMs += TICK_MS
      round.tick()
    }
  }
  try {
    for (let id = 0; id < 20; id++) round.set(id, { secure: false, host: '127.0.0.1', port, path: '/healthz' })
    passes(TICK_MS)
    await eventually(async () => up.size === 20, 'all are found to be there')
    passes(1000)
    expect(round.probes).toBe(20)
    for (const socket of sockets) socket.end()
    await eventually(async () => [...sockets].every(({ destroyed }) => destroyed), 'all connections have ended')
    passes(TICK_MS)
    expect(round.probes).toBe(21)
    passes(900)
    expect(round.probes).toBe(25)
  } finally {
    round.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  }
})

describe('with time that only the test moves', () => {
  const sockets = new Set<Socket>()
  let answers = true
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', () => answers && socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
  })
  let nowMs = 0
  let verdicts: (readonly [id: number, up: boolean])[] = []
  let onDown = () => {}
  let round: ProbeRound
  const passes = (ms: number) => {
    for (const endMs = nowMs + ms; nowMs < endMs; ) {
      nowMs += TICK_MS
      round.tick()
    }
  }
  /** A round of so many appliances that are up, and are asked again a minute later. */
  const begin = async (count: number, options: { readonly maxOpening?: number } = {}) => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    round = new ProbeRound({
      times: { intervalMs: 60_000, timeoutMs: 500, retryTimeoutMs: 400, downIntervalMs: 5000 },
      ...{ perSecond: 1e6, maxKept: 100, maxOpening: 100, opensPerSecond: 1e6, random: () => 0.5, ...options },
      monotonicMs: () => nowMs,
      onVerdict(id, up) {
        verdicts.push([id, up])
        if (!up) onDown()
      },
      onLoad: () => {},
    })
    for (let id = 0; id < count; id++) round.set(id, { secure: false, host: '127.0.0.1', port, path: '/healthz' })
    passes(2 * TICK_MS)
    await eventually(async () => {
      round.tick()
      return verdicts.length === count
    }, 'all are found to be there')
    answers = false
    verdicts = []
  }
  afterEach(async () => {
    onDown = () => {}
    answers = true
    verdicts = []
    round.close()
    for (const socket of sockets) socket.destroy()
    sockets.clear()
    const closed = once(server, 'close')
    server.close()
    await closed
  })

  test('connections that end all together are opened anew few at a time', async () => {
    await begin(20, { maxOpening: 3 })
    for (const socket of sockets) socket.end()
    await eventually(async () => [...sockets].every(({ destroyed }) => destroyed), 'all connections have ended')
    passes(300)
    expect(round.probes).toBe(23)
  })

  test('who is to be asked at once is, even if that is said while others are asked', async () => {
    await begin(2)
    onDown = () => round.askNow(1)
    round.askNow(0)
    passes(1000)
    expect(verdicts).toEqual([[0, false]])
    expect(round.probes).toBe(5)
  })

  test.each([
    ['between two probes', 0],
    ['while an answer is waited for', 100],
  ])('a machine that has slept %s knows soon who is there', async (_, askedMs) => {
    await begin(1)
    if (askedMs > 0) {
      round.askNow(0)
      passes(askedMs)
    }
    nowMs += 3_600_000
    round.tick()
    passes(2000)
    expect(verdicts).toEqual([[0, false]])
  })
})
