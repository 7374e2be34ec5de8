import { connect, type Socket } from 'node:net'

/** One connection that asks and waits for the answer, over and over. */
class Asker {
  readonly #socket: Socket
  #wanted = 0
  #got = 0
  #onAnswer: (() => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
  }

  static async open(port: number, from: string): Promise<Asker> {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new Asker(socket)
  }

  get idle(): boolean {
    return this.#onAnswer === undefined
  }

  ask(request: Buffer, onAnswer: () => void): void {
    this.#onAnswer = onAnswer
    this.#socket.write(request)
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    if (this.#wanted === 0) {
      const text = chunk.toString('latin1')
      if (!text.startsWith('HTTP/1.1 200')) throw new Error(`answered ${text.slice(0, 400)}`)
      this.#wanted = text.indexOf('\r\n\r\n') + 4 + Number(/Content-Length: (\d+)/i.exec(text)?.[1])
    }
    this.#got += chunk.length
    if (this.#got < this.#wanted) return
    this.#wanted = 0
    this.#got = 0
    const onAnswer = this.#onAnswer!
    this.#onAnswer = undefined
    onAnswer()
  }
}

/** What is asked in turn, and the addresses of this machine that it comes from. */
export interface Questions {
  readonly requests: readonly Buffer[]
  readonly from: readonly string[]
}

function openAskers(port: number, from: readonly string[], count: number): Promise<Asker[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => Asker.open(port, from[i % from.length]!)))
}

/** As many answers per second as connections that ask without a pause get. */
export async function fullLoad(
  port: number,
  { requests, from }: Questions,
  connections: number,
  ms: number,
): Promise<number> {
  const askers = await openAskers(port, from, connections)
  const endMs = performance.now() + ms
  let answers = 0
  let at = 0
  const run = (asker: Asker) =>
    new Promise<void>((resolve) => {
      const next = () => {
        if (performance.now() >= endMs) return resolve()
        asker.ask(requests[at++ % requests.length]!, () => {
          answers++
          next()
        })
      }
      next()
    })
  const startedMs = performance.now()
  await Promise.all(askers.map(run))
  const seconds = (performance.now() - startedMs) / 1000
  for (const asker of askers) asker.close()
  return answers / seconds
}

/** Latencies in ms, rising, of requests that come at a rate whether or not those before have been answered; measured from when each was due. */
export async function pacedLoad(
  port: number,
  { requests, from }: Questions,
  perSecond: number,
  ms: number,
): Promise<Float64Array> {
  const askers = await openAskers(port, from, 128)
  const free = [...askers]
  const count = Math.floor((perSecond * ms) / 1000)
  const latencies = new Float64Array(count)
  const startedMs = performance.now()
  let sent = 0
  let answered = 0
  await new Promise<void>((resolve) => {
    const send = (asker: Asker) => {
      const mine = sent++
      const dueMs = startedMs + (mine * 1000) / perSecond
      asker.ask(requests[mine % requests.length]!, () => {
        latencies[mine] = performance.now() - dueMs
        free.push(asker)
        if (++answered === count) resolve()
      })
    }
    const tick = () => {
      const due = Math.min(count, Math.floor(((performance.now() - startedMs) * perSecond) / 1000))
      while (sent < due && free.length > 0) send(free.pop()!)
      if (sent < count) setImmediate(tick)
    }
    tick()
  })
  for (const asker of askers) asker.close()
  return latencies.sort()
}
